#include "host/underlay.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/overloaded.h"
#include "netlink/monitor.h"
#include "netlink/route_socket.h"

namespace midonet::host {
namespace {

using namespace std::chrono_literals;

const Logger kLog{"host"};

/// Route changes come in thousands where BGP runs: one round of lookups for all that come within.
constexpr auto kLookupInterval = 100ms;
constexpr auto kRetryPeriod = 1s;
/// Below the kernel's own time from reachable to stale (15..45 s): it notices a changed MAC in time.
constexpr auto kRefreshPeriod = 20s;

using NextHop = std::pair<int, net::IpAddress>;

struct Watch {
    net::IpAddress local;
    net::IpAddress remote;
    Underlay::Callback callback;
    bool alive = true;
    bool told = false;
    bool resolved = false;  // as of the last look
    std::optional<datapath::TunnelPath> path;
    std::optional<NextHop> nextHop;
    std::string problem;
};

class WatchHandle final : public event::Handle {
public:
    explicit WatchHandle(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}
    ~WatchHandle() override { watch_->alive = false; }

private:
    std::shared_ptr<Watch> watch_;
};

class KernelUnderlay final : public Underlay {
public:
    KernelUnderlay(event::Loop& loop, netlink::Monitor& monitor, netlink::RouteSocket requests)
        : loop_(loop), monitor_(monitor), requests_(std::move(requests)) {
        changes_ = monitor_.onChange([this](const auto& events) { onKernelChange(events); });
        refresh_ = loop_.every(kRefreshPeriod, [this] { refreshNextHops(); });
    }

    event::HandlePtr watch(const net::IpAddress& local, const net::IpAddress& remote,
                           Callback callback) override {
        auto watch = std::make_shared<Watch>();
        watch->local = local;
        watch->remote = remote;
        watch->callback = std::move(callback);
        watches_.push_back(watch);
        auto handle = std::make_unique<WatchHandle>(watch);
        look(*watch);
        retryWhatIsUnresolved();
        return handle;
    }

private:
    void onKernelChange(const std::vector<netlink::Event>& events) {
        std::set<NextHop> neighbours;
        bool everything = false;
        for (const auto& event : events) {
            std::visit(Overloaded{[&](const netlink::Change<netlink::Neighbour>& change) {
                                      neighbours.emplace(change.object.linkIndex, change.object.address);
                                  },
                                  [&](const netlink::Change<netlink::Link>&) { everything = true; },
                                  [&](const netlink::Change<netlink::Address>&) { everything = true; },
                                  [&](const netlink::Change<netlink::Route>&) { everything = true; }},
                       event);
        }
        if (!neighbours.empty()) {
            lookAtEach([&](const Watch& watch) { return watch.nextHop && neighbours.contains(*watch.nextHop); });
            retryWhatIsUnresolved();
        }
        if (everything) lookAtAllSoon();
    }
    void lookAtAllSoon() {
        if (lookup_) return;
        const auto due = std::max(loop_.clock().now(), lastLookup_ + kLookupInterval);
        lookup_ = loop_.after(due - loop_.clock().now(), [this] {
            lookup_.reset();
            lastLookup_ = loop_.clock().now();
            lookAtEach([](const Watch&) { return true; });
            retryWhatIsUnresolved();
        });
    }
    void retryWhatIsUnresolved() {
        const auto unresolved = [](const auto& watch) { return watch->alive && !watch->resolved; };
        if (retry_ || std::none_of(watches_.begin(), watches_.end(), unresolved)) return;
        retry_ = loop_.after(kRetryPeriod, [this] {
            retry_.reset();
            lookAtEach([](const Watch& watch) { return !watch.resolved; });
            retryWhatIsUnresolved();
        });
    }
    void refreshNextHops() {
        std::set<NextHop> used;
        for (const auto& watch : watches_) {
            if (watch->alive && watch->resolved && watch->nextHop) used.insert(*watch->nextHop);
        }
        for (const auto& [link, address] : used) {
            const auto* const known = monitor_.mirror().neighbour(link, address);
            if (known != nullptr && (known->state & (NUD_PERMANENT | NUD_NOARP)) != 0) continue;
            probe(link, address);
        }
    }
    /// A callback may add and end watches.
    template <class Wanted>
    void lookAtEach(Wanted wanted) {
        std::erase_if(watches_, [](const auto& watch) { return !watch->alive; });
        for (const auto& watch : std::vector(watches_)) {
            if (watch->alive && wanted(*watch)) look(*watch);
        }
    }

    void look(Watch& watch) {
        watch.resolved = false;
        watch.nextHop.reset();
        const auto route = requests_.lookupRoute(watch.remote, watch.local);
        if (!route) return lost(watch, route.error().message);
        if (route->type != RTN_UNICAST)
            return lost(watch, fmt::format("{} is not another host's address", watch.remote));
        const auto* const link = monitor_.mirror().link(route->linkIndex);
        if (link == nullptr) return;  // newer than the mirror; its event is on the way
        if (!link->up) return lost(watch, fmt::format("interface {} is down", link->name));
        if (!link->mac || !link->usesNeighbours)
            return lost(watch, fmt::format("interface {} has no Ethernet header: route the tunnel zone's addresses "
                                           "through an Ethernet interface", link->name));
        const NextHop hop{route->linkIndex, route->gateway.value_or(watch.remote)};
        watch.nextHop = hop;
        const auto* const neighbour = monitor_.mirror().neighbour(hop.first, hop.second);
        if (neighbour != nullptr && neighbour->usable())
            return found(watch, {static_cast<std::uint32_t>(link->index), *link->mac, *neighbour->mac, link->mtu});
        if (neighbour != nullptr && (neighbour->state & NUD_FAILED) != 0)
            lost(watch, fmt::format("{} does not answer on interface {}", hop.second, link->name));
        probe(hop.first, hop.second);
    }
    void found(Watch& watch, const datapath::TunnelPath& path) {
        watch.resolved = true;
        if (!watch.problem.empty())
            kLog.info("underlay path found again", {kv("remote", watch.remote), kv("next_hop", path.nextHop)});
        watch.problem.clear();
        tell(watch, path);
    }
    void lost(Watch& watch, std::string problem) {
        if (problem != watch.problem)
            kLog.warn("no underlay path", {kv("local", watch.local), kv("remote", watch.remote), kv("reason", problem)});
        watch.problem = std::move(problem);
        tell(watch, std::nullopt);
    }
    void tell(Watch& watch, const std::optional<datapath::TunnelPath>& path) {
        if (watch.told && watch.path == path) return;
        watch.told = true;
        watch.path = path;
        watch.callback(path);
    }
    void probe(int link, const net::IpAddress& address) {
        if (const auto sent = requests_.probe(link, address); !sent)
            kLog.debug("next hop not probed", {kv("next_hop", address), kv("reason", sent.error())});
    }

    event::Loop& loop_;
    netlink::Monitor& monitor_;
    netlink::RouteSocket requests_;
    std::vector<std::shared_ptr<Watch>> watches_;
    event::TimePoint lastLookup_{};
    event::HandlePtr lookup_;
    event::HandlePtr retry_;
    event::HandlePtr refresh_;
    event::HandlePtr changes_;
};

}  // namespace

Result<std::unique_ptr<Underlay>> followUnderlay(event::Loop& loop, netlink::Monitor& monitor) {
    TRY(requests, netlink::RouteSocket::open());
    return std::make_unique<KernelUnderlay>(loop, monitor, std::move(requests));
}

}  // namespace midonet::host
