#include "testing/tap_port.h"

#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "datapath/ebpf/vnet_header.h"

namespace midonet::datapath::ebpf::testing {
namespace {

void must(bool ok, const char* what) {
    if (!ok) throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

}  // namespace

TapPort::TapPort(const std::string& name) : TapPort(name, Options{}) {}

TapPort::TapPort(const std::string& name, const Options& options) : name_(name) {
    fd_ = FileDescriptor{::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)};
    must(fd_.valid(), "open /dev/net/tun");
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    must(::ioctl(fd_.get(), TUNSETIFF, &request) == 0, "TUNSETIFF");
    if (options.offloads) must(::ioctl(fd_.get(), TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) == 0, "TUNSETOFFLOAD");
    const FileDescriptor ipv6{::open(fmt::format("/proc/sys/net/ipv6/conf/{}/disable_ipv6", name).c_str(), O_WRONLY)};
    if (ipv6.valid()) must(::write(ipv6.get(), "1", 1) == 1, "disable_ipv6");
    const FileDescriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (options.mac) {
        request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
        options.mac->toWire(reinterpret_cast<std::uint8_t*>(request.ifr_hwaddr.sa_data));
        must(::ioctl(socket.get(), SIOCSIFHWADDR, &request) == 0, "SIOCSIFHWADDR");
    }
    request.ifr_mtu = options.mtu;
    must(::ioctl(socket.get(), SIOCSIFMTU, &request) == 0, "SIOCSIFMTU");
    must(::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0, "SIOCGIFFLAGS");
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    must(::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0, "SIOCSIFFLAGS");
    ifindex_ = ::if_nametoindex(name.c_str());
    read();
}

void TapPort::write(ByteView frame, const Offload& offload) {
    VnetHeader header;
    if (offload.checksumPartial) {
        header.flags = kVnetNeedsChecksum;
        header.checksumStart = offload.checksumStart;
        header.checksumOffset = offload.checksumOffset;
    }
    header.gsoSize = offload.gsoSize;
    header.gsoType = offload.gsoSize != 0 ? offload.gsoType : std::uint8_t{0};
    header.headerLength = offload.gsoSize != 0 ? 54 : 0;
    std::array<iovec, 2> parts{{{&header, sizeof(header)}, {const_cast<std::uint8_t*>(frame.data()), frame.size()}}};
    must(::writev(fd_.get(), parts.data(), parts.size()) > 0, "write to tap");
}

std::vector<TapFrame> TapPort::read() {
    std::vector<TapFrame> out;
    std::vector<std::uint8_t> buffer(70000);
    for (;;) {
        const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
        if (got < static_cast<ssize_t>(sizeof(VnetHeader))) return out;
        VnetHeader header;
        std::memcpy(&header, buffer.data(), sizeof(header));
        TapFrame frame;
        frame.bytes.assign(buffer.begin() + sizeof(header), buffer.begin() + got);
        if ((header.flags & kVnetNeedsChecksum) != 0) {
            frame.offload.checksumPartial = true;
            frame.offload.checksumStart = header.checksumStart;
            frame.offload.checksumOffset = header.checksumOffset;
        }
        frame.offload.gsoSize = header.gsoSize;
        frame.offload.gsoType = header.gsoType;
        out.push_back(std::move(frame));
    }
}

}  // namespace midonet::datapath::ebpf::testing
