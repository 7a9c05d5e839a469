#include "nsdb/shared_memory.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/assert.h"
#include "nsdb/change_log.h"

namespace midonet::nsdb {

/// Pins the history it may read.
class MemorySnapshot final : public Snapshot {
public:
    explicit MemorySnapshot(std::shared_ptr<SharedMemory> shared) : shared_(std::move(shared)) {
        const std::lock_guard lock(shared_->mutex_);
        revision_ = shared_->revision_;
        pin_ = shared_->openSnapshots_.insert(revision_);
    }
    ~MemorySnapshot() override {
        const std::lock_guard lock(shared_->mutex_);
        shared_->openSnapshots_.erase(pin_);
    }
    MemorySnapshot(const MemorySnapshot&) = delete;
    MemorySnapshot& operator=(const MemorySnapshot&) = delete;

    Revision revision() const override { return revision_; }

    Result<std::optional<Record>> get(std::string_view directory, std::string_view name) override {
        const std::lock_guard lock(shared_->mutex_);
        const auto found = shared_->directories_.find(directory);
        if (found == shared_->directories_.end()) return std::nullopt;
        const auto record = found->second.records.find(name);
        if (record == found->second.records.end()) return std::nullopt;
        const auto* version = SharedMemory::at(record->second, revision_);
        if (version == nullptr || !version->value) return std::nullopt;
        last_ = {std::string(name), version->value, version->revision, version->lease};
        return Record{last_.name, *last_.value, last_.version, last_.lease};
    }

    Result<Revision> list(std::string_view directory,
                          const std::function<void(const Record&)>& visit) override {
        std::vector<SharedMemory::Found> records;
        Revision version = 0;
        {
            const std::lock_guard lock(shared_->mutex_);
            const auto found = shared_->directories_.find(directory);
            if (found == shared_->directories_.end()) return Revision{0};
            version = SharedMemory::versionAt(found->second, revision_);
            for (const auto& [name, history] : found->second.records)
                if (const auto* v = SharedMemory::at(history, revision_); v != nullptr && v->value)
                    records.push_back({name, v->value, v->revision, v->lease});
        }
        for (const auto& r : records) visit(Record{r.name, *r.value, r.version, r.lease});
        return version;
    }

    Result<void> listDirectories(std::string_view parent,
                                 const std::function<void(std::string_view)>& visit) override {
        const auto prefix = std::string(parent) + '/';
        std::set<std::string, std::less<>> names;
        {
            const std::lock_guard lock(shared_->mutex_);
            const auto& all = shared_->directories_;
            for (auto d = all.lower_bound(prefix); d != all.end() && d->first.starts_with(prefix); ++d)
                if (hasRecords(d->second)) names.insert(d->first.substr(prefix.size(), d->first.find('/', prefix.size()) - prefix.size()));
        }
        for (const auto& name : names) visit(name);
        return {};
    }

private:
    bool hasRecords(const SharedMemory::Directory& directory) const {
        return std::any_of(directory.records.begin(), directory.records.end(), [this](const auto& record) {
            const auto* version = SharedMemory::at(record.second, revision_);
            return version != nullptr && version->value;
        });
    }

    std::shared_ptr<SharedMemory> shared_;
    Revision revision_ = 0;
    std::multiset<Revision>::iterator pin_;
    SharedMemory::Found last_;
};

std::unique_ptr<Snapshot> SharedMemory::snapshot() {
    return std::make_unique<MemorySnapshot>(shared_from_this());
}

Result<Revision> SharedMemory::commit(const Batch& batch) {
    std::vector<LocalWatches::Change> changes;
    Revision revision = 0;
    {
        const std::lock_guard lock(mutex_);
        TRY_VOID(check(batch));
        revision = beginRevision();
        for (const auto& tree : batch.removedTrees) removeTree(tree);
        for (const auto& write : batch.writes)
            set(write.key, write.value ? std::make_shared<const std::string>(*write.value) : nullptr,
                Uuid{});
        writeLog();
        forgetHistory();
        changes = std::exchange(changes_, {});
    }
    announceLog(changes);
    publish(std::move(changes));
    return revision;
}

void SharedMemory::writeLog() {
    if (logged_.empty()) return;
    log_.push_back({revision_, std::exchange(logged_, {})});
    if (log_.size() <= keptChanges_) return;
    forgotten_ = log_.front().revision;
    log_.pop_front();
}

Result<LogPart> SharedMemory::changesSince(std::optional<Revision> since) const {
    const std::lock_guard lock(mutex_);
    LogPart part;
    part.through = since.value_or(revision_);
    if (part.through < forgotten_ || part.through > revision_) return logForgotten(part.through);
    auto next = std::upper_bound(log_.begin(), log_.end(), part.through, [](Revision r, const LogPart::Entry& e) { return r < e.revision; });
    for (; next != log_.end() && !isFull(part); ++next) part.entries.push_back(*next);
    part.more = next != log_.end();
    part.through = part.more ? part.entries.back().revision : revision_;
    return part;
}

void SharedMemory::openLease(const Uuid& id) {
    const std::lock_guard lock(mutex_);
    leases_.try_emplace(id);
}

bool SharedMemory::hasLease(const Uuid& id) const {
    const std::lock_guard lock(mutex_);
    return leases_.contains(id);
}

bool SharedMemory::endLease(const Uuid& id) {
    std::vector<LocalWatches::Change> changes;
    {
        const std::lock_guard lock(mutex_);
        const auto lease = leases_.find(id);
        if (lease == leases_.end()) return false;
        beginRevision();
        const auto owned = std::exchange(lease->second, {});
        for (const auto& key : owned) set(key, nullptr, Uuid{});
        leases_.erase(id);
        forgetHistory();
        changes = std::exchange(changes_, {});
    }
    publish(std::move(changes));
    const std::lock_guard lock(clientsMutex_);
    for (auto* client : clients_) client->onLeaseEnded(id);
    return true;
}

Result<std::vector<LeasedOutcome>> SharedMemory::commitLeased(
    const Uuid& lease, const std::vector<LeasedWrite>& writes) {
    std::vector<LocalWatches::Change> changes;
    std::vector<LeasedOutcome> outcomes;
    {
        const std::lock_guard lock(mutex_);
        if (!leases_.contains(lease)) return fail(ErrorCode::Stale, "the lease {} is lost", lease);
        beginRevision();
        for (const auto& write : writes) outcomes.push_back(applyLeased(lease, write));
        forgetHistory();
        changes = std::exchange(changes_, {});
    }
    publish(std::move(changes));
    return outcomes;
}

LeasedOutcome SharedMemory::applyLeased(const Uuid& lease, const LeasedWrite& write) {
    using Kind = LeasedWrite::Kind;
    const auto* present = current(write.key);
    const bool ours = present != nullptr && present->lease == lease;
    if (write.kind == Kind::Remove) {
        if (ours) set(write.key, nullptr, Uuid{});
        return {};
    }
    if (!write.object.name.empty() && current(write.object) == nullptr)
        return {LeasedOutcome::Kind::NoObject, {}};
    if (write.kind == Kind::PutIfFree && present != nullptr && !ours)
        return {LeasedOutcome::Kind::Held, present->lease};
    if (!ours || *present->value != write.value)
        set(write.key, std::make_shared<const std::string>(write.value), lease);
    return {};
}

void SharedMemory::attach(Client* client) {
    const std::lock_guard lock(clientsMutex_);
    clients_.push_back(client);
}

void SharedMemory::detach(Client* client) {
    const std::lock_guard lock(clientsMutex_);
    std::erase(clients_, client);
}

void SharedMemory::publish(std::vector<LocalWatches::Change> changes) {
    if (changes.empty()) return;
    const std::lock_guard lock(clientsMutex_);
    for (auto* client : clients_) client->onChanges(changes);
}

const SharedMemory::Version* SharedMemory::at(const History& history, Revision revision) {
    const auto later = std::upper_bound(history.begin(), history.end(), revision,
                                        [](Revision r, const Version& v) { return r < v.revision; });
    return later == history.begin() ? nullptr : &*std::prev(later);
}

Revision SharedMemory::versionAt(const Directory& directory, Revision revision) {
    const auto later =
        std::upper_bound(directory.versions.begin(), directory.versions.end(), revision);
    return later == directory.versions.begin() ? 0 : *std::prev(later);
}

const SharedMemory::Version* SharedMemory::current(const RecordKey& key) const {
    const auto directory = directories_.find(key.directory);
    if (directory == directories_.end()) return nullptr;
    const auto record = directory->second.records.find(key.name);
    if (record == directory->second.records.end()) return nullptr;
    const auto& newest = record->second.back();
    return newest.value ? &newest : nullptr;
}

Result<void> SharedMemory::check(const Batch& batch) const {
    using Expect = Batch::RecordCheck::Expect;
    for (const auto& check : batch.recordChecks) {
        const auto* now = current(check.key);
        const bool holds = check.expect == Expect::Absent    ? now == nullptr
                           : check.expect == Expect::Present ? now != nullptr
                                                             : now != nullptr && now->revision == check.version;
        if (!holds)
            return fail(ErrorCode::Stale, "{}/{} has changed", check.key.directory, check.key.name);
    }
    for (const auto& check : batch.directoryChecks) {
        const auto found = directories_.find(check.directory);
        const auto version = found == directories_.end() ? 0 : versionAt(found->second, revision_);
        if (version != check.version)
            return fail(ErrorCode::Stale, "the list {} has changed", check.directory);
    }
    for (const auto& write : batch.writes) TRY_VOID(checkKey(write.key));
    return {};
}

void SharedMemory::set(const RecordKey& key, Text value, const Uuid& lease) {
    const auto* present = current(key);
    if (present == nullptr && !value) return;
    if (isLogged(key.directory)) logged_.push_back({key, kindOf(present != nullptr, value != nullptr)});
    if (present != nullptr && !present->lease.isNil()) leases_[present->lease].erase(key);
    if (!lease.isNil()) leases_[lease].insert(key);

    auto& directory = directories_[key.directory];
    const bool membership = (present == nullptr) != (value == nullptr);
    const bool persistent = (present == nullptr ? lease : present->lease).isNil();
    if (membership && persistent) {
        if (directory.versions.empty() || directory.versions.back() != revision_)
            directory.versions.push_back(revision_);
    }
    auto& history = directory.records[key.name];
    if (!history.empty() && history.back().revision == revision_) history.pop_back();
    history.push_back({revision_, std::move(value), lease});
    withHistory_.push_back(key);
    changes_.push_back({revision_, key});
}

void SharedMemory::removeTree(const std::string& path) {
    removeDirectory(path);
    std::vector<std::string> below;
    const auto prefix = path + "/";
    for (auto it = directories_.lower_bound(prefix);
         it != directories_.end() && it->first.starts_with(prefix); ++it)
        below.push_back(it->first);
    for (const auto& directory : below) removeDirectory(directory);
}

void SharedMemory::removeDirectory(const std::string& path) {
    const auto found = directories_.find(path);
    if (found == directories_.end()) return;
    std::vector<std::string> names;
    for (const auto& [name, history] : found->second.records) names.push_back(name);
    for (const auto& name : names) set({path, name}, nullptr, Uuid{});
}

void SharedMemory::forgetHistory() {
    const auto keys = std::exchange(withHistory_, {});
    for (const auto& key : keys) forgetHistory(key);
}

/// Keeps what the oldest open snapshot and all later ones read.
void SharedMemory::forgetHistory(const RecordKey& key) {
    const auto directory = directories_.find(key.directory);
    if (directory == directories_.end()) return;
    const Revision oldest = openSnapshots_.empty() ? revision_ : *openSnapshots_.begin();
    const auto record = directory->second.records.find(key.name);
    if (record != directory->second.records.end()) {
        auto& history = record->second;
        while (history.size() > 1 && history[1].revision <= oldest) history.erase(history.begin());
        if (history.size() == 1 && !history[0].value && history[0].revision <= oldest)
            directory->second.records.erase(record);
        else if (history.size() > 1 || !history[0].value)
            withHistory_.push_back(key);
    }
    auto& versions = directory->second.versions;
    while (versions.size() > 1 && versions[1] <= oldest) versions.erase(versions.begin());
    if (directory->second.records.empty() && (versions.empty() || versions.back() <= oldest))
        directories_.erase(directory);
}

std::shared_ptr<SharedMemory> makeSharedMemory(std::size_t keptChanges) { return std::make_shared<SharedMemory>(keptChanges); }

bool expireSession(SharedMemory& shared, const Uuid& session) { return shared.endLease(session); }

}  // namespace midonet::nsdb
