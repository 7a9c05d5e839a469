#pragma once

#include <cstdint>
#include <vector>

#include "datapath/datapath.h"
#include "datapath/flow_key_from_frame.h"
#include "packet/builder.h"
#include "routed_cloud.h"

namespace midonet::benchmarks {

/// A packet that comes to a port of the datapath.
struct Arrival {
    flow::PortNumber port;
    std::vector<std::uint8_t> frame;
};

/// The first packets of as many connections, from all clients of the cloud in turns.
inline std::vector<Arrival> connectionsIn(const RoutedCloud& cloud, std::size_t count) {
    constexpr std::size_t kFirstPort = 10'000;
    std::vector<Arrival> out;
    for (std::size_t n = 0; n < count; ++n) {
        const auto key = cloud.keyOf(n % RoutedCloud::kMachines, static_cast<std::uint16_t>(kFirstPort + n / RoutedCloud::kMachines), 80);
        const auto frame = packet::eth(key.ethSource, key.ethDestination) / packet::ipv4(key.ipSource.v4(), key.ipDestination.v4()) /
                           packet::tcp(key.l4Source, key.l4Destination).flags(packet::tcpflag::kSyn);
        out.push_back({key.inPort, frame.toBytes()});
    }
    return out;
}

/// What a datapath without flows hands up of them. The frames stay with the arrivals.
inline std::vector<datapath::Upcall> upcallsOf(const std::vector<Arrival>& arrivals) {
    std::vector<datapath::Upcall> out;
    for (const auto& arrival : arrivals) {
        datapath::Upcall upcall;
        upcall.frame = arrival.frame;
        upcall.key = datapath::flowKeyFromFrame({.port = arrival.port, .tunnelKey = {}, .tunnelSource = {}, .tunnelDestination = {}}, arrival.frame);
        out.push_back(upcall);
    }
    return out;
}

}  // namespace midonet::benchmarks
