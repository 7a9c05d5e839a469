#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "topology/snapshot.h"

/// For tests and benchmarks: snapshots written down directly, without a store.
namespace midonet::topology::testing {

inline PortId portId(std::uint64_t n) { return PortId{Uuid{0x706f727400000000ULL, n}}; }
inline BridgeId bridgeId(std::uint64_t n) { return BridgeId{Uuid{0x6272696467650000ULL, n}}; }
inline HostId hostId(std::uint64_t n) { return HostId{Uuid{0x686f737400000000ULL, n}}; }

/// A bridge port bound to host 1 that is up and active, with a tunnel key made of its number.
inline Port activePort(std::uint64_t number, BridgeId bridge, std::uint64_t host = 1) {
    Port port;
    port.id = portId(number);
    port.bridge = bridge;
    port.host = hostId(host);
    port.active = true;
    port.tunnelKey = net::TunnelKey{net::kLocalTunnelKeyType | static_cast<std::uint32_t>(number)};
    return port;
}

/// Collects devices; build() derives what a bridge knows of its ports as DeviceTracker does.
class SnapshotBuilder {
public:
    SnapshotBuilder& bridge(const BridgeId& id, bool adminUp = true) {
        auto made = std::make_shared<Bridge>();
        made->id = id;
        made->adminUp = adminUp;
        snapshot_.bridges.insert_or_assign(id, std::move(made));
        return *this;
    }
    SnapshotBuilder& port(const Port& port) {
        snapshot_.ports.insert_or_assign(port.id, std::make_shared<Port>(port));
        return *this;
    }
    SnapshotBuilder& withoutPort(const PortId& id) {
        snapshot_.ports.erase(id);
        return *this;
    }
    TopologySnapshotPtr build() const {
        auto out = std::make_shared<TopologySnapshot>(snapshot_);
        for (auto& [id, bridge] : out->bridges) {
            auto full = std::make_shared<Bridge>(*bridge);
            for (const auto& [portId, port] : out->ports) {
                if (port->bridge != id || !port->exterior()) continue;
                full->exteriorPorts.push_back(portId);
                full->addVlan(port->vlan);
            }
            std::sort(full->exteriorPorts.begin(), full->exteriorPorts.end());
            bridge = std::move(full);
        }
        return out;
    }

private:
    TopologySnapshot snapshot_;
};

}  // namespace midonet::topology::testing
