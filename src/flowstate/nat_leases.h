#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "event/blocking_pool.h"
#include "event/loop.h"
#include "flowstate/nat_ports.h"
#include "nsdb/store.h"

namespace midonet::flowstate {

/// Leases blocks of NAT ports for this host from the NSDB (NatBlock in the schema), one worker at a time each, so
/// that no two hosts or workers translate to the same port. A block that was given back, or whose holder died, is
/// left in peace for a grace time: connections through it may live on.
///
/// Control loop; transactions run on `pool`, which ends before this does. Nothing waits without a bound: a worker
/// waits once for a range, and what fails is answered at once with the same failure for kBackOff.
class NatLeases {
public:
    using WorkerTag = std::uint32_t;
    using WallClock = std::function<event::WallTime()>;
    static constexpr std::chrono::seconds kBackOff{1};

    struct Answer {
        Uuid device;
        std::vector<NatRange> ranges;  ///< As asked for; empty for a block from before a restart.
        WorkerTag worker = 0;          ///< Whose block it is from now on.
        Result<NatBlockId> block;      ///< Exhausted, or what is wrong with the store.
    };
    struct Options {
        std::chrono::seconds grace{150};
        std::optional<std::uint64_t> seed;  ///< Of the choice of blocks; for tests.
    };

    NatLeases(event::Loop& loop, event::BlockingPool& pool, nsdb::Store& store, HostId host, WallClock now,
              std::function<void(const Answer&)> onAnswer, Options options);
    NatLeases(event::Loop& loop, event::BlockingPool& pool, nsdb::Store& store, HostId host, WallClock now,
              std::function<void(const Answer&)> onAnswer)
        : NatLeases(loop, pool, store, host, std::move(now), std::move(onAnswer), Options{}) {}
    ~NatLeases();
    NatLeases(const NatLeases&) = delete;
    NatLeases& operator=(const NatLeases&) = delete;

    /// Finds the blocks that this host has from before its restart and answers with each, spread over `workers`; tries
    /// until the store answers. To be called again when a lost session is restored: another host may have taken this
    /// one for dead; that is revoked while the grace time lasts, and blocks gone for good are named in the log.
    void start(WorkerTag workers);
    /// One more block for the worker. One request per device and ranges is under way, others wait for their turn.
    void lease(const Uuid& device, bool deviceIsBridge, std::span<const NatRange> ranges, WorkerTag worker);
    /// NatPorts::takeIdle() of a worker: they go back; tried until the store has them.
    void release(std::span<const NatBlockId> blocks);

    /// Blocks that workers have.
    std::size_t held() const { return held_.size(); }

private:
    struct Request {
        Uuid device;
        bool deviceIsBridge = false;
        std::vector<NatRange> ranges;
        std::vector<WorkerTag> waiting;  ///< The first one's request is under way.
        std::optional<Error> failed;
        event::HandlePtr backOff;
    };
    using RequestPtr = std::shared_ptr<Request>;

    RequestPtr requestFor(const Uuid& device, bool deviceIsBridge, std::span<const NatRange> ranges);
    void ask(const RequestPtr& request);
    void onLeased(const RequestPtr& request, const Result<NatBlockId>& block);
    void onFailed(const RequestPtr& request, const Error& error);
    void onReclaimed(WorkerTag workers, const Result<std::vector<NatBlockId>>& blocks);
    void sendReleases();
    void onReleased(const std::vector<NatBlockId>& blocks, const Result<void>& done);
    /// `done(result)` on the loop after `work()` on the pool; with Unavailable when the pool is full.
    template <class T>
    void onPool(std::function<Result<T>()> work, std::function<void(const Result<T>&)> done);

    event::Loop& loop_;
    event::BlockingPool& pool_;
    nsdb::Store& store_;
    const HostId host_;
    const WallClock now_;
    const std::function<void(const Answer&)> onAnswer_;
    const Options options_;
    std::uint64_t seed_;

    std::vector<RequestPtr> requests_;  // few: under way, or failed a moment ago
    std::set<NatBlockId> held_;
    std::set<NatBlockId> releasing_;
    bool releaseUnderWay_ = false;
    event::HandlePtr releaseAgain_;
    event::HandlePtr startAgain_;
    std::shared_ptr<NatLeases*> self_;  // emptied at the end: answers may come later
};

}  // namespace midonet::flowstate
