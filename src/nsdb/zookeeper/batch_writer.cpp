#include "nsdb/zookeeper/batch_writer.h"

#include <algorithm>
#include <set>

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
    // Checks alone may end without a multi.
    auto care = batch.writes.empty() && batch.removedTrees.empty() ? Look::Care::Careful : Look::Care::Hasty;
    for (int i = 0; i < kOvertakenAttempts; ++i) {
        TRY(done, attempt(batch, care));
        if (done) return *done;
        care = Look::Care::Careful;
    }
    return fail(ErrorCode::Stale, "others keep changing the same records");
}

void BatchWriter::ask(const Batch& batch, Look& look, Changes& changes) const {
    std::set<RecordKey> put;
    for (const auto& write : batch.writes)
        if (write.value) put.insert(write.key);
    std::set<RecordKey> created;
    for (const auto& check : batch.recordChecks) {
        if (check.expect == Expect::Present)
            changes.askToCheckPresent(check.key);
        else if (check.expect == Expect::Absent && put.contains(check.key))
            created.insert(check.key);
        else
            changes.askToCheck(check.key);
    }
    for (const auto& check : batch.directoryChecks) changes.askForDirectory(check.directory);
    for (const auto& write : batch.writes) {
        if (write.value)
            changes.askToPut(write.key, created.contains(write.key));
        else
            changes.askToRemove(write.key);
    }
    for (const auto& tree : batch.removedTrees) look.ask(paths_.directory(tree));
}

Result<std::optional<Revision>> BatchWriter::attempt(const Batch& batch, Look::Care care) {
    Look look(client_, care);
    Changes changes(paths_, look);
    ask(batch, look, changes);
    TRY_VOID(changes.read());
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
    TRY_VOID(look.read());
    for (const auto& key : records) changes.remove(key);
    TRY_VOID(removeTrees(below, look, changes));
    changes.removeDirectory(path);
    return {};
}

}  // namespace midonet::nsdb::zookeeper
