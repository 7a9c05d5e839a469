#include "nsdb/tracking_snapshot.h"

#include <utility>

namespace midonet::nsdb {

using Expect = Batch::RecordCheck::Expect;

Result<std::optional<Record>> TrackingSnapshot::get(std::string_view directory,
                                                    std::string_view name) {
    const RecordKey key{std::string(directory), std::string(name)};
    if (const auto write = writes_.find(key); write != writes_.end()) {
        if (!write->second) return std::nullopt;
        return Record{write->first.name, *write->second, revision(), Uuid{}};
    }
    TRY(record, base_.get(directory, name));
    remember(key, record ? Check{Expect::Version, record->version} : Check{Expect::Absent, 0});
    return record;
}

Result<Revision> TrackingSnapshot::listBeginning(std::string_view directory, std::string_view begin,
                                                 const std::function<void(const Record&)>& visit) {
    const std::string path(directory);
    // Writes of this transaction in the directory, merged by name.
    auto own = writes_.lower_bound(RecordKey{path, std::string(begin)});
    const auto isOwn = [&] { return own != writes_.end() && own->first.directory == path && own->first.name.starts_with(begin); };
    const auto visitOwn = [&] {
        if (own->second) visit(Record{own->first.name, *own->second, revision(), Uuid{}});
        ++own;
    };
    const auto ownBefore = [&](std::string_view name) { return isOwn() && own->first.name < name; };
    std::vector<std::pair<RecordKey, Check>> read;
    TRY(version, base_.listBeginning(directory, begin, [&](const Record& record) {
        while (ownBefore(record.name)) visitOwn();
        if (isOwn() && own->first.name == record.name) return visitOwn();
        read.emplace_back(RecordKey{path, std::string(record.name)},
                          Check{Expect::Version, record.version});
        visit(record);
    }));
    while (isOwn()) visitOwn();
    for (auto& [key, check] : read) remember(key, check);
    lists_.try_emplace(path, version);
    return version;
}

Result<bool> TrackingSnapshot::present(const RecordKey& key, bool expected) {
    if (const auto write = writes_.find(key); write != writes_.end()) return write->second.has_value();
    if (presence_ == Presence::Presume) {
        const Check presumed{expected ? Expect::Present : Expect::Absent, 0};
        return reads_.try_emplace(key, presumed).first->second.expect != Expect::Absent;
    }
    TRY(record, base_.get(key.directory, key.name));
    reads_.try_emplace(key, record ? Check{Expect::Present, 0} : Check{Expect::Absent, 0});
    return record.has_value();
}

void TrackingSnapshot::put(const RecordKey& key, std::string value) {
    writes_[key] = std::move(value);
}

void TrackingSnapshot::remove(const RecordKey& key) { writes_[key] = std::nullopt; }

void TrackingSnapshot::removeTree(std::string path) { removedTrees_.push_back(std::move(path)); }

/// The stronger of two checks of one record is kept.
void TrackingSnapshot::remember(const RecordKey& key, Check check) {
    const auto [known, added] = reads_.try_emplace(key, check);
    if (!added && known->second.expect == Expect::Present) known->second = check;
}

Batch TrackingSnapshot::takeBatch() {
    Batch batch;
    for (auto& [key, check] : std::exchange(reads_, {}))
        batch.recordChecks.push_back({key, check.expect, check.version});
    for (auto& [directory, version] : std::exchange(lists_, {}))
        batch.directoryChecks.push_back({directory, version});
    batch.removedTrees = std::exchange(removedTrees_, {});
    for (auto& [key, value] : std::exchange(writes_, {}))
        batch.writes.push_back({key, std::move(value)});
    return batch;
}

}  // namespace midonet::nsdb
