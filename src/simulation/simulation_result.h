#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <variant>

#include "base/id.h"
#include "flow/drop_reason.h"
#include "flow/flow_action.h"
#include "flow/flow_key.h"
#include "flow/flow_tag.h"

namespace midonet::simulation {

/// Leaves the virtual topology through an exterior port; which host that is on, and how to get
/// there, is the translator's business.
struct ToPort {
    PortId port;
    friend bool operator==(const ToPort&, const ToPort&) = default;
};

/// What the virtual topology does with the packet, in order.
using VirtualAction = std::variant<ToPort, flow::PushVlan, flow::PopVlan>;
using VirtualActions = boost::container::small_vector<VirtualAction, 4>;

/// `mac` was seen coming in through `port`. Lasts as long as a flow that carries it.
struct LearnMac {
    BridgeId bridge;
    net::VlanId vlan;
    net::Mac mac;
    PortId port;
    friend bool operator==(const LearnMac&, const LearnMac&) = default;
};
using Effect = std::variant<LearnMac>;
using Effects = boost::container::small_vector<Effect, 1>;

/// How long a flow may live without traffic (reference section 2.4).
enum class FlowClass : std::uint8_t {
    Error,   ///< 5 s, with or without traffic: drops that nothing invalidates.
    Normal,  ///< 60 s without traffic.
    Tunnel,  ///< 300 s without traffic: un-tunnelling.
};

/// What every decided packet has: the fields that were looked at, what would change the decision,
/// and what is to be done beside forwarding.
struct Decision {
    flow::FlowMask mask;
    flow::FlowTags tags;
    Effects effects;
};

struct Forward : Decision {
    VirtualActions actions;  ///< At least one ToPort.
};
struct Drop : Decision {
    flow::DropReason reason;
    FlowClass flowClass = FlowClass::Normal;
};
/// The agent answered or used up the packet: no flow.
struct Consume {
    Effects effects;
};
/// A device is not loaded yet: simulate again from the start when it is.
struct Park {
    Uuid device;
};

using SimulationResult = std::variant<Forward, Drop, Consume, Park>;

}  // namespace midonet::simulation
