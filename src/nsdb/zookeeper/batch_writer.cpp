#include "nsdb/zookeeper/batch_writer.h"

#include <algorithm>

namespace midonet::nsdb::zookeeper {
namespace {

using Expect = Batch::RecordCheck::Expect;

bool onlyChecks(const std::vector<zk::Operation>& steps) {
    return std::all_of(steps.begin(), steps.end(), [](const auto& step) { return step.kind == zk::Operation::Kind::Check; });
}

}  // namespace

bool wasOvertaken(const Error& error) {
    return error.code == ErrorCode::Stale || error.code == ErrorCode::NotFound || error.code == ErrorCode::AlreadyExists ||
           error.code == ErrorCode::Conflict;
}

Result<Revision> BatchWriter::commit(const Batch& batch) {
    for (const auto& write : batch.writes) TRY_VOID(checkKey(write.key));
    for (int i = 0; i < kOvertakenAttempts; ++i) {
        // The server we read from may be behind the one that refused.
        if (i > 0) TRY_VOID(client_.sync());
        TRY(done, attempt(batch));
        if (done) return *done;
    }
    return fail(ErrorCode::Stale, "others keep changing the same records");
}

Result<std::optional<Revision>> BatchWriter::attempt(const Batch& batch) {
    Look look;
    Changes changes(paths_, look);
    for (const auto& check : batch.recordChecks) changes.askFor(check.key);
    for (const auto& check : batch.directoryChecks) changes.askForDirectory(check.directory);
    for (const auto& write : batch.writes) changes.askFor(write.key);
    for (const auto& tree : batch.removedTrees) look.ask(paths_.directory(tree));
    TRY_VOID(changes.read(client_));
    TRY_VOID(check(batch, look, changes));
    TRY_VOID(removeTrees(batch.removedTrees, look, changes));
    for (const auto& write : batch.writes) {
        if (write.value)
            changes.put(write.key, *write.value);
        else
            changes.remove(write.key);
    }
    const auto steps = changes.take();
    const bool one = batch.recordChecks.size() + batch.directoryChecks.size() <= 1;
    if (steps.empty() || (onlyChecks(steps) && one)) return client_.newest();  // that it was read is all
    Result<Revision> done = client_.newest();
    if (!onlyChecks(steps))
        done = client_.write(steps);
    else if (const auto checked = client_.check(steps); !checked)
        done = Unexpected{checked.error()};
    if (done) return *done;
    if (wasOvertaken(done.error())) return std::nullopt;
    return Unexpected{done.error()};
}

/// Against what is there now; the multi then checks that it is still so.
Result<void> BatchWriter::check(const Batch& batch, const Look& look, Changes& changes) const {
    for (const auto& check : batch.recordChecks) {
        const auto* now = look.stat(paths_.record(check.key));
        const bool holds = check.expect == Expect::Absent    ? now == nullptr
                           : check.expect == Expect::Present ? now != nullptr
                                                             : now != nullptr && static_cast<Revision>(now->modified) == check.version;
        if (!holds) return fail(ErrorCode::Stale, "{}/{} has changed", check.key.directory, check.key.name);
        switch (check.expect) {
            case Expect::Absent: changes.checkAbsent(check.key); break;
            case Expect::Present: changes.checkPresent(check.key); break;
            case Expect::Version: changes.checkUnchanged(check.key); break;
        }
    }
    for (const auto& check : batch.directoryChecks) {
        const auto* now = look.stat(paths_.directoryBucket(check.directory));
        if (check.version != (now == nullptr ? 0 : static_cast<Revision>(now->modified)))
            return fail(ErrorCode::Stale, "the list {} has changed", check.directory);
        changes.checkDirectory(check.directory);
    }
    return {};
}

Result<void> BatchWriter::removeTrees(const std::vector<std::string>& trees, Look& look, Changes& changes) {
    for (const auto& tree : trees)
        if (look.at(paths_.directory(tree)) != nullptr) TRY_VOID(removeTree(tree, look, changes));
    return {};
}

Result<void> BatchWriter::removeTree(const std::string& directory, Look& look, Changes& changes) {
    const auto path = paths_.directory(directory);
    TRY(listed, client_.read({{path, Client::Question::What::Children}}));
    if (!listed.front()) return {};  // the multi will notice
    std::vector<RecordKey> records;
    std::vector<std::string> below;
    for (const auto& child : listed.front()->children) {
        if (auto name = Paths::recordName(child))
            records.push_back({directory, std::move(*name)});
        else
            below.push_back(directory + '/' + Paths::directoryName(child));
    }
    changes.askForDirectory(directory);
    for (const auto& key : records) look.ask(paths_.record(key));
    for (const auto& one : below) look.ask(paths_.directory(one));
    TRY_VOID(look.read(client_));
    for (const auto& key : records) changes.remove(key);
    TRY_VOID(removeTrees(below, look, changes));
    changes.removeDirectory(path);
    return {};
}

}  // namespace midonet::nsdb::zookeeper
