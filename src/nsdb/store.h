#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "event/loop.h"

namespace google::protobuf {
class Descriptor;
class Message;
}  // namespace google::protobuf

namespace midonet::nsdb {

class Backend;

using Message = google::protobuf::Message;
using Class = const google::protobuf::Descriptor*;

/// Position in the store's one total order of changes. 0 = before everything.
using Revision = std::uint64_t;

/// A stored object and the revision of its last change.
template <class T>
struct Stored {
    std::shared_ptr<const T> object;
    Revision revision = 0;
};

/// Reads of one moment. Everything here belongs to one revision (embedded, memory); a backend that
/// cannot offer this (ZooKeeper) reads the newest each time, and transactions still
/// validate what they read. One thread; keep it short (embedded: an open read transaction).
class View {
public:
    virtual ~View() = default;
    virtual Revision revision() const = 0;

    /// NotFound names class and id.
    virtual Result<Stored<Message>> get(Class type, const Uuid& id) = 0;
    virtual Result<std::vector<Stored<Message>>> list(Class type) = 0;
    /// Of all objects of the class, ordered; cheaper than list() where objects are not far away.
    virtual Result<std::vector<Uuid>> ids(Class type) = 0;
    /// Ids of the objects of `type` whose reference field `field` names `target`, ordered.
    virtual Result<std::vector<Uuid>> referrers(Class type, std::string_view field, const Uuid& target) = 0;
    /// The object that holds `value` in its unique field, if any.
    virtual Result<std::optional<Uuid>> findUnique(Class type, std::string_view field, std::string_view value) = 0;
    /// Value of the state key `key` of an object ("alive", "state"); nullopt when nobody owns one.
    virtual Result<std::optional<std::string>> state(Class type, const Uuid& id, std::string_view key) = 0;
    /// The persistent entry of a state table, though a learned one may hide it from who follows the table; nullopt: none.
    virtual Result<std::optional<std::string>> persistent(std::string_view table, std::string_view key) = 0;
    /// Where each read costs a round trip, reads these at once: the next get() of each, or state(), answers from that.
    virtual Result<void> readAhead(Class type, const std::vector<Uuid>& ids) = 0;
    virtual Result<void> readStatesAhead(Class type, const std::vector<Uuid>& ids, std::string_view key) = 0;

    template <class T>
    Result<Stored<T>> get(const Uuid& id) {
        TRY(found, get(T::descriptor(), id));
        return Stored<T>{std::static_pointer_cast<const T>(found.object), found.revision};
    }
    template <class T>
    Result<std::vector<Stored<T>>> list() {
        TRY(found, list(T::descriptor()));
        std::vector<Stored<T>> out;
        out.reserve(found.size());
        for (auto& f : found) out.push_back({std::static_pointer_cast<const T>(f.object), f.revision});
        return out;
    }
    template <class T>
    Result<std::vector<Uuid>> referrers(std::string_view field, const Uuid& target) {
        return referrers(T::descriptor(), field, target);
    }
    /// The state message, or nullopt.
    template <class S>
    Result<std::optional<S>> state(Class type, const Uuid& id, std::string_view key) {
        TRY(bytes, state(type, id, key));
        if (!bytes) return std::optional<S>{};
        S message;
        if (!message.ParseFromString(*bytes))
            return fail(ErrorCode::Malformed, "state {} of {} cannot be decoded", key, id);
        return std::optional<S>{std::move(message)};
    }
};

/// Reads at one revision, then all writes or none. Everything read is validated at commit: if any
/// of it changed, the whole function runs again (Store::transact). Integrity is kept here:
/// references must name existing objects, unique fields are claimed, deletion cascades, clears or
/// is refused as the schema says, table directories of deleted objects go with them.
class Transaction : public View {
public:
    /// AlreadyExists when the id or a unique value is taken; NotFound when a reference names nothing;
    /// Conflict when an exclusive reference is taken.
    virtual Result<void> create(const Message& object) = 0;
    /// Replaces; NotFound when absent; else as create().
    virtual Result<void> update(const Message& object) = 0;
    /// NotFound when absent; Conflict when a reference with ERROR holds it.
    virtual Result<void> remove(Class type, const Uuid& id) = 0;
    /// Writes or removes a persistent entry of a state table (below what is learned).
    virtual Result<void> putPersistent(std::string_view table, std::string_view key, std::string_view value) = 0;
    virtual Result<void> removePersistent(std::string_view table, std::string_view key) = 0;
    /// Next value of a named counter, starting at 1; unique for ever, gaps are possible.
    virtual Result<std::uint64_t> next(std::string_view counter) = 0;
};

/// What a transaction did to an object.
struct ObjectChange {
    enum class Kind : std::uint8_t { Created, Updated, Deleted };
    Class type = nullptr;
    Uuid id;
    Kind kind = Kind::Updated;
    friend bool operator==(const ObjectChange&, const ObjectChange&) = default;
};

/// A part of the feed of changes: each transaction that changed objects, in order. State and tables are not in it.
struct ChangesPart {
    struct Entry {
        Revision revision = 0;
        std::vector<ObjectChange> changes;
    };
    std::vector<Entry> entries;
    Revision through = 0;  ///< All up to here is in `entries`, or was before: where to go on.
    bool more = false;     ///< Ask again at once.
};

/// One entry of a state table as readers see it: the winner of its key.
struct TableEntry {
    std::string key;
    std::string value;
    Revision version = 0;
    bool persistent = false;  ///< No learned entry exists for the key.
    Uuid owner;               ///< Session that learned it; nil when persistent.
};

/// Changes of a state table since the last delivery: newest value per key, coalesced.
struct TableChange {
    std::vector<TableEntry> updated;
    std::vector<std::string> removed;
};

/// This process' lease on the store: entries it owns live as long as the session. A session that is
/// lost (the process was frozen, the store was away for longer than the lease) re-creates itself
/// and re-asserts everything it owned; `onRestored` tells. Control loop of its maker; writes are
/// queued, coalesced per key, retried while the store is unavailable, and never block.
class Session {
public:
    virtual ~Session() = default;
    virtual const Uuid& id() const = 0;
    /// False while the store cannot be reached or the lease is lost.
    virtual bool connected() const = 0;
    virtual void onConnectionChange(std::function<void(bool connected)> callback) = 0;

    /// State key of an object, owned by this session. Newest writer wins. The object must exist, and
    /// its state goes with it; without it nothing is written.
    virtual void putState(Class type, const Uuid& id, std::string_view key, std::string value) = 0;
    virtual void removeState(Class type, const Uuid& id, std::string_view key) = 0;
    /// Takes the key only if nobody else's live session owns it; the answer comes on the loop:
    /// Conflict when it is held (by whom: in the message), NotFound when there is no such object. Re-taken
    /// after a lost lease in the same way, and answered again.
    virtual void claimState(Class type, const Uuid& id, std::string_view key, std::string value,
                            std::function<void(Result<void>)> answer) = 0;
    /// Learned entry of a state table. An equal entry already owned is not written again; an older
    /// learned entry of another owner loses. A table of an object needs the object, as state does.
    virtual void learn(std::string_view table, std::string_view key, std::string value) = 0;
    /// Removes the learned entry only if it is this session's own.
    virtual void forget(std::string_view table, std::string_view key) = 0;
    /// Calls back on the loop when everything queued so far is in the store.
    virtual void flush(std::function<void()> done) = 0;
};

struct SessionOptions {
    /// How long owned entries outlive a process that is frozen or cut off. (One that dies loses them at once where the backend can tell.)
    event::Duration ttl{};
    /// Where the backend cannot tell (ZooKeeper): a file that names the session, so that the next process of this machine that
    /// opens one with the same file ends what a killed one left. Made when absent; empty: what is left stays for `ttl`.
    std::string file = {};
};

/// The Network State Database. Objects are the protobuf messages of schema/topology.proto; see
/// docs/design/nsdb.md. One Store per process and backend.
///
/// Threads: view() and transact() on any thread; they may block (embedded: a disk flush) unless
/// readsBlock() is false, in which case view() may be used on a loop. Watches and sessions
/// belong to the loop they are made on: callbacks run there, handles are destroyed there.
///
/// Watches: the callback comes once with the present value, then after each change with the newest
/// (several changes may be one call); nothing is lost across reconnects and log compaction.
class Store {
public:
    virtual ~Store() = default;

    virtual bool readsBlock() const = 0;
    virtual Result<std::unique_ptr<View>> view() = 0;
    /// Runs `body` and commits; again from the start (bounded, with jittered pauses) when what it
    /// read changed meanwhile. An error of `body` aborts with that error, nothing written.
    /// Unavailable when the store cannot be reached, Exhausted when the disk is full.
    virtual Result<Revision> transact(const std::function<Result<void>(Transaction&)>& body) = 0;

    /// What has changed since that revision, each change once; nullopt: nothing, only the revision from which on to read. Stale when
    /// that is not known any more: then everything is read anew, after asking where to begin.
    virtual Result<ChangesPart> changesSince(std::optional<Revision> since) = 0;
    /// Calls back now and when there may be more.
    [[nodiscard]] virtual event::HandlePtr watchChanges(event::Loop& loop, event::Callback callback) = 0;

    /// nullptr = absent (deleted, or not yet created).
    using ObjectCallback = std::function<void(std::shared_ptr<const Message>)>;
    [[nodiscard]] virtual event::HandlePtr watchObject(event::Loop& loop, Class type, const Uuid& id, ObjectCallback callback) = 0;
    using IndexCallback = std::function<void(std::vector<Uuid>)>;
    [[nodiscard]] virtual event::HandlePtr watchReferrers(event::Loop& loop, Class type, std::string_view field,
                                                          const Uuid& target, IndexCallback callback) = 0;
    /// nullopt = nobody owns one.
    using StateCallback = std::function<void(std::optional<std::string>)>;
    [[nodiscard]] virtual event::HandlePtr watchState(event::Loop& loop, Class type, const Uuid& id,
                                                      std::string_view key, StateCallback callback) = 0;
    /// The first delivery holds the whole table.
    using TableCallback = std::function<void(const TableChange&)>;
    [[nodiscard]] virtual event::HandlePtr watchTable(event::Loop& loop, std::string_view table, TableCallback callback) = 0;
    /// Winners of a table, now.
    virtual Result<std::vector<TableEntry>> readTable(std::string_view table) = 0;
    /// Names of the tables directly below `prefix` that hold entries, without the prefix: of
    /// macTablesOf(bridge) the VLANs. Ordered.
    virtual Result<std::vector<std::string>> listTables(std::string_view prefix) = 0;

    virtual std::unique_ptr<Session> openSession(event::Loop& loop, const SessionOptions& options) = 0;
    std::unique_ptr<Session> openSession(event::Loop& loop, event::Duration ttl) { return openSession(loop, SessionOptions{ttl}); }

    /// How many object, index, state and table watches this process holds; for metrics and tests.
    virtual std::size_t watchCount() const = 0;
    /// Leadership of `name` among sessions: calls back with true when it is this session's, false
    /// when it is lost. Destroying the handle resigns; it ends before its session.
    [[nodiscard]] virtual event::HandlePtr elect(Session& session, std::string_view name, std::function<void(bool leader)> callback) = 0;
};

/// Name of the MAC table of a bridge: `Bridge/<id>/mac_table/<vlan>`; key = MAC, value = port id,
/// both as text. Tables of an object begin with `<Class>/<id>/` and go with it.
std::string macTableName(const Uuid& bridge, std::uint16_t vlan);
/// What all of them begin with.
std::string macTablesOf(const Uuid& bridge);
/// `Router/<id>/arp_table`; key = IPv4 address, value = "mac;expiry;stale;lastArp", times in ms since 1970.
std::string routerArpTableName(const Uuid& router);
/// `Bridge/<id>/ip4_mac_map`; key = IPv4 address, value = MAC: what the bridge answers ARP requests with.
std::string bridgeArpTableName(const Uuid& bridge);
/// `Port/<id>/peering_table`; key = MAC, value = IPv4 address of the VTEP it is behind. Of router ports of L2 gateways.
std::string peeringTableName(const Uuid& port);

struct EmbeddedOptions {
    std::string path;                            ///< Folder; made when absent.
    std::size_t mapSize = std::size_t{4} << 30;  ///< Address space, grown when full.
    std::size_t keptRevisions = 200'000;         ///< Change log; older watchers, and readers of changes, read anew.
};
/// LMDB in a folder, shared by several processes. Errors name the fix: no permission, not a store,
/// written by a newer version, disk full.
Result<std::unique_ptr<Store>> openEmbedded(const EmbeddedOptions& options);

struct ZookeeperOptions {
    std::string hosts;              ///< "a:2181,b:2181,c:2181"
    std::string root = "/midonet";  ///< Path of all that is stored; made when absent, unless `create` is false (then NotFound).
    std::string user = {}, password = {};  ///< Digest authentication; what is made belongs to this user alone. Empty: to all.
    bool create = true;
    event::Duration connectPatience = std::chrono::seconds(10);  ///< At opening.
    event::Duration patience = std::chrono::seconds(5);          ///< How long calls wait for a lost connection.
    std::size_t keptChanges = 4096;  ///< Transactions in the log of changes, about; readers that are further behind read anew.
};
/// An ensemble of ZooKeeper servers. Errors name the setting to mend: no server answers, not a store, written by a
/// newer version, other credentials. Blocks.
Result<std::unique_ptr<Store>> openZookeeper(const ZookeeperOptions& options);

/// Everything in this process' memory. `Shared` lets several Stores see the same data, as several
/// processes would; for tests and cluster simulation.
class SharedMemory;
/// `keptChanges`: transactions in the log of changes.
std::shared_ptr<SharedMemory> makeSharedMemory(std::size_t keptChanges = 10'000);
std::unique_ptr<Store> openMemory(std::shared_ptr<SharedMemory> shared = makeSharedMemory());

}  // namespace midonet::nsdb
