#include "testing/ebpf_world.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <stdexcept>

namespace midonet::datapath::ebpf::testing {

EbpfOptions EbpfWorld::defaults() {
    EbpfOptions options;
    options.maxFlows = 4096;
    options.ringBytes = 1U << 20;
    options.vxlan = VxlanMode::Hand;
    return options;
}

EbpfWorld::EbpfWorld(EbpfOptions options) {
    host_.enter();
    open(std::move(options));
}

EbpfWorld::~EbpfWorld() { host_.enter(); }

void EbpfWorld::addTap(const std::string& interface, const TapPort::Options& options) {
    host_.enter();
    taps_.emplace(std::piecewise_construct, std::forward_as_tuple(interface), std::forward_as_tuple(interface, options));
}

flow::PortNumber EbpfWorld::addPort(const std::string& interface, const TapPort::Options& options) {
    addTap(interface, options);
    const auto port = datapath_->addPort(interface);
    if (!port) throw std::runtime_error(port.error().message);
    return *port;
}

std::uint32_t EbpfWorld::addUnderlay(const std::string& interface, const std::string& address, net::Mac mac, int mtu) {
    host_.enter();
    TapPort::Options tap;
    tap.mac = mac;
    tap.mtu = mtu;
    addTap(interface, tap);
    const FileDescriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    auto* in = reinterpret_cast<sockaddr_in*>(&request.ifr_addr);
    in->sin_family = AF_INET;
    ::inet_pton(AF_INET, address.substr(0, address.find('/')).c_str(), &in->sin_addr);
    if (::ioctl(socket.get(), SIOCSIFADDR, &request) != 0) throw std::runtime_error("SIOCSIFADDR");
    taps_.at(interface).read();
    return taps_.at(interface).ifindex();
}

void EbpfWorld::inject(const std::string& interface, ByteView frame, const Offload& offload) {
    host_.enter();
    taps_.at(interface).write(frame, offload);
}

std::vector<Delivered> EbpfWorld::take() {
    std::vector<Delivered> out;
    for (auto& [name, tap] : taps_) {
        for (TapFrame& frame : tap.read()) out.push_back({name, std::move(frame.bytes), frame.offload});
    }
    return out;
}

std::vector<Delivered> EbpfWorld::run(const std::string& interface, ByteView frame, const Offload& offload) {
    inject(interface, frame, offload);
    return take();
}

std::vector<EbpfWorld::Received> EbpfWorld::drain(WorkerIndex worker, std::size_t limit) {
    std::vector<Received> out;
    datapath_->upcalls(worker).drain(limit, [&](const Upcall& upcall) {
        out.push_back({upcall, {upcall.frame.begin(), upcall.frame.end()}});
    });
    for (Received& received : out) received.upcall.frame = received.frame;
    return out;
}

std::uint64_t EbpfWorld::counter(std::string_view name, std::string_view label) {
    for (const Counter& counter : datapath_->counters()) {
        if (counter.name == name && counter.label == label) return counter.value;
    }
    throw std::runtime_error(fmt::format("no counter {}{{{}}}", name, label));
}

void EbpfWorld::restart(EbpfOptions options) {
    datapath_.reset();
    host_.enter();
    open(std::move(options));
}

void EbpfWorld::open(EbpfOptions options) {
    options.bpffs = host_.bpffs();
    if (options.clock == nullptr) options.clock = &clock_;
    auto opened = openEbpfDatapath(options);
    if (!opened) throw std::runtime_error(opened.error().message);
    datapath_ = std::move(*opened);
}

}  // namespace midonet::datapath::ebpf::testing
