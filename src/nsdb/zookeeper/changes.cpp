#include "nsdb/zookeeper/changes.h"

#include <utility>

#include "base/assert.h"

namespace midonet::nsdb::zookeeper {

Result<void> Look::read(Client& client) {
    std::vector<Client::Question> questions;
    const auto add = [&](const std::string& path, Client::Question::What what) {
        if (!known_.contains(path)) questions.push_back({path, what});
    };
    for (const auto& path : std::exchange(buckets_, {})) add(path, Client::Question::What::Stat);
    for (const auto& [path, what] : std::exchange(asked_, {})) add(path, what);
    TRY(found, client.read(questions));
    for (std::size_t i = 0; i < questions.size(); ++i) known_.emplace(questions[i].path, std::move(found[i]));
    return {};
}

const Client::Found* Look::at(const std::string& path) const {
    const auto known = known_.find(path);
    MIDONET_ASSERT(known != known_.end(), "what is looked at was asked for");
    return known->second ? &*known->second : nullptr;
}

const zk::Stat* Look::stat(const std::string& path) const {
    const auto* found = at(path);
    return found == nullptr ? nullptr : &found->stat;
}

void Changes::askFor(const RecordKey& key, bool withValue) {
    look_.askBucket(paths_.recordBucket(key));
    look_.askBucket(paths_.directoryBucket(key.directory));
    const auto path = paths_.record(key);
    if (withValue)
        look_.askValue(path);
    else
        look_.ask(path);
    // What is new has a folder of its own as often as not; the one above that is there nearly always.
    parents_.push_back(paths_.parent(key));
    look_.ask(parents_.back());
    look_.ask(Paths::parentOf(parents_.back()));
}

Result<void> Changes::read(Client& client) {
    TRY_VOID(look_.read(client));
    for (const auto& parent : parents_)
        if (look_.at(Paths::parentOf(parent)) == nullptr)
            for (auto path = Paths::parentOf(parent); path.size() > paths_.root().size(); path = Paths::parentOf(path)) look_.ask(path);
    return look_.read(client);
}

void Changes::checkUnchanged(const RecordKey& key) {
    const auto path = paths_.record(key);
    const auto* stat = look_.stat(path);
    MIDONET_ASSERT(stat != nullptr, "what is unchanged is there");
    checks_.insert_or_assign(path, stat->version);
    checkedBuckets_.insert(paths_.recordBucket(key));
}

void Changes::put(const RecordKey& key, std::string_view value) {
    const auto path = paths_.record(key);
    const auto* stat = look_.stat(path);
    if (stat != nullptr && stat->owner != 0) {
        erase(path);
        stat = nullptr;
    }
    if (stat == nullptr) {
        written_.insert(paths_.directoryBucket(key.directory));
        return create(key, Kind::Create, std::string(value));
    }
    steps_.push_back({Kind::Set, path, std::string(value), zk::kAnyVersion});
}

void Changes::putLeased(const RecordKey& key, std::string value, std::int64_t session) {
    const auto path = paths_.record(key);
    const auto* stat = look_.stat(path);
    if (stat != nullptr && stat->owner == session) {
        steps_.push_back({Kind::Set, path, std::move(value), stat->version});
        return;
    }
    if (stat != nullptr) erase(path);
    create(key, Kind::CreateEphemeral, std::move(value));
}

void Changes::remove(const RecordKey& key) {
    const auto path = paths_.record(key);
    const auto* stat = look_.stat(path);
    if (stat == nullptr) return;
    if (stat->owner == 0) written_.insert(paths_.directoryBucket(key.directory));
    erase(path);
}

void Changes::removeDirectory(const std::string& path) { erase(path); }

void Changes::create(const RecordKey& key, Kind kind, std::string value) {
    makeDirectory(paths_.parent(key));
    written_.insert(paths_.recordBucket(key));
    absent_.erase(paths_.record(key));
    steps_.push_back({kind, paths_.record(key), std::move(value), zk::kAnyVersion});
}

void Changes::erase(const std::string& path) {
    const auto* stat = look_.stat(path);
    steps_.push_back({Kind::Delete, path, {}, stat == nullptr ? zk::kAnyVersion : stat->version});
    look_.set(path, std::nullopt);
}

void Changes::makeDirectory(const std::string& path) {
    if (path == paths_.root() || look_.at(path) != nullptr) return;
    makeDirectory(Paths::parentOf(path));
    steps_.push_back({Kind::Create, path, {}, zk::kAnyVersion});
    look_.set(path, Look::Found{});
}

/// A bucket that is not there yet is made: that fails if somebody else makes it, as a check would.
std::vector<zk::Operation> Changes::bucketSteps() {
    std::vector<zk::Operation> out;
    for (const auto& [path, bucket] : std::exchange(absent_, {})) checkedBuckets_.insert(bucket);
    auto all = checkedBuckets_;
    all.insert(written_.begin(), written_.end());
    for (const auto& path : all) {
        const auto* stat = look_.stat(path);
        const auto version = stat != nullptr && checkedBuckets_.contains(path) ? stat->version : zk::kAnyVersion;
        const auto kind = stat == nullptr ? Kind::Create : written_.contains(path) ? Kind::Set : Kind::Check;
        out.push_back({kind, path, {}, version});
    }
    return out;
}

/// Checks come first: they are of what was read, before the other steps change it.
std::vector<zk::Operation> Changes::take() {
    std::vector<zk::Operation> out;
    for (const auto& [path, version] : checks_) out.push_back({Kind::Check, path, {}, version});
    for (auto& step : bucketSteps()) out.push_back(std::move(step));
    for (auto& step : std::exchange(steps_, {})) out.push_back(std::move(step));
    return out;
}

}  // namespace midonet::nsdb::zookeeper
