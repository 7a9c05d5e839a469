#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/id.h"
#include "datapath/datapath.h"
#include "event/clock.h"
#include "flow/flow_tag.h"

namespace midonet::agent {

/// A copy of a packet that outlives the datapath's buffer.
struct HeldPacket {
    flow::FlowKey key;
    std::vector<std::uint8_t> frame;
    datapath::Offload offload;
    datapath::UpcallReason reason{};
    PortId port;          ///< Of the virtual topology: the number may be another port's when the wait is over.
    bool leaves = false;  ///< Made by a virtual device, leaves it through `port`.
};

/// Packets that wait for something to be known: a device, a MAC, a block of ports. Bounded in packets for each
/// such thing and in all, and in time. One worker's thread.
class WaitingRoom {
public:
    static constexpr std::size_t kCapacity = 1024;
    static constexpr std::size_t kCapacityPerTag = 64;
    static constexpr std::chrono::seconds kPatience{5};

    struct Waiting {
        flow::FlowTag until;
        event::TimePoint deadline;
        HeldPacket packet;
    };
    /// False when full: the packet was not taken. One that waits on keeps its old deadline.
    bool park(flow::FlowTag until, HeldPacket packet, event::TimePoint deadline);
    /// Takes out what waits for the tag, in order of arrival.
    std::vector<Waiting> take(flow::FlowTag until);
    /// Removes what is past its deadline; returns how many.
    std::size_t expire(event::TimePoint now);
    std::size_t size() const { return waiting_.size(); }

private:
    void countDown(flow::FlowTag tag);

    std::deque<Waiting> waiting_;  // by arrival
    boost::unordered_flat_map<flow::FlowTag, std::size_t, std::hash<flow::FlowTag>> counts_;
};

}  // namespace midonet::agent
