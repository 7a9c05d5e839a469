#include "nsdb/zookeeper/zookeeper_backend.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "event/blocking_pool.h"
#include "nsdb/change_log.h"
#include "nsdb/object_store.h"
#include "nsdb/zookeeper/batch_writer.h"
#include "nsdb/zookeeper/held_lease.h"
#include "nsdb/zookeeper/lease_writer.h"
#include "nsdb/zookeeper/log.h"
#include "nsdb/zookeeper/mirror.h"
#include "nsdb/zookeeper/setup.h"
#include "nsdb/zookeeper/snapshot.h"

namespace midonet::nsdb::zookeeper {
namespace {

using namespace std::chrono_literals;

/// Of the session that reads and commits: it owns nothing, so its end costs only that watches are set again.
constexpr event::Duration kDataTimeout = 10s;
constexpr std::size_t kQueuedWork = 1000;

/// Tells the mirror what the data session sees.
class MirrorFeed final : public zk::Session::Listener {
public:
    MirrorFeed(Client& client, std::shared_ptr<Mirror> mirror) : client_(client), mirror_(std::move(mirror)) {}
    void onConnected(bool) override {
        client_.setConnected(true);
        mirror_->onConnected();
    }
    void onDisconnected() override { client_.setConnected(false); }
    void onWatch(const std::string& path) override { mirror_->onWatch(path); }

private:
    Client& client_;  // whose listener this is
    std::shared_ptr<Mirror> mirror_;
};

/// All of one store: the thread of its sessions, and those for what blocks. Shared by the backend and its leases.
class Core {
public:
    Core(const ZookeeperOptions& options, std::vector<zk::Host> hosts)
        : options_(options),
          hosts_(std::move(hosts)),
          paths_(options.root),
          data_(makeClient(kDataTimeout)),
          mirror_(std::make_shared<Mirror>(data_, paths_)),
          log_(*data_, paths_, options.keptChanges) {
        data_->open(std::make_shared<MirrorFeed>(*data_, mirror_));
        thread_ = std::thread([this] { loop_->run(); });
    }
    ~Core() {
        data_->close();
        writers_.reset();  // while the loop still answers
        loop_->stop();
        thread_.join();
    }
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    Result<void> start() {
        TRY_VOID(setUp(*data_, paths_, options_));
        writers_->submit([data = data_] { data->removeStrays(); });
        return {};
    }
    std::shared_ptr<Client> makeClient(event::Duration timeout, std::optional<zk::SessionKey> predecessor = {}) {
        zk::Session::Options options{hosts_, timeout, options_.patience, options_.user, options_.password, std::move(predecessor)};
        return std::make_shared<Client>(*loop_, resolvers_, std::move(options), paths_.markers());
    }
    const std::shared_ptr<Client>& data() const { return data_; }
    Log& log() { return log_; }
    /// What objects have changed; the log may have become too long by it.
    void onLogged() {
        if (log_.isTrimDue()) writers_->submit([this] { log_.trim(); });
    }
    const std::shared_ptr<Mirror>& mirror() const { return mirror_; }
    const Paths& paths() const { return paths_; }
    event::BlockingPool& writers() { return *writers_; }

private:
    const ZookeeperOptions options_;
    const std::vector<zk::Host> hosts_;
    const Paths paths_;
    const std::unique_ptr<event::Loop> loop_ = event::Loop::create("nsdb-zookeeper");
    event::BlockingPool resolvers_{1, kQueuedWork};
    const std::shared_ptr<Client> data_;
    const std::shared_ptr<Mirror> mirror_;
    Log log_;
    std::thread thread_;
    std::unique_ptr<event::BlockingPool> writers_ = std::make_unique<event::BlockingPool>(1, kQueuedWork);  // of leases
};

class ZookeeperLease final : public Lease {
public:
    ZookeeperLease(std::shared_ptr<Core> core, std::shared_ptr<HeldLease> lease)
        : core_(std::move(core)), lease_(std::move(lease)) {}
    ~ZookeeperLease() override { lease_->release(); }

    void submit(std::vector<LeasedWrite> writes, Done done) override {
        const auto session = lease_->toldSession();
        const bool queued =
            core_->writers().submit([paths = &core_->paths(), lease = lease_, session, done, writes = std::move(writes)] {
                auto result = LeaseWriter(lease->client(), *paths, lease->id(), session).apply(writes);
                lease->post([done, result = std::move(result)] { done(result); });
            });
        if (queued) return;
        lease_->post([done = std::move(done)] { done(fail(ErrorCode::Exhausted, "too many writes of sessions are waiting")); });
    }

private:
    std::shared_ptr<Core> core_;
    std::shared_ptr<HeldLease> lease_;
};

class ZookeeperBackend final : public Backend {
public:
    explicit ZookeeperBackend(std::shared_ptr<Core> core) : core_(std::move(core)) {}

    bool readsBlock() const override { return true; }
    bool isolated() const override { return false; }
    Result<std::unique_ptr<Snapshot>> snapshot() override {
        // Else the first read does it on its way.
        if (!core_->data()->connected()) TRY_VOID(core_->data()->sync());
        return std::make_unique<ZookeeperSnapshot>(core_->data(), core_->paths(), true);
    }
    Result<std::unique_ptr<Snapshot>> snapshotToCheck() override {
        return std::make_unique<ZookeeperSnapshot>(core_->data(), core_->paths(), false);
    }
    Result<Revision> commit(Batch batch) override {
        auto done = BatchWriter(*core_->data(), core_->paths()).commit(batch);
        if (done && std::any_of(batch.writes.begin(), batch.writes.end(), [](const auto& write) { return isLogged(write.key.directory); }))
            core_->onLogged();
        return done;
    }
    Result<LogPart> changesSince(std::optional<Revision> since) override { return core_->log().changesSince(since); }
    event::HandlePtr watchRecord(event::Loop& loop, RecordKey key, RecordCallback callback) override {
        return core_->mirror()->watchRecord(loop, std::move(key), std::move(callback));
    }
    event::HandlePtr watchDirectory(event::Loop& loop, std::string directory, DirectoryCallback callback) override {
        return core_->mirror()->watchDirectory(loop, std::move(directory), Mirror::Values::Read, std::move(callback));
    }
    event::HandlePtr watchNames(event::Loop& loop, std::string directory, DirectoryCallback callback) override {
        return core_->mirror()->watchDirectory(loop, std::move(directory), Mirror::Values::None, std::move(callback));
    }
    std::unique_ptr<Lease> openLease(event::Loop& loop, const Uuid& id, const SessionOptions& options, LeaseCallback callback) override {
        auto file = SessionFile::take(options.file);
        auto client = core_->makeClient(options.ttl, file != nullptr ? file->left() : std::nullopt);
        auto lease = std::make_shared<HeldLease>(loop, id, std::move(callback), std::move(client), std::move(file));
        lease->open();
        const std::lock_guard lock(mutex_);
        leases_[id] = lease;
        return std::make_unique<ZookeeperLease>(core_, std::move(lease));
    }

    std::shared_ptr<HeldLease> lease(const Uuid& id) {
        const std::lock_guard lock(mutex_);
        return leases_[id].lock();
    }

private:
    const std::shared_ptr<Core> core_;
    std::mutex mutex_;
    std::map<Uuid, std::weak_ptr<HeldLease>> leases_;  // guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<Backend>> makeBackend(const ZookeeperOptions& options) {
    const auto hosts = zk::parseHosts(options.hosts);
    if (!hosts) return Unexpected{hosts.error().withContext("zookeeper.hosts")};
    if (const auto root = Paths::parseRoot(options.root); !root) return Unexpected{root.error().withContext("zookeeper.root")};
    auto core = std::make_shared<Core>(options, *hosts);
    TRY_VOID(core->start());
    return std::make_unique<ZookeeperBackend>(std::move(core));
}

Result<void> expireSession(Backend& backend, const Uuid& session) {
    auto* const own = dynamic_cast<ZookeeperBackend*>(&backend);
    MIDONET_ASSERT(own != nullptr, "the store is one on ZooKeeper");
    const auto lease = own->lease(session);
    if (lease == nullptr) return fail(ErrorCode::NotFound, "no session {}", session);
    lease->expire();
    return {};
}

}  // namespace midonet::nsdb::zookeeper

namespace midonet::nsdb {

Result<std::unique_ptr<Store>> openZookeeper(const ZookeeperOptions& options) {
    TRY(backend, zookeeper::makeBackend(options));
    return makeObjectStore(std::move(backend));
}

}  // namespace midonet::nsdb
