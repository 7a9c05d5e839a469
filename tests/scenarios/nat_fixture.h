#pragma once

#include <gtest/gtest.h>

#include "matchers.h"
#include "model/ids.h"
#include "network.h"

namespace midonet::scenarios {

/// A tenant's bridge behind its router, which leads to the world outside on another host.
class NatTest : public ::testing::Test {
protected:
    World world;
    Network network{world};
    const HostName first = world.host();
    const HostName gateway = world.host();
    const BridgeId bridge = world.bridge();
    const RouterId router = network.router();
    const RouterPort inside = network.attach(router, bridge, "10.0.0.1/24");
    const Network::Uplink outside = network.uplink(router, gateway, "172.16.0.2/24", "172.16.0.1");
    const Vm a = network.machine(bridge, first, "10.0.0.2");
    const Vm b = network.machine(bridge, gateway, "10.0.0.3");

    NatTest() { network.route(router, "0.0.0.0/0", outside.port.port, "172.16.0.1"); }

    packet::Packet out(const Vm& vm, net::Ipv4Address source, packet::Packet l4) const {
        return packet::eth(vm.mac, inside.mac) / packet::ipv4(source, "198.51.100.7") / std::move(l4);
    }
    packet::Packet in(std::string_view destination, packet::Packet l4) const {
        return packet::eth(outside.machine.mac, outside.port.mac) / packet::ipv4("198.51.100.7", *net::Ipv4Address::parse(destination)) / std::move(l4);
    }
    packet::Packet atA(packet::Packet l4) const {
        return packet::eth(inside.mac, a.mac) / packet::ipv4("198.51.100.7", "10.0.0.2").ttl(63) / std::move(l4);
    }
    static net::Ipv4Address addressOfA() { return *net::Ipv4Address::parse("10.0.0.2"); }
    void translateSources(std::uint16_t firstPort = 20000, std::uint16_t lastPort = 29999) {
        const auto onlyOut = [&](model::Condition& c) { c.add_out_ports(model::bytesOf(outside.port.port.uuid())); };
        const auto onlyIn = [&](model::Condition& c) {
            c.add_in_ports(model::bytesOf(outside.port.port.uuid()));
            c.set_nw_dst_address("172.16.0.2");
            c.set_nw_dst_length(32);
        };
        network.setRouterFilters(router, network.chain({when(unnat(model::Rule::REV_SNAT), onlyIn)}),
                                 network.chain({when(nat(model::Rule::SNAT, "172.16.0.2", "172.16.0.2", firstPort, lastPort), onlyOut)}));
    }
    /// The one packet that came out at the uplink, read.
    packet::ParsedPacket outsideOf(const Vm& vm, const packet::Packet& packet) {
        // The first packet of all may wait for the block of ports that its host leases.
        auto got = world.sendOnce(vm, packet.toBytes());
        if (got.empty()) got = world.collect();
        EXPECT_THAT(got, ::testing::SizeIs(1));
        if (got.size() != 1) return {};
        EXPECT_EQ(got[0].vm, outside.machine.name);
        return headersOf(got[0]);
    }
};

}  // namespace midonet::scenarios
