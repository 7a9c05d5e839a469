#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/id.h"
#include "datapath/datapath.h"
#include "event/clock.h"
#include "flow/flow_tag.h"
#include "tracing/tracer.h"

namespace midonet::agent {

/// A copy of a packet that outlives the datapath's buffer.
struct HeldPacket {
    flow::FlowKey key;
    std::vector<std::uint8_t> frame;
    datapath::Offload offload;
    datapath::UpcallReason reason{};
    PortId port;          ///< Of the virtual topology: the number may be another port's when the wait is over.
    bool leaves = false;  ///< Made by a virtual device, leaves it through `port`.
    event::TimePoint arrived;
    std::vector<tracing::TracerId> tracers{};  ///< That tell of it.
};

/// Packets that wait for something to be known: a device, a MAC, a block of ports, the state of their connection. Bounded
/// in packets for each such thing and in all, and in time. One worker's thread.
class WaitingRoom {
public:
    struct Limits {
        std::size_t packets = 1024;
        std::size_t packetsPerTag = 64;
        event::Duration patience = std::chrono::seconds{5};  ///< From a packet's arrival, whatever it waits for meanwhile.
    };

    WaitingRoom() = default;
    explicit WaitingRoom(const Limits& limits) : limits_(limits) {}
    event::Duration patience() const { return limits_.patience; }
    /// One that came at `arrived` may wait on.
    bool isPatient(event::TimePoint arrived, event::TimePoint now) const { return now - arrived < limits_.patience; }
    /// There is room for one more that waits for the tag.
    bool hasRoom(flow::FlowTag until) const;
    enum class Parked : std::uint8_t {
        Waits,
        InPlaceOfAnother,  ///< No room for more at all: the one that has waited longest went. What is found is mostly found at once.
        Refused,           ///< Too many wait for the same.
    };
    Parked park(flow::FlowTag until, HeldPacket packet);
    /// Takes out what waits for the tag, in order of arrival.
    std::vector<HeldPacket> take(flow::FlowTag until);
    std::vector<HeldPacket> takeAll();
    /// Takes out what has waited for too long.
    std::vector<HeldPacket> expire(event::TimePoint now);
    std::size_t size() const { return waiting_.size(); }

private:
    struct Waiting {
        flow::FlowTag until;
        HeldPacket packet;
    };
    void countDown(flow::FlowTag until);
    template <class Leaves>
    std::vector<HeldPacket> takeIf(const Leaves& leaves);

    Limits limits_;
    std::deque<Waiting> waiting_;  // by arrival
    boost::unordered_flat_map<flow::FlowTag, std::size_t, std::hash<flow::FlowTag>> counts_;
};

}  // namespace midonet::agent
