#pragma once

#include <memory>
#include <vector>

#include "agent/packet_worker.h"
#include "datapath/fake/fake_datapath.h"
#include "event/loop.h"
#include "recording_datapath.h"

namespace midonet::fuzz {

/// One host of a small cloud that has everything in it: a packet worker on the datapath in memory, in virtual time.
///
///     machines 1, 2 - bridge 1 - router - bridge 3 - machine 6        10.0.1.0/24, 10.0.2.0/24; machine n is at .n
///     machines 3, 4, 5 - bridge 2 - bridge 1                          4 by VLAN 10, 5 on the other host
///                                router - uplink 13                   192.0.2.2/24, its gateway is 192.0.2.1
///
/// The router has source translation, a forwarded port (8080), a floating IP (.3 for machine 1) and a load balancer (.50, sticky:
/// .51, port 80). Machine 1 has a security group, machine 2 and bridge 2 have a rule with every condition there is.
class Host {
public:
    Host();
    ~Host();
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    static constexpr std::size_t kPorts = 6;
    /// A frame comes in through the n-th port, and everything that follows from it happens.
    void inject(std::size_t port, ByteView frame);
    /// A frame comes from the other host: for the n-th port, or (kPorts) a state message.
    void injectTunnelled(std::size_t port, ByteView frame);
    void advance(event::Duration by);

    /// What left the host since the last call, through ports and tunnels. State messages are left out.
    std::vector<std::vector<std::uint8_t>> takeFrames();
    /// The key that the datapath sees in such a frame.
    flow::FlowKey keyOf(std::size_t port, ByteView frame) const;
    agent::WorkerStats stats() const { return worker_.stats(); }
    /// Every flow is what a simulation of now would install, for the packet it was made of and for those of `keys` that it
    /// would also match if they had what it looks at.
    void checkFlows(const std::vector<flow::FlowKey>& keys) const;

private:
    void checkFlow(const scenarios::RecordingDatapath::Flow& flow, const flow::FlowKey& key) const;
    void onReport(const std::function<void(agent::WorkerReport&)>& merge);

    std::unique_ptr<event::Loop> loop_;
    datapath::fake::FakeDatapath datapath_;
    scenarios::RecordingDatapath recording_;
    std::vector<flow::PortNumber> numbers_;
    std::shared_ptr<flowcontrol::PhysicalMap> map_;
    agent::PacketWorker worker_;
    unsigned blocksLeased_ = 0;
};

}  // namespace midonet::fuzz
