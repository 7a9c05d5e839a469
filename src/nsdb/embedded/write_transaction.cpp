#include "nsdb/embedded/write_transaction.h"

#include <utility>

namespace midonet::nsdb::embedded {
namespace {

/// Removed at most per job: enough to shrink a log that was kept longer before.
constexpr int kCompactedPerJob = 4;

}  // namespace

WriteTransaction::WriteTransaction(MDB_txn* txn, const Databases& databases,
                                   std::size_t keptRevisions)
    : txn_(txn),
      databases_(databases),
      keptRevisions_(keptRevisions),
      firstRevision_(readRevision(txn, databases)),
      revision_(firstRevision_) {}

bool WriteTransaction::ok(int code) {
    if (code != 0 && failure_ == 0) failure_ = code;
    return code == 0;
}

Revision WriteTransaction::finishJob() {
    if (changes_.empty()) return revision_;
    ++revision_;
    const NumberText number(revision_);
    auto name = toVal("revision");
    auto key = toVal(number.view());
    ok(mdb_put(txn_, databases_.meta, &name, &key, 0));
    const auto log = encodeChanges(std::exchange(changes_, {}));
    auto value = toVal(log);
    ok(mdb_put(txn_, databases_.log, &key, &value, MDB_APPEND));
    compactLog();
    return revision_;
}

void WriteTransaction::compactLog() {
    Cursor cursor(txn_, databases_.log);
    MDB_val key{};
    MDB_val value{};
    for (int i = 0; i < kCompactedPerJob; ++i) {
        if (cursor.get(key, value, MDB_FIRST) != 0) return;
        if (loadNumber(toText(key)) + keptRevisions_ > revision_) return;
        if (!ok(cursor.erase())) return;
    }
}

Result<void> WriteTransaction::check(const Batch& batch) {
    using Expect = Batch::RecordCheck::Expect;
    for (const auto& check : batch.recordChecks) {
        const auto now = current(check.key);
        const bool holds = check.expect == Expect::Absent    ? !now
                           : check.expect == Expect::Present ? now.has_value()
                                                             : now && now->version == check.version;
        if (!holds)
            return fail(ErrorCode::Stale, "{}/{} has changed", check.key.directory, check.key.name);
    }
    for (const auto& check : batch.directoryChecks)
        if (readDirectoryVersion(txn_, databases_, check.directory) != check.version)
            return fail(ErrorCode::Stale, "the list {} has changed", check.directory);
    for (const auto& write : batch.writes) TRY_VOID(checkKey(write.key));
    return {};
}

void WriteTransaction::apply(const Batch& batch) {
    for (const auto& tree : batch.removedTrees) removeTree(tree);
    for (const auto& write : batch.writes) set(write.key, write.value, Uuid{});
}

std::optional<Record> WriteTransaction::current(const RecordKey& key) {
    const auto record = readRecord(txn_, databases_, key.directory, key.name);
    if (record) return *record;
    ok(MDB_CORRUPTED);
    return std::nullopt;
}

void WriteTransaction::set(const RecordKey& key, const std::optional<std::string>& value,
                           const Uuid& lease) {
    const auto present = current(key);
    if (!present && !value) return;
    const bool membership = present.has_value() != value.has_value();
    const auto owner = present ? present->lease : Uuid{};
    const bool persistent = (present ? owner : lease).isNil();

    const auto text = recordKeyText(key.directory, key.name);
    auto k = toVal(text);
    if (value) {
        const auto bytes = encodeRecord(jobRevision(), lease, *value);
        auto v = toVal(bytes);
        if (!ok(mdb_put(txn_, databases_.records, &k, &v, 0))) return;
    } else if (!ok(mdb_del(txn_, databases_.records, &k, nullptr))) {
        return;
    }
    changeOwner(key, owner, value ? lease : Uuid{});
    if (membership && persistent) touchDirectory(key.directory);
    changes_.push_back({key, isLogged(key.directory) ? kindOf(present.has_value(), value.has_value()) : RecordChange::Kind::Updated});
}

void WriteTransaction::changeOwner(const RecordKey& key, const Uuid& before, const Uuid& after) {
    if (before == after) return;
    const auto text = recordKeyText(key.directory, key.name);
    if (!before.isNil()) {
        const auto owned = before.toBytes() + text;
        auto k = toVal(owned);
        const int code = mdb_del(txn_, databases_.owned, &k, nullptr);
        if (code != MDB_NOTFOUND) ok(code);
    }
    if (!after.isNil()) {
        const auto owned = after.toBytes() + text;
        auto k = toVal(owned);
        auto v = toVal("");
        ok(mdb_put(txn_, databases_.owned, &k, &v, 0));
    }
}

void WriteTransaction::touchDirectory(std::string_view directory) {
    const NumberText version(jobRevision());
    auto key = toVal(directory);
    auto value = toVal(version.view());
    ok(mdb_put(txn_, databases_.directories, &key, &value, 0));
}

void WriteTransaction::removeTree(const std::string& path) {
    // "path NUL ..." is the directory itself, "path/..." all below.
    removeRange(path + '\0', path + '\1');
    removeRange(path + '/', path + static_cast<char>('/' + 1));
}

void WriteTransaction::removeRange(const std::string& from, const std::string& to) {
    std::vector<RecordKey> doomed;
    {
        Cursor cursor(txn_, databases_.records);
        auto key = toVal(from);
        MDB_val value{};
        for (int code = cursor.get(key, value, MDB_SET_RANGE); code == 0 && toText(key) < to;
             code = cursor.get(key, value, MDB_NEXT)) {
            const auto text = toText(key);
            const auto nul = text.find('\0');
            doomed.push_back({std::string(text.substr(0, nul)), std::string(text.substr(nul + 1))});
        }
    }
    for (const auto& key : doomed) set(key, std::nullopt, Uuid{});
}

bool WriteTransaction::hasLease(const Uuid& id) const { return lease(id).has_value(); }

void WriteTransaction::openLease(const LeaseRecord& lease) {
    const auto id = lease.id.toBytes();
    const auto bytes = encodeLease(lease);
    auto key = toVal(id);
    auto value = toVal(bytes);
    ok(mdb_put(txn_, databases_.leases, &key, &value, 0));
    changes_.push_back({{std::string(kLeaseDirectory), lease.id.toString()}});
}

void WriteTransaction::endLease(const Uuid& id) {
    const auto bytes = id.toBytes();
    std::vector<RecordKey> doomed;
    {
        Cursor cursor(txn_, databases_.owned);
        auto key = toVal(bytes);
        MDB_val value{};
        for (int code = cursor.get(key, value, MDB_SET_RANGE);
             code == 0 && toText(key).starts_with(bytes); code = cursor.get(key, value, MDB_NEXT)) {
            const auto text = toText(key).substr(bytes.size());
            const auto nul = text.find('\0');
            doomed.push_back({std::string(text.substr(0, nul)), std::string(text.substr(nul + 1))});
        }
    }
    for (const auto& key : doomed) set(key, std::nullopt, Uuid{});
    auto key = toVal(bytes);
    const int code = mdb_del(txn_, databases_.leases, &key, nullptr);
    if (code == MDB_NOTFOUND) return;
    ok(code);
    changes_.push_back({{std::string(kLeaseDirectory), id.toString()}});
}

LeasedOutcome WriteTransaction::applyLeased(const Uuid& lease, const LeasedWrite& write,
                                            const std::function<bool(const LeaseRecord&)>& isDead) {
    using Kind = LeasedWrite::Kind;
    auto present = current(write.key);
    if (write.kind == Kind::Remove) {
        if (present && present->lease == lease) set(write.key, std::nullopt, Uuid{});
        return {};
    }
    if (!write.object.name.empty() && !current(write.object))
        return {LeasedOutcome::Kind::NoObject, {}};
    if (write.kind == Kind::PutIfFree && present && present->lease != lease) {
        const auto holder = readLease(txn_, databases_, present->lease);
        if (holder && !isDead(*holder)) return {LeasedOutcome::Kind::Held, holder->id};
        if (holder) endLease(holder->id);
        present.reset();
    }
    if (!present || present->lease != lease || present->value != write.value)
        set(write.key, write.value, lease);
    return {};
}

}  // namespace midonet::nsdb::embedded
