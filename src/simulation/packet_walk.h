#pragma once

#include "simulation/simulation_result.h"
#include "simulation/state_view.h"
#include "topology/snapshot.h"

namespace midonet::simulation {

/// The working state of one simulation: where the packet is, what it looks like now compared with
/// how it came in, and what has been recorded on the way. Devices read and change it; it never
/// leaves the module.
class PacketWalk {
public:
    PacketWalk(const flow::FlowKey& key, const topology::TopologySnapshot& topology, const StateView& state)
        : key_(key), topology_(topology), state_(state) {}

    const topology::TopologySnapshot& topology() const { return topology_; }
    const StateView& state() const { return state_; }

    // Reading a field records it in the mask of the flow.
    net::Mac ethSource() {
        decision_.mask.see(flow::Field::EthSource);
        return key_.ethSource;
    }
    net::Mac ethDestination() {
        decision_.mask.see(flow::Field::EthDestination);
        return key_.ethDestination;
    }
    flow::VlanTci vlan() {
        decision_.mask.see(flow::Field::Vlan);
        return key_.vlan;
    }

    void tag(flow::FlowTag tag) { decision_.tags.push_back(tag); }
    void effect(Effect effect) { decision_.effects.push_back(effect); }

    /// Outer VLAN tag of the packet at this point, relative to how it came in.
    enum class VlanEdit : std::uint8_t { AsReceived, Popped, Pushed };
    /// Sends a copy out of an exterior port, with its tag popped or `pushed` on top.
    void emit(const PortId& port, VlanEdit edit, flow::VlanTci pushed = {});

    bool emitted() const { return emitted_; }
    SimulationResult forward();
    SimulationResult drop(flow::DropReason reason, FlowClass flowClass = FlowClass::Normal);

private:
    const flow::FlowKey& key_;
    const topology::TopologySnapshot& topology_;
    const StateView& state_;
    Decision decision_;
    VirtualActions actions_;
    VlanEdit edit_ = VlanEdit::AsReceived;  // what the actions so far have done
    flow::VlanTci pushed_;
    bool emitted_ = false;
};

}  // namespace midonet::simulation
