#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "datapath/datapath.h"
#include "event/clock.h"
#include "packet/builder.h"

namespace midonet::scenarios {

/// A datapath whose wires are in the hands of the test.
class TestDatapath {
public:
    struct PortOutput {
        std::string interface;
        packet::Frame frame;
    };
    struct TunnelOutput {
        datapath::TunnelSpec spec;
        net::TunnelKey key;
        packet::Frame frame;
    };

    virtual ~TestDatapath() = default;
    virtual datapath::Datapath& datapath() = 0;
    /// The calling thread acts on the host of this datapath from now on.
    virtual void enter() = 0;
    /// False where the kernel counts idle time: scenarios in which flows expire are skipped.
    virtual bool followsVirtualTime() const = 0;
    /// The underlay NIC with this address comes into being, and the way out of it.
    virtual datapath::TunnelPath addUplink(net::Ipv4Address address) = 0;
    /// An interface that a port will be bound to comes into being.
    virtual void makeInterface(const std::string& name) = 0;
    /// A frame comes in through the interface. False when it is not in the datapath.
    virtual bool inject(std::string_view interface, ByteView frame) = 0;
    /// A frame of another host comes out of a tunnel; `spec` is the sender's.
    virtual void receiveFromTunnel(const datapath::TunnelSpec& spec, net::TunnelKey key, ByteView frame) = 0;
    virtual std::vector<PortOutput> takeOutputs() = 0;
    virtual std::vector<TunnelOutput> takeTunnelOutputs() = 0;
};

/// The one that this program runs the scenarios on. Defined once in each program.
std::unique_ptr<TestDatapath> makeTestDatapath(const event::Clock& clock, unsigned workers, std::size_t flowsPerWorker);

}  // namespace midonet::scenarios
