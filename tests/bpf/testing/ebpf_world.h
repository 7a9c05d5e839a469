#pragma once

#include <map>
#include <memory>
#include <vector>

#include "datapath/ebpf/ebpf_datapath.h"
#include "event/clock.h"
#include "testing/private_host.h"
#include "testing/tap_port.h"

namespace midonet::datapath::ebpf::testing {

/// A frame that left through a port of the world.
struct Delivered {
    std::string interface;
    std::vector<std::uint8_t> frame;
    Offload offload;
    friend bool operator==(const Delivered&, const Delivered&) = default;
};

/// One host with the eBPF datapath and taps as ports and as underlay NIC: packets really go through the
/// kernel, and all is done when a call returns. Throws std::runtime_error when the world cannot be set up.
class EbpfWorld {
public:
    /// `options.bpffs` is set by the world; its clock is the world's unless given. The kernel's own times (pending
    /// packets, token buckets, idle flows) stay real.
    explicit EbpfWorld(EbpfOptions options = defaults());
    ~EbpfWorld();
    static EbpfOptions defaults();

    Datapath& datapath() { return *datapath_; }
    event::VirtualClock& clock() { return clock_; }
    const PrivateHost& host() const { return host_; }

    /// A tap that is no port yet: for who adds it by name.
    void addTap(const std::string& interface, const TapPort::Options& options = {});
    /// A tap that is a port of the datapath.
    flow::PortNumber addPort(const std::string& interface, const TapPort::Options& options = {});
    /// A tap that stands for an underlay NIC, with an IPv4 address ("192.0.2.1/24").
    std::uint32_t addUnderlay(const std::string& interface, const std::string& address, net::Mac mac, int mtu = 1600);

    /// A frame comes in through an interface. What leaves through others is kept for take().
    void inject(const std::string& interface, ByteView frame, const Offload& offload = {});
    /// Everything that left since the last call, in the order of interfaces by name.
    std::vector<Delivered> take();
    /// inject(), then take().
    std::vector<Delivered> run(const std::string& interface, ByteView frame, const Offload& offload = {});
    /// Copies of all waiting upcalls; `frames` holds their bytes.
    struct Received {
        Upcall upcall;
        std::vector<std::uint8_t> frame;
    };
    std::vector<Received> drain(WorkerIndex worker = 0, std::size_t limit = 100000);
    std::uint64_t counter(std::string_view name, std::string_view label = "");

    /// The agent ends and another starts: the kernel forwards in between.
    void restart(EbpfOptions options = defaults());
    void stop() { datapath_.reset(); }

private:
    void open(EbpfOptions options);

    PrivateHost host_;
    event::VirtualClock clock_;
    std::map<std::string, TapPort> taps_;
    std::unique_ptr<Datapath> datapath_;
};

}  // namespace midonet::datapath::ebpf::testing
