#pragma once

#include "base/result.h"
#include "nsdb/store.h"
#include "simulation/worker_state.h"
#include "topology/snapshot.h"

namespace midonet::tracing {

/// What a packet that begins a connection meets: MAC and ARP tables of the NSDB, no connection that is known yet, and the first
/// address and port of a source translation free. One thread.
class FirstPacketState final : public simulation::StateView {
public:
    /// The tables of all devices of the snapshot, as they are now.
    static Result<FirstPacketState> read(nsdb::Store& store, const topology::TopologySnapshot& topology);

    std::optional<PortId> macPort(const BridgeId& bridge, net::VlanId vlan, net::Mac mac) const override { return learned_.macPort(bridge, vlan, mac); }
    std::optional<net::Mac> arp(const RouterId& router, net::Ipv4Address address) const override { return learned_.arp(router, address); }
    std::optional<net::Mac> bridgeArp(const BridgeId& bridge, net::Ipv4Address address) const override { return learned_.bridgeArp(bridge, address); }
    std::optional<flowstate::Binding> state(const flowstate::StateKey&) const override { return std::nullopt; }
    std::optional<flowstate::Binding> freeNatPort(const Uuid& device, std::span<const flowstate::NatRange> ranges, const flowstate::Binding& remote,
                                                  std::uint64_t seed) const override;
    bool natPortsRunLow(const Uuid&, std::span<const flowstate::NatRange>, const flowstate::Binding&, const flowstate::Binding&) const override {
        return false;
    }
    /// A MAC that is known behind the port.
    std::optional<net::Mac> macBehind(const PortId& port) const;

private:
    Result<void> readBridge(nsdb::Store& store, const topology::Bridge& bridge);
    Result<void> readMacs(nsdb::Store& store, const BridgeId& bridge, net::VlanId vlan);
    Result<void> readRouter(nsdb::Store& store, const RouterId& router);

    simulation::WorkerState learned_;
};

}  // namespace midonet::tracing
