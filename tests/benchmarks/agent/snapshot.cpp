// From a change in the NSDB to the snapshot that has it: a bridge of 10,000 ports, 100 of them bound here, each with a chain, and
// a router with 10,000 routes. Budget: 2 ms for a change of one port.
#include <functional>

#include "measure.h"
#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"
#include "nsdb/store.h"
#include "topology/device_tracker.h"
#include "topology/testing/snapshot_builder.h"

namespace {

using namespace midonet;
using namespace midonet::topology::testing;

constexpr std::uint64_t kPorts = 10'000, kBoundHere = 100, kRoutes = 10'000, kRulesPerChain = 10;
constexpr std::uint64_t kLinkPort = kPorts + 1, kRouterPort = kPorts + 2;

template <class Id>
std::string bytesOf(const Id& id) {
    return model::bytesOf(id.uuid());
}

class Cloud {
public:
    Cloud() {
        change([](nsdb::Transaction& t) -> Result<void> {
            for (std::uint64_t n : {1, 2}) {
                model::Host host;
                host.set_id(bytesOf(hostId(n)));
                TRY_VOID(t.create(host));
            }
            model::Bridge bridge;
            bridge.set_id(bytesOf(bridgeId(1)));
            bridge.set_admin_state_up(true);
            TRY_VOID(t.create(bridge));
            model::Router router;
            router.set_id(bytesOf(routerId(1)));
            router.set_admin_state_up(true);
            return t.create(router);
        });
        inBatches(kPorts, [](nsdb::Transaction& t, std::uint64_t n) -> Result<void> {
            TRY_VOID(t.create(chain(n)));
            return t.create(bridgePort(n));
        });
        change([](nsdb::Transaction& t) -> Result<void> {
            model::Port link;
            link.set_id(bytesOf(portId(kLinkPort)));
            link.set_bridge_id(bytesOf(bridgeId(1)));
            link.set_admin_state_up(true);
            TRY_VOID(t.create(link));
            model::Port port;
            port.set_id(bytesOf(portId(kRouterPort)));
            port.set_router_id(bytesOf(routerId(1)));
            port.set_admin_state_up(true);
            port.set_port_mac("02:00:00:00:00:01");
            port.add_port_subnet("10.0.0.1/8");
            port.set_peer_id(link.id());
            TRY_VOID(t.create(port));
            link.set_peer_id(port.id());
            return t.update(link);
        });
        inBatches(kRoutes, [](nsdb::Transaction& t, std::uint64_t n) { return t.create(route(n)); });
        for (std::uint64_t n = kBoundHere + 1; n <= kPorts; ++n) report(n, true);
        for (std::uint64_t n = 1; n <= kBoundHere; ++n) local_.emplace(portId(n), net::TunnelKey{static_cast<std::uint32_t>(n)});
        tracker_.setLocalPorts(local_);
        settle();
    }

    /// Its host says whether it has the port.
    void report(std::uint64_t port, bool active) {
        model::PortState state;
        state.set_host_id(bytesOf(hostId(2)));
        state.set_active(active);
        state.set_tunnel_key(static_cast<std::uint32_t>(port));
        peer_->putState(model::Port::descriptor(), portId(port).uuid(), "state", state.SerializeAsString());
    }
    /// This host has the port in its datapath, or not.
    void plug(std::uint64_t port, bool plugged) {
        if (plugged)
            local_.emplace(portId(port), net::TunnelKey{static_cast<std::uint32_t>(port)});
        else
            local_.erase(portId(port));
        tracker_.setLocalPorts(local_);
    }
    void bind(std::uint64_t port, bool bound) {
        change([&](nsdb::Transaction& t) { return t.update(bound ? bridgePort(port) : unbound(port)); });
    }
    void add(std::uint64_t port) {
        change([&](nsdb::Transaction& t) { return t.create(unbound(port)); });
    }
    void remove(std::uint64_t port) {
        change([&](nsdb::Transaction& t) { return t.remove(model::Port::descriptor(), portId(port).uuid()); });
    }
    void editRule(std::uint64_t number, std::uint32_t l4Port) {
        change([&](nsdb::Transaction& t) { return t.update(chain(number, l4Port)); });
    }
    void addRoute(std::uint64_t n) {
        change([&](nsdb::Transaction& t) { return t.create(route(n)); });
    }
    void removeRoute(std::uint64_t n) {
        change([&](nsdb::Transaction& t) { return t.remove(model::Route::descriptor(), uuidOf(kRouteKind, n)); });
    }
    void learnMac(std::uint64_t n) {
        peer_->learn(nsdb::macTableName(bridgeId(1).uuid(), 0), net::Mac{0x020000000000ULL + n}.toString(), portId(kPorts).toString());
    }
    void learnNeighbour(std::uint64_t n) {
        const net::Ipv4Address address{0x0a000000U + static_cast<std::uint32_t>(n)};
        peer_->learn(nsdb::routerArpTableName(routerId(1).uuid()), address.toString(), "02:00:00:00:00:02;2000;1000;0");
    }

    void settle() { loop_->runReady(); }
    /// What the last change was not seen in would look fast.
    void requireTold(std::string_view what) {
        if (std::exchange(told_, 0) > 0) return;
        fmt::print(stderr, "snapshot: nothing is told of '{}'\n", what);
        std::exit(1);
    }

private:
    static constexpr std::uint64_t kChainKind = 1, kRouteKind = 2, kRuleKind = 3;
    static Uuid uuidOf(std::uint64_t kind, std::uint64_t n) { return Uuid{kind, n}; }

    static model::Chain chain(std::uint64_t number, std::uint32_t l4Port = 80) {
        model::Chain chain;
        chain.set_id(model::bytesOf(uuidOf(kChainKind, number)));
        for (std::uint32_t n = 0; n < kRulesPerChain; ++n) {
            auto& rule = *chain.add_rules();
            rule.set_id(model::bytesOf(uuidOf(kRuleKind, number * kRulesPerChain + n)));
            rule.set_type(model::Rule::ACCEPT);
            auto& ports = *rule.mutable_condition()->mutable_tp_dst();
            ports.set_start(l4Port + n);
            ports.set_end(l4Port + n);
        }
        return chain;
    }
    static model::Port unbound(std::uint64_t n) {
        model::Port port;
        port.set_id(bytesOf(portId(n)));
        port.set_bridge_id(bytesOf(bridgeId(1)));
        port.set_admin_state_up(true);
        if (n <= kPorts) port.set_inbound_filter_id(model::bytesOf(uuidOf(kChainKind, n)));
        return port;
    }
    static model::Port bridgePort(std::uint64_t n) {
        auto port = unbound(n);
        port.set_host_id(bytesOf(hostId(n <= kBoundHere ? 1 : 2)));
        port.set_interface_name(fmt::format("p{}", n));
        return port;
    }
    static model::Route route(std::uint64_t n) {
        model::Route route;
        route.set_id(model::bytesOf(uuidOf(kRouteKind, n)));
        route.set_router_id(bytesOf(routerId(1)));
        route.set_type(model::Route::NORMAL);
        route.set_src_network_addr("0.0.0.0");
        route.set_dst_network_addr(fmt::format("172.{}.{}.0", 16 + n / 256, n % 256));
        route.set_dst_network_length(24);
        route.set_next_hop_port(bytesOf(portId(kRouterPort)));
        return route;
    }

    void change(const std::function<Result<void>(nsdb::Transaction&)>& body) {
        const auto written = store_->transact(body);
        if (written) return;
        fmt::print(stderr, "snapshot: {}\n", written.error().message);
        std::exit(1);
    }
    void inBatches(std::uint64_t count, const std::function<Result<void>(nsdb::Transaction&, std::uint64_t)>& create) {
        constexpr std::uint64_t kBatch = 500;
        for (std::uint64_t first = 1; first <= count; first += kBatch)
            change([&](nsdb::Transaction& t) -> Result<void> {
                for (std::uint64_t n = first; n < first + kBatch; ++n) TRY_VOID(create(t, n));
                return {};
            });
    }

    std::unique_ptr<event::Loop> loop_ = event::Loop::createVirtual("control");
    std::unique_ptr<nsdb::Store> store_ = nsdb::openMemory();
    std::unique_ptr<nsdb::Session> peer_ = store_->openSession(*loop_, std::chrono::seconds{30});
    std::map<PortId, net::TunnelKey> local_;
    std::size_t told_ = 0;
    topology::DeviceTracker::Listener listener() {
        topology::DeviceTracker::Listener listener{[this](const topology::TopologyUpdate&) { ++told_; }, [this](auto&&...) { ++told_; },
                                                   [](auto&&...) {}, [](auto&&...) {}};
        listener.onArp = [this](auto&&...) { ++told_; };
        return listener;
    }
    topology::DeviceTracker tracker_{*loop_, *store_, hostId(1), {}, listener()};
};

struct Case {
    const char* figure;
    std::function<void(std::uint64_t)> change;  // the n-th one
};

}  // namespace

int main() {
    Cloud cloud;
    constexpr std::uint64_t kFar = kPorts - 5, kNear = 5, kNew = kPorts + 10, kNewRoute = kRoutes + 10;
    const auto odd = [](std::uint64_t n) { return n % 2 == 1; };
    const Case cases[] = {
        {"remote_port_reported", [&](auto n) { cloud.report(kFar, odd(n)); }},
        {"local_port_plugged", [&](auto n) { cloud.plug(kNear, odd(n)); }},
        {"local_port_bound", [&](auto n) { cloud.bind(kNear, odd(n)); }},
        {"port_created_or_deleted", [&](auto n) { odd(n) ? cloud.remove(kNew) : cloud.add(kNew); }},
        {"rule_edited", [&](auto n) { cloud.editRule(kNear, odd(n) ? 80 : 90); }},
        {"route_created_or_deleted", [&](auto n) { odd(n) ? cloud.removeRoute(kNewRoute) : cloud.addRoute(kNewRoute); }},
        {"mac_learned", [&](auto n) { cloud.learnMac(n); }},
        {"neighbour_learned", [&](auto n) { cloud.learnNeighbour(n); }},
    };
    for (const auto& one : cases) {
        std::vector<double> samples;
        for (std::uint64_t n = 0; n < static_cast<std::uint64_t>(benchmarks::repetitions()) * 8; ++n) {
            one.change(n);
            const auto begin = std::chrono::steady_clock::now();
            cloud.settle();
            samples.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
            cloud.requireTold(one.figure);
        }
        benchmarks::report("snapshot", one.figure, samples, "ms");
    }
    return 0;
}
