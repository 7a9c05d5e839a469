#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "event/loop.h"
#include "nsdb/store.h"

namespace midonet::nsdb {

/// A record as it is in the store. The texts are valid until the next call on the snapshot, or
/// during the callback.
struct Record {
    std::string_view name;
    std::string_view value;
    Revision version = 0;  ///< Revision of its last change.
    Uuid lease;            ///< Who owns it; nil: nobody, it is persistent.
};

/// Where a record is. Directories are paths ("o/Port"); names hold no '/' and no NUL. Together at
/// most kMaxKeyLength bytes.
struct RecordKey {
    std::string directory;
    std::string name;
    friend auto operator<=>(const RecordKey&, const RecordKey&) = default;
};
inline constexpr std::size_t kMaxKeyLength = 480;

/// Invalid when it is too long; the backends check the writes of batches, who queues leased writes
/// checks them.
inline Result<void> checkKey(const RecordKey& key) {
    if (key.directory.size() + key.name.size() < kMaxKeyLength) return {};
    return fail(ErrorCode::Invalid, "'{}' is too long for a key in {}", key.name, key.directory);
}

/// Reads of one moment, where the backend can. One thread.
class Snapshot {
public:
    virtual ~Snapshot() = default;
    virtual Revision revision() const = 0;
    virtual Result<std::optional<Record>> get(std::string_view directory, std::string_view name) = 0;
    /// Visits the records ordered by name. Gives the directory's version: it changes when a
    /// persistent record is added or removed, and is 0 before the first one.
    virtual Result<Revision> list(std::string_view directory,
                                  const std::function<void(const Record&)>& visit) = 0;
    /// The same of the records whose names begin so; the others are not read where each read costs a round trip.
    virtual Result<Revision> listBeginning(std::string_view directory, std::string_view begin,
                                           const std::function<void(const Record&)>& visit) {
        return list(directory, [&](const Record& record) {
            if (record.name.starts_with(begin)) visit(record);
        });
    }
    /// Reads these at once, where each read costs a round trip: the next get() of each answers from that.
    virtual Result<void> readAhead(const std::vector<RecordKey>&) { return {}; }
    /// Visits the names of the directories directly below `parent` that hold records, themselves or
    /// below; each once, ordered. Transactions do not validate it.
    virtual Result<void> listDirectories(std::string_view parent,
                                         const std::function<void(std::string_view name)>& visit) = 0;
    /// The leases there are, where they are kept apart from what they own, so that a record may name one that is none;
    /// nullopt where that cannot be. For checking a store.
    virtual Result<std::optional<std::vector<Uuid>>> leases() { return std::optional<std::vector<Uuid>>{}; }
};

/// Checks, then writes: all or nothing.
struct Batch {
    struct RecordCheck {
        enum class Expect : std::uint8_t { Absent, Present, Version };
        RecordKey key;
        Expect expect = Expect::Version;
        Revision version = 0;
    };
    struct DirectoryCheck {
        std::string directory;
        Revision version = 0;
    };
    struct Write {
        RecordKey key;
        std::optional<std::string> value;  ///< nullopt: remove, when there.
    };
    std::vector<RecordCheck> recordChecks;
    std::vector<DirectoryCheck> directoryChecks;
    std::vector<std::string> removedTrees;  ///< Directories that go with all below, before `writes`.
    std::vector<Write> writes;
};

/// One record under a lease; each stands for itself.
struct LeasedWrite {
    enum class Kind : std::uint8_t {
        Put,        ///< Takes the record from whoever has it. Already ours and equal: nothing.
        PutIfFree,  ///< Unless another lease has it.
        Remove,     ///< If it is ours.
    };
    Kind kind = Kind::Put;
    RecordKey key;
    std::string value;
    /// Must be there (the object it is state of), else nothing is written; empty name: nothing must.
    RecordKey object;
};
struct LeasedOutcome {
    enum class Kind : std::uint8_t { Done, Held, NoObject };
    Kind kind = Kind::Done;
    Uuid holder;  ///< When Held.
};

/// What a commit did to a record of the log: an object.
struct RecordChange {
    enum class Kind : std::uint8_t { Created, Updated, Removed };
    RecordKey key;
    Kind kind = Kind::Updated;
    friend bool operator==(const RecordChange&, const RecordChange&) = default;
};

/// A part of the log of changes: each commit that changed objects, in order.
struct LogPart {
    struct Entry {
        Revision revision = 0;
        std::vector<RecordChange> changes;
    };
    std::vector<Entry> entries;
    Revision through = 0;  ///< All up to here is in `entries`, or was before.
    bool more = false;     ///< The log goes on.
};

/// The directory that is watched to learn that the log goes on.
inline constexpr std::string_view kLogDirectory = "l";

struct LeaseState {
    bool connected = false;
    /// The lease is new: nothing written under it before exists any more.
    bool fresh = false;
};

/// A lease of this process, kept alive and opened again when lost. Its maker's loop; callbacks come
/// there. Destroying it gives the lease back: its records go.
class Lease {
public:
    virtual ~Lease() = default;
    /// One outcome for each write. Fails as a whole when the store cannot be reached, is full, or
    /// the lease was lost (Stale): nothing was written then. Not called after destruction.
    using Done = std::function<void(Result<std::vector<LeasedOutcome>>)>;
    virtual void submit(std::vector<LeasedWrite> writes, Done done) = 0;
};

/// What a directory watch delivers: records that changed, newest value of each.
struct DirectoryChange {
    struct Entry {
        std::string name;
        std::string value;
        Revision version = 0;
        Uuid lease;
    };
    bool reset = false;  ///< `updated` is the whole directory; forget what was known.
    std::vector<Entry> updated;
    std::vector<std::string> removed;
};

/// What the object layer needs from a database: ordered records in directories, batches with
/// read-set checks, watches, leases. Knows nothing of classes and references. Threads: as Store.
class Backend {
public:
    virtual ~Backend() = default;

    /// Reads ask others, so loops should not.
    virtual bool readsBlock() const = 0;
    /// Whether a snapshot reads one moment; else it reads the newest each time, and what a transaction concludes from its
    /// reads is to be believed only once they have been validated.
    virtual bool isolated() const = 0;
    virtual Result<std::unique_ptr<Snapshot>> snapshot() = 0;
    /// For what is believed only once a commit that writes has checked it: may be behind what others have acknowledged.
    virtual Result<std::unique_ptr<Snapshot>> snapshotToCheck() { return snapshot(); }
    /// Blocks until durable. Stale when a check failed.
    virtual Result<Revision> commit(Batch batch) = 0;

    /// What has changed since that revision, a part at a time; nullopt: nothing, only where the log ends now. Stale when the log does
    /// not reach back so far, or not up to it. Watch kLogDirectory to learn that there is more.
    virtual Result<LogPart> changesSince(std::optional<Revision> since) = 0;

    /// Called first with the present state, then after changes with the newest.
    using RecordCallback = std::function<void(const std::optional<Record>&)>;
    [[nodiscard]] virtual event::HandlePtr watchRecord(event::Loop& loop, RecordKey key,
                                                       RecordCallback callback) = 0;
    using DirectoryCallback = std::function<void(const DirectoryChange&)>;
    [[nodiscard]] virtual event::HandlePtr watchDirectory(event::Loop& loop, std::string directory,
                                                          DirectoryCallback callback) = 0;

    /// The same of a directory whose records say all by their names: values and versions may be left out.
    [[nodiscard]] virtual event::HandlePtr watchNames(event::Loop& loop, std::string directory, DirectoryCallback callback) {
        return watchDirectory(loop, std::move(directory), std::move(callback));
    }

    using LeaseCallback = std::function<void(LeaseState)>;
    /// `id` names the lease in Record::lease, also after it was lost and opened again.
    virtual std::unique_ptr<Lease> openLease(event::Loop& loop, const Uuid& id, const SessionOptions& options,
                                             LeaseCallback callback) = 0;
};

}  // namespace midonet::nsdb
