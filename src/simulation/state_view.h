#pragma once

#include <optional>

#include "base/id.h"
#include "net/mac.h"
#include "net/numbers.h"

namespace midonet::simulation {

/// What the simulation asks of learned state. Read only; one worker's view.
class StateView {
public:
    virtual ~StateView() = default;
    /// The port behind which `mac` was last seen on this VLAN of the bridge.
    virtual std::optional<PortId> macPort(const BridgeId& bridge, net::VlanId vlan, net::Mac mac) const = 0;
};

}  // namespace midonet::simulation
