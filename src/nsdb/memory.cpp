#include "nsdb/memory.h"

#include <atomic>
#include <map>
#include <mutex>
#include <utility>

#include "base/assert.h"
#include "nsdb/local_watches.h"
#include "nsdb/object_store.h"
#include "nsdb/shared_memory.h"

namespace midonet::nsdb {
namespace {

/// What a lease and the callbacks posted for it share. The loop's.
struct LeaseCore : std::enable_shared_from_this<LeaseCore> {
    event::Loop& loop;
    std::shared_ptr<SharedMemory> shared;
    const Uuid id;
    const event::Duration ttl;
    Backend::LeaseCallback callback;
    bool alive = true;
    bool reachable = true;
    bool connected = false;
    event::Duration silent{};
    event::HandlePtr tick;

    LeaseCore(event::Loop& l, std::shared_ptr<SharedMemory> s, const Uuid& i, event::Duration t,
              Backend::LeaseCallback c)
        : loop(l), shared(std::move(s)), id(i), ttl(t), callback(std::move(c)) {}

    void report(LeaseState state) {
        connected = state.connected;
        callback(state);
    }
    /// Opens the lease, or opens it again, when the store can be reached.
    void connect() {
        if (!alive || !reachable || connected) return;
        const bool fresh = !shared->hasLease(id);
        if (fresh) shared->openLease(id);
        silent = {};
        report({true, fresh});
    }
    void setReachable(bool now) {
        if (!alive || reachable == now) return;
        reachable = now;
        if (now) return connect();
        if (connected) report({false, false});
    }
    void onEnded() {
        if (!alive) return;
        if (connected) report({false, false});
        connect();
    }
    /// A real store ends the lease of a client it does not hear from.
    void onTick(event::Duration period) {
        if (reachable) return;
        silent += period;
        if (silent >= ttl) shared->endLease(id);
    }
};

class MemoryLease final : public Lease {
public:
    MemoryLease(std::shared_ptr<LeaseCore> core, std::function<void()> detach)
        : core_(std::move(core)), detach_(std::move(detach)) {}
    ~MemoryLease() override {
        core_->alive = false;
        core_->tick.reset();
        detach_();
        // Cut off: the store cannot be told, and would end it later. There is no later here.
        core_->shared->endLease(core_->id);
    }
    void submit(std::vector<LeasedWrite> writes, Done done) override {
        auto result = core_->reachable
                          ? core_->shared->commitLeased(core_->id, writes)
                          : Result<std::vector<LeasedOutcome>>(
                                fail(ErrorCode::Unavailable, "the memory store is cut off"));
        core_->loop.post([core = core_, done = std::move(done), result = std::move(result)]() mutable {
            if (core->alive) done(std::move(result));
        });
    }

private:
    std::shared_ptr<LeaseCore> core_;
    std::function<void()> detach_;
};

class MemoryBackend final : public Backend, private SharedMemory::Client {
public:
    explicit MemoryBackend(std::shared_ptr<SharedMemory> shared)
        : shared_(std::move(shared)), watches_([this] { return snapshot(); }) {
        shared_->attach(this);
    }
    ~MemoryBackend() override { shared_->detach(this); }
    MemoryBackend(const MemoryBackend&) = delete;
    MemoryBackend& operator=(const MemoryBackend&) = delete;

    bool readsBlock() const override { return false; }
    bool isolated() const override { return true; }
    Result<std::unique_ptr<Snapshot>> snapshot() override {
        if (!reachable_) return unavailable();
        return shared_->snapshot();
    }
    Result<Revision> commit(Batch batch) override {
        if (!reachable_) return unavailable();
        return shared_->commit(batch);
    }
    Result<LogPart> changesSince(std::optional<Revision> since) override {
        if (!reachable_) return unavailable();
        return shared_->changesSince(since);
    }
    event::HandlePtr watchRecord(event::Loop& loop, RecordKey key, RecordCallback callback) override {
        return watches_.watchRecord(loop, std::move(key), std::move(callback));
    }
    event::HandlePtr watchDirectory(event::Loop& loop, std::string directory,
                                    DirectoryCallback callback) override {
        return watches_.watchDirectory(loop, std::move(directory), std::move(callback));
    }
    std::unique_ptr<Lease> openLease(event::Loop& loop, const Uuid& id, const SessionOptions& options,
                                     LeaseCallback callback) override {
        auto core = std::make_shared<LeaseCore>(loop, shared_, id, options.ttl, std::move(callback));
        core->reachable = reachable_;
        const auto period = options.ttl / 4;
        core->tick = loop.every(period, [raw = core.get(), period] { raw->onTick(period); });
        {
            const std::lock_guard lock(mutex_);
            leases_.emplace(id, core);
        }
        loop.post([core] { core->connect(); });
        return std::make_unique<MemoryLease>(core, [this, id] {
            const std::lock_guard lock(mutex_);
            leases_.erase(id);
        });
    }

    void setReachable(bool reachable) {
        reachable_ = reachable;
        const std::lock_guard lock(mutex_);
        for (const auto& [id, core] : leases_)
            core->loop.post([core = core, reachable] { core->setReachable(reachable); });
        if (reachable) watches_.retry();
    }

private:
    static Unexpected unavailable() {
        return fail(ErrorCode::Unavailable, "the memory store is cut off");
    }
    void onChanges(std::span<const LocalWatches::Change> changes) override {
        watches_.changed(changes);
    }
    void onLeaseEnded(const Uuid& id) override {
        const std::lock_guard lock(mutex_);
        const auto lease = leases_.find(id);
        if (lease == leases_.end()) return;
        lease->second->loop.post([core = lease->second] { core->onEnded(); });
    }

    std::shared_ptr<SharedMemory> shared_;
    std::atomic<bool> reachable_ = true;
    LocalWatches watches_;
    std::mutex mutex_;
    std::map<Uuid, std::shared_ptr<LeaseCore>> leases_;  // guarded by mutex_
};

}  // namespace

std::unique_ptr<Backend> makeMemoryBackend(std::shared_ptr<SharedMemory> shared) {
    return std::make_unique<MemoryBackend>(std::move(shared));
}

std::unique_ptr<Store> openMemory(std::shared_ptr<SharedMemory> shared) {
    return makeObjectStore(makeMemoryBackend(std::move(shared)));
}

void setReachable(Backend& backend, bool reachable) {
    auto* const memory = dynamic_cast<MemoryBackend*>(&backend);
    MIDONET_ASSERT(memory != nullptr, "only the memory backend can be cut off");
    memory->setReachable(reachable);
}

void setReachable(Store& store, bool reachable) { setReachable(backendOf(store), reachable); }

}  // namespace midonet::nsdb
