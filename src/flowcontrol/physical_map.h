#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <optional>

#include "base/id.h"
#include "flow/port_number.h"
#include "net/ip_address.h"
#include "net/numbers.h"

namespace midonet::flowcontrol {

/// The way to a peer host.
struct PeerRoute {
    flow::TunnelId tunnel;
    net::Ipv4Address local;
    net::Ipv4Address remote;
    friend bool operator==(const PeerRoute&, const PeerRoute&) = default;
};

/// How the virtual topology lies on this host: which virtual port is which port of the datapath,
/// which key of a tunnelled packet means which, and how other hosts are reached. Immutable, handed
/// to the workers whole.
class PhysicalMap {
public:
    std::optional<flow::PortNumber> portNumber(const PortId& id) const { return find(numbers, id); }
    std::optional<PortId> virtualPort(flow::PortNumber number) const { return find(virtualPorts, number); }
    std::optional<PortId> portOfKey(net::TunnelKey key) const { return find(keys, key); }
    std::optional<PeerRoute> routeTo(const HostId& host) const { return find(routes, host); }

    HostId self;
    boost::unordered_flat_map<PortId, flow::PortNumber, std::hash<PortId>> numbers;
    boost::unordered_flat_map<flow::PortNumber, PortId, std::hash<flow::PortNumber>> virtualPorts;
    boost::unordered_flat_map<net::TunnelKey, PortId, std::hash<net::TunnelKey>> keys;
    boost::unordered_flat_map<HostId, PeerRoute, std::hash<HostId>> routes;

private:
    template <class Map, class Key>
    static std::optional<typename Map::mapped_type> find(const Map& map, const Key& key) {
        const auto found = map.find(key);
        if (found == map.end()) return std::nullopt;
        return found->second;
    }
};

using PhysicalMapPtr = std::shared_ptr<const PhysicalMap>;

}  // namespace midonet::flowcontrol
