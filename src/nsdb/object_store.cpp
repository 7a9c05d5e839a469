#include "nsdb/object_store.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "nsdb/election.h"
#include "nsdb/object_reader.h"
#include "nsdb/object_session.h"
#include "nsdb/object_transaction.h"
#include "nsdb/table_merge.h"

namespace midonet::nsdb {
namespace {

constexpr Logger kLog{"nsdb"};
/// How long a transaction is tried again when others change what it reads.
constexpr auto kPatience = std::chrono::seconds(10);
constexpr int kLeastAttempts = 8;
/// Counters are taken from the store in blocks, so that two transactions that take a number each
/// do not collide.
constexpr std::uint64_t kCounterBlock = 16;

class ObjectView final : public View {
public:
    ObjectView(const model::Schema& schema, std::unique_ptr<Snapshot> snapshot)
        : snapshot_(std::move(snapshot)), reader_(schema, *snapshot_) {}

    Revision revision() const override { return snapshot_->revision(); }
    Result<Stored<Message>> get(Class type, const Uuid& id) override { return reader_.get(type, id); }
    Result<std::vector<Stored<Message>>> list(Class type) override { return reader_.list(type); }
    Result<std::vector<Uuid>> ids(Class type) override { return reader_.ids(type); }
    Result<std::vector<Uuid>> referrers(Class type, std::string_view field,
                                        const Uuid& target) override {
        return reader_.referrers(type, field, target);
    }
    Result<std::optional<Uuid>> findUnique(Class type, std::string_view field,
                                           std::string_view value) override {
        return reader_.findUnique(type, field, value);
    }
    Result<std::optional<std::string>> state(Class type, const Uuid& id,
                                             std::string_view key) override {
        return reader_.state(type, id, key);
    }
    Result<std::optional<std::string>> persistent(std::string_view table, std::string_view key) override { return reader_.persistent(table, key); }
    Result<void> readAhead(Class type, const std::vector<Uuid>& ids) override { return reader_.readAhead(type, ids); }
    Result<void> readStatesAhead(Class type, const std::vector<Uuid>& ids, std::string_view key) override {
        return reader_.readStatesAhead(type, ids, key);
    }

private:
    std::unique_ptr<Snapshot> snapshot_;
    ObjectReader reader_;
};

using WatchCount = std::shared_ptr<std::atomic<std::size_t>>;

class CountedHandle final : public event::Handle {
public:
    CountedHandle(event::HandlePtr inner, WatchCount count)
        : inner_(std::move(inner)), count_(std::move(count)) {
        ++*count_;
    }
    ~CountedHandle() override { --*count_; }

private:
    event::HandlePtr inner_;
    WatchCount count_;
};

/// Jittered pauses between the attempts of a transaction, up to a deadline; but always some attempts, as one may have taken long
/// for another reason than others: the store was away.
class Retries {
public:
    bool again() {
        if (attempt_ >= kLeastAttempts && std::chrono::steady_clock::now() > deadline_) return false;
        thread_local std::minstd_rand random{std::random_device{}()};
        std::this_thread::sleep_for(std::chrono::microseconds(
            std::uniform_int_distribution<int>(0, 100 << std::min(++attempt_, 6))(random)));
        return true;
    }

private:
    const std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::now() + kPatience;
    int attempt_ = 0;
};

/// nullopt of a class that only a newer program knows.
std::optional<ObjectChange> toObjectChange(const model::Schema& schema, const RecordChange& change) {
    using Kind = RecordChange::Kind;
    const auto* type = classOfDirectory(schema, change.key.directory);
    const auto id = Uuid::parse(change.key.name);
    if (type == nullptr || !id) return std::nullopt;
    switch (change.kind) {
        case Kind::Created: return ObjectChange{type->type, *id, ObjectChange::Kind::Created};
        case Kind::Updated: return ObjectChange{type->type, *id, ObjectChange::Kind::Updated};
        case Kind::Removed: return ObjectChange{type->type, *id, ObjectChange::Kind::Deleted};
    }
    MIDONET_UNREACHABLE();
}

/// What a transaction that writes nothing has to validate.
Batch checksOf(Batch batch) {
    batch.removedTrees.clear();
    batch.writes.clear();
    return batch;
}

Unexpected tooBusy() {
    return fail(ErrorCode::Stale, "others keep changing what this change reads; try again later");
}

class ObjectStore final : public Store {
public:
    ObjectStore(std::unique_ptr<Backend> backend, const model::Schema& schema)
        : schema_(schema), backend_(std::move(backend)) {}

    Backend& backend() { return *backend_; }

    bool readsBlock() const override { return backend_->readsBlock(); }
    Result<std::unique_ptr<View>> view() override {
        TRY(snapshot, backend_->snapshot());
        return std::make_unique<ObjectView>(schema_, std::move(snapshot));
    }
    Result<Revision> transact(const std::function<Result<void>(Transaction&)>& body) override;

    Result<ChangesPart> changesSince(std::optional<Revision> since) override;
    event::HandlePtr watchChanges(event::Loop& loop, event::Callback callback) override {
        return counted(backend_->watchNames(loop, std::string(kLogDirectory),
                                            [callback = std::move(callback)](const DirectoryChange&) { callback(); }));
    }
    event::HandlePtr watchObject(event::Loop& loop, Class type, const Uuid& id,
                                 ObjectCallback callback) override;
    event::HandlePtr watchReferrers(event::Loop& loop, Class type, std::string_view field,
                                    const Uuid& target, IndexCallback callback) override;
    event::HandlePtr watchState(event::Loop& loop, Class type, const Uuid& id, std::string_view key,
                                StateCallback callback) override;
    event::HandlePtr watchTable(event::Loop& loop, std::string_view table,
                                TableCallback callback) override;
    Result<std::vector<TableEntry>> readTable(std::string_view table) override {
        TRY(snapshot, backend_->snapshot());
        return readTableEntries(*snapshot, table);
    }
    Result<std::vector<std::string>> listTables(std::string_view prefix) override {
        TRY(snapshot, backend_->snapshot());
        std::vector<std::string> names;
        TRY_VOID(snapshot->listDirectories(tableDirectory(prefix),
                                           [&names](std::string_view name) { names.emplace_back(name); }));
        return names;
    }

    std::unique_ptr<Session> openSession(event::Loop& loop, const SessionOptions& options) override {
        return std::make_unique<ObjectSession>(schema_, *backend_, loop, options);
    }
    std::size_t watchCount() const override { return *watchCount_; }
    event::HandlePtr elect(Session& session, std::string_view name,
                           std::function<void(bool)> callback) override {
        auto* const own = dynamic_cast<ObjectSession*>(&session);
        MIDONET_ASSERT(own != nullptr, "the session was opened by this store");
        return std::make_unique<Election>(*backend_, *own, name, std::move(callback));
    }

private:
    struct Numbers {
        std::uint64_t next = 0;
        std::uint64_t end = 0;
    };

    /// Whether the end of a body that writes nothing needs no validation.
    bool believes(const Result<void>& done) const {
        return backend_->isolated() || (!done && done.error().code == ErrorCode::Unavailable);
    }
    Result<std::uint64_t> nextOf(std::string_view counter);
    Result<Numbers> takeNumbers(std::string_view counter);
    event::HandlePtr counted(event::HandlePtr watch) {
        return std::make_unique<CountedHandle>(std::move(watch), watchCount_);
    }

    const model::Schema& schema_;
    std::unique_ptr<Backend> backend_;
    WatchCount watchCount_ = std::make_shared<std::atomic<std::size_t>>(0);
    std::mutex numbersMutex_;
    std::map<std::string, Numbers, std::less<>> numbers_;  // guarded by numbersMutex_
};

Result<Revision> ObjectStore::transact(const std::function<Result<void>(Transaction&)>& body) {
    using Presence = TrackingSnapshot::Presence;
    Retries retries;
    // Where each read costs a round trip the first attempt hopes for the best: the commit checks that all the same.
    bool hasty = !backend_->isolated();
    do {
        TRY(snapshot, hasty ? backend_->snapshotToCheck() : backend_->snapshot());
        ObjectTransaction transaction(schema_, *snapshot, hasty ? Presence::Presume : Presence::Read,
                                      [this](std::string_view counter) { return nextOf(counter); });
        const auto done = body(transaction);
        const bool writes = done && transaction.records().hasWrites();
        if (std::exchange(hasty, false) && !writes && transaction.records().hasReads()) continue;
        if (!writes && believes(done)) return done ? Result<Revision>(snapshot->revision()) : Unexpected{done.error()};
        auto batch = transaction.records().takeBatch();
        if (!writes) batch = checksOf(std::move(batch));
        snapshot.reset();
        auto committed = backend_->commit(std::move(batch));
        if (!committed && committed.error().code == ErrorCode::Stale) continue;
        if (!done) return Unexpected{done.error()};
        return committed;
    } while (retries.again());
    return tooBusy();
}

Result<std::uint64_t> ObjectStore::nextOf(std::string_view counter) {
    const std::lock_guard lock(numbersMutex_);
    auto& numbers = numbers_.try_emplace(std::string(counter)).first->second;
    if (numbers.next == numbers.end) {
        TRY(taken, takeNumbers(counter));
        numbers = taken;
    }
    return numbers.next++;
}

Result<ObjectStore::Numbers> ObjectStore::takeNumbers(std::string_view counter) {
    const auto key = counterKey(counter);
    Retries retries;
    do {
        TRY(snapshot, backend_->snapshot());
        TRY(record, snapshot->get(key.directory, key.name));
        Numbers numbers{1, 1};
        Batch batch;
        if (record) {
            numbers.next = std::stoull(std::string(record->value));
            batch.recordChecks.push_back(
                {key, Batch::RecordCheck::Expect::Version, record->version});
        } else {
            batch.recordChecks.push_back({key, Batch::RecordCheck::Expect::Absent, 0});
        }
        numbers.end = numbers.next + kCounterBlock;
        batch.writes.push_back({key, std::to_string(numbers.end)});
        snapshot.reset();
        const auto committed = backend_->commit(std::move(batch));
        if (committed) return numbers;
        if (committed.error().code != ErrorCode::Stale) return Unexpected{committed.error()};
    } while (retries.again());
    return tooBusy();
}

Result<ChangesPart> ObjectStore::changesSince(std::optional<Revision> since) {
    TRY(part, backend_->changesSince(since));
    ChangesPart out{{}, part.through, part.more};
    for (const auto& entry : part.entries) {
        out.entries.push_back({entry.revision, {}});
        for (const auto& change : entry.changes)
            if (const auto object = toObjectChange(schema_, change)) out.entries.back().changes.push_back(*object);
    }
    return out;
}

event::HandlePtr ObjectStore::watchObject(event::Loop& loop, Class type, const Uuid& id,
                                          ObjectCallback callback) {
    const auto& schema = schema_.of(type);
    return counted(backend_->watchRecord(
        loop, objectKey(schema, id),
        [&schema, callback = std::move(callback)](const std::optional<Record>& record) {
            if (!record) return callback(nullptr);
            auto object = decodeObject(schema, record->value);
            if (!object) return kLog.error("watched object skipped", {kv("reason", object.error())});
            callback(std::move(*object));
        }));
}

event::HandlePtr ObjectStore::watchReferrers(event::Loop& loop, Class type, std::string_view field,
                                             const Uuid& target, IndexCallback callback) {
    const auto& holder = schema_.of(type);
    const auto* reference = holder.reference(field);
    MIDONET_ASSERT(reference != nullptr, "the field is a reference in the schema");
    return counted(backend_->watchNames(
        loop, indexDirectory(schema_.of(reference->rules.target), target, holder, *reference),
        [known = std::vector<Uuid>{}, isKnown = false, callback = std::move(callback)](const DirectoryChange& change) mutable {
            auto now = change.reset ? std::set<Uuid>{} : std::set<Uuid>(known.begin(), known.end());
            for (const auto& entry : change.updated)
                if (const auto id = Uuid::parse(entry.name)) now.insert(*id);
            for (const auto& name : change.removed)
                if (const auto id = Uuid::parse(name)) now.erase(*id);
            if (isKnown && std::equal(known.begin(), known.end(), now.begin(), now.end())) return;
            known.assign(now.begin(), now.end());
            isKnown = true;
            callback(known);
        }));
}

event::HandlePtr ObjectStore::watchState(event::Loop& loop, Class type, const Uuid& id,
                                         std::string_view key, StateCallback callback) {
    return counted(backend_->watchRecord(
        loop, {stateDirectory(schema_.of(type), id), encodeName(key)},
        [callback = std::move(callback)](const std::optional<Record>& record) {
            if (!record) return callback(std::nullopt);
            callback(std::string(record->value));
        }));
}

event::HandlePtr ObjectStore::watchTable(event::Loop& loop, std::string_view table,
                                         TableCallback callback) {
    struct Known {
        TableMerge merge;
        bool delivered = false;
    };
    return counted(backend_->watchDirectory(
        loop, tableDirectory(table),
        [known = std::make_shared<Known>(),
         callback = std::move(callback)](const DirectoryChange& change) {
            const auto out = known->merge.apply(change);
            if (known->delivered && out.updated.empty() && out.removed.empty()) return;
            known->delivered = true;
            callback(out);
        }));
}

}  // namespace

std::unique_ptr<Store> makeObjectStore(std::unique_ptr<Backend> backend,
                                       const model::Schema& schema) {
    return std::make_unique<ObjectStore>(std::move(backend), schema);
}

Backend& backendOf(Store& store) {
    auto* const objects = dynamic_cast<ObjectStore*>(&store);
    MIDONET_ASSERT(objects != nullptr, "the store was made by makeObjectStore()");
    return objects->backend();
}

}  // namespace midonet::nsdb
