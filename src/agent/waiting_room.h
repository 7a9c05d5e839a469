#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "base/id.h"
#include "datapath/datapath.h"
#include "event/clock.h"

namespace midonet::agent {

/// A copy of an upcall that outlives the datapath's buffer.
struct HeldPacket {
    flow::FlowKey key;
    std::vector<std::uint8_t> frame;
    datapath::Offload offload;
    datapath::UpcallReason reason{};
    PortId ingress;  ///< Of the virtual topology: the number may be another port's when the wait is over.
};

/// Packets that wait for a device to be loaded. Bounded in packets for each device and in all, and in
/// time. One worker's thread.
class WaitingRoom {
public:
    static constexpr std::size_t kCapacity = 1024;
    static constexpr std::size_t kCapacityPerDevice = 64;
    static constexpr std::chrono::seconds kPatience{5};

    /// False when full: the packet was not taken.
    bool park(const Uuid& device, const PortId& ingress, const datapath::Upcall& upcall, event::TimePoint now);
    /// Takes out everything, in order of arrival; what still has to wait is parked again by the
    /// caller through parkAgain(), with its old deadline.
    struct Waiting {
        Uuid device;
        event::TimePoint deadline;
        HeldPacket packet;
    };
    std::deque<Waiting> takeAll();
    void parkAgain(Waiting waiting);
    /// Removes what is past its deadline; returns how many.
    std::size_t expire(event::TimePoint now);
    std::size_t size() const { return waiting_.size(); }

private:
    std::deque<Waiting> waiting_;  // deadlines never decrease
};

}  // namespace midonet::agent
