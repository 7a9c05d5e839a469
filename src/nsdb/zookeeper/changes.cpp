#include "nsdb/zookeeper/changes.h"

#include <utility>

#include "base/assert.h"
#include "nsdb/change_log.h"
#include "nsdb/zookeeper/log.h"

namespace midonet::nsdb::zookeeper {
namespace {

/// The step that writes the log, and the marker behind it, besides what the entry holds.
constexpr std::size_t kBytesOfLogStep = 1000;

}  // namespace

void Look::askLasting(const std::string& path) {
    if (care_ == Care::Hasty && client_.knowsLasting(path)) return;
    ask(path);
    lasting_.insert(path);
}

void Look::askExpected(std::string path, bool present) {
    if (care_ == Care::Careful) return ask(std::move(path));
    known_.try_emplace(std::move(path), present ? std::optional(Found{}) : std::nullopt);
}

Result<void> Look::read() {
    std::vector<Client::Question> questions;
    const auto add = [&](const std::string& path, Client::Question::What what) {
        if (!known_.contains(path)) questions.push_back({path, what});
    };
    for (const auto& path : std::exchange(buckets_, {})) add(path, Client::Question::What::Stat);
    for (const auto& [path, what] : std::exchange(asked_, {})) add(path, what);
    if (questions.empty()) return {};
    TRY(found, care_ == Care::Careful ? client_.readSynced(questions) : client_.read(questions));
    for (std::size_t i = 0; i < questions.size(); ++i) {
        if (found[i] && lasting_.contains(questions[i].path)) client_.noteLasting(questions[i].path);
        known_.emplace(questions[i].path, std::move(found[i]));
    }
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

bool Look::isThere(const std::string& path) const {
    const auto known = known_.find(path);
    return known == known_.end() ? client_.knowsLasting(path) : known->second.has_value();
}

void Changes::askToCheck(const RecordKey& key) {
    look_.ask(paths_.record(key));
    look_.askBucket(paths_.recordBucket(key));
}

void Changes::askToPut(const RecordKey& key, bool absent) {
    if (absent)
        look_.askExpected(paths_.record(key), false);
    else
        look_.ask(paths_.record(key));
    askParents(key);
    if (isLogged(key.directory)) look_.askLasting(paths_.log());
}

void Changes::askToRemove(const RecordKey& key) {
    look_.ask(paths_.record(key));
    look_.askLasting(paths_.directoryBucket(key.directory));
    if (isLogged(key.directory)) look_.askLasting(paths_.log());
}

void Changes::askValueToWrite(const RecordKey& key) {
    look_.askValue(paths_.record(key));
    askParents(key);
}

void Changes::askParents(const RecordKey& key) {
    look_.askLasting(paths_.recordBucket(key));
    look_.askLasting(paths_.directoryBucket(key.directory));
    // What is new has a folder of its own as often as not; the one above that is there nearly always.
    parents_.push_back(paths_.parent(key));
    askFolder(parents_.back());
    askFolder(Paths::parentOf(parents_.back()));
}

void Changes::askFolder(const std::string& path) {
    if (paths_.isLasting(path))
        look_.askLasting(path);
    else
        look_.ask(path);
}

Result<void> Changes::read() {
    TRY_VOID(look_.read());
    for (const auto& parent : parents_)
        if (auto path = Paths::parentOf(parent); !look_.isThere(path))
            for (; path.size() > paths_.root().size(); path = Paths::parentOf(path)) askFolder(path);
    return look_.read();
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
    note(key, stat != nullptr, true);
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
    note(key, true, false);
    erase(path);
}

void Changes::note(const RecordKey& key, bool before, bool now) {
    if (isLogged(key.directory)) changed_.push_back({key, kindOf(before, now)});
}

/// A load would fill the log, and the multi: it writes only that it was there.
zk::Operation Changes::logStep(std::size_t bytesOfOthers) {
    auto value = encodeChanges(changed_);
    if (changed_.size() > kMostLoggedChanges || bytesOfOthers + value.size() + kBytesOfLogStep > zk::kMaxRequest) value = kLogReset;
    return {Kind::CreateSequential, paths_.newLogEntry(), std::move(value), zk::kAnyVersion};
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
    if (path == paths_.root() || look_.isThere(path)) return;
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
        const bool there = look_.isThere(path);
        const auto version = there && checkedBuckets_.contains(path) ? look_.stat(path)->version : zk::kAnyVersion;
        const auto kind = !there ? Kind::Create : written_.contains(path) ? Kind::Set : Kind::Check;
        out.push_back({kind, path, {}, version});
    }
    return out;
}

/// Checks come first: they are of what was read, before the other steps change it.
std::vector<zk::Operation> Changes::take() {
    if (!changed_.empty()) makeDirectory(paths_.log());
    std::vector<zk::Operation> out;
    for (const auto& [path, version] : checks_) out.push_back({Kind::Check, path, {}, version});
    for (auto& step : bucketSteps()) out.push_back(std::move(step));
    for (auto& step : std::exchange(steps_, {})) out.push_back(std::move(step));
    if (!changed_.empty()) out.push_back(logStep(zk::bytesOf(out)));
    return out;
}

}  // namespace midonet::nsdb::zookeeper
