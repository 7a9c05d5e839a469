#include "agent/state_peers.h"

#include <algorithm>

namespace midonet::agent {

StatePeers statePeersOf(std::vector<PortId> ports, const topology::TopologySnapshot& topology, const HostId& self) {
    StatePeers peers;
    peers.hosts.reserve(ports.size());
    const auto addPort = [&](const PortId& id) {
        peers.tags.push_back(flow::FlowTag::statePeers(id.uuid()));
        const auto* port = topology.port(id);
        if (port == nullptr) return;
        if (port->exterior()) peers.hosts.push_back(port->host);
        for (const auto& groupId : port->groups) {
            const auto* group = topology.portGroup(groupId);
            if (group == nullptr || !group->stateful) continue;
            peers.tags.push_back(flow::FlowTag::statePeers(groupId.uuid()));
            peers.hosts.insert(peers.hosts.end(), group->hosts.begin(), group->hosts.end());
        }
    };
    for (const auto& port : ports) addPort(port);
    std::sort(peers.hosts.begin(), peers.hosts.end());
    peers.hosts.erase(std::unique(peers.hosts.begin(), peers.hosts.end()), peers.hosts.end());
    std::erase(peers.hosts, self);
    peers.ports = std::move(ports);
    return peers;
}

std::vector<PortId> portsOf(const PortId& ingress, const simulation::VirtualActions& actions) {
    std::vector<PortId> ports;
    ports.reserve(1 + actions.size());
    ports.push_back(ingress);
    for (const auto& action : actions)
        if (const auto* out = std::get_if<simulation::ToPort>(&action)) ports.push_back(out->port);
    return ports;
}

}  // namespace midonet::agent
