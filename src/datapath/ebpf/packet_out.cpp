#include "datapath/ebpf/packet_out.h"

#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "datapath/ebpf/vnet_header.h"
#include "packet/parse.h"

namespace midonet::datapath::ebpf {
namespace {

// The most a tap takes; GSO packets are bigger and pass all the same.
constexpr int kTapMtu = 65521;

Result<void> control(int socket, unsigned long request, ifreq& argument, std::string_view what) {
    if (::ioctl(socket, request, &argument) == 0) return {};
    return fail(ErrorCode::Unavailable, "cannot {} {}: {}", what, argument.ifr_name, std::strerror(errno));
}

/// Without this the kernel would send neighbour discovery through the tap.
void disableIpv6(const std::string& interface) {
    const std::string path = "/proc/sys/net/ipv6/conf/" + interface + "/disable_ipv6";
    const FileDescriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (file.valid() && ::write(file.get(), "1", 1) < 0) {
        return;  // Only noise: the hook drops what carries no mark.
    }
}

VnetHeader headerFor(ByteView frame, const Offload& offload) {
    VnetHeader header;
    if (offload.checksumPartial) {
        header.flags = kVnetNeedsChecksum;
        header.checksumStart = offload.checksumStart;
        header.checksumOffset = offload.checksumOffset;
    }
    if (offload.gsoSize != 0) {
        header.gsoSize = offload.gsoSize;
        header.gsoType = offload.gsoType;
        const auto parsed = packet::parse(frame);
        header.headerLength = static_cast<std::uint16_t>(parsed ? parsed->payloadOffset : frame.size());
    }
    return header;
}

}  // namespace

Result<PacketOut> PacketOut::open(const std::string& tapName, unsigned workers) {
    PacketOut out;
    out.tap_ = FileDescriptor{::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)};
    if (!out.tap_.valid()) return fail(ErrorCode::Unavailable, "cannot open /dev/net/tun: {}; run 'modprobe tun'", std::strerror(errno));
    ifreq request{};
    if (tapName.size() >= sizeof(request.ifr_name)) return fail(ErrorCode::Invalid, "'{}' is too long for an interface name (15)", tapName);
    std::memcpy(request.ifr_name, tapName.c_str(), tapName.size());
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    if (::ioctl(out.tap_.get(), TUNSETIFF, &request) != 0) {
        if (errno == EBUSY) {
            return fail(ErrorCode::Conflict, "another agent runs in this network namespace: it holds the interface {}; stop it first", tapName);
        }
        return fail(ErrorCode::Unavailable, "cannot make the interface {}: {}", tapName, std::strerror(errno));
    }
    disableIpv6(tapName);
    const FileDescriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    request.ifr_mtu = kTapMtu;
    TRY_VOID(control(socket.get(), SIOCSIFMTU, request, "set the MTU of"));
    TRY_VOID(control(socket.get(), SIOCGIFFLAGS, request, "read the flags of"));
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    TRY_VOID(control(socket.get(), SIOCSIFFLAGS, request, "bring up"));
    TRY_VOID(control(socket.get(), SIOCGIFINDEX, request, "find"));
    out.ifindex_ = static_cast<std::uint32_t>(request.ifr_ifindex);

    for (unsigned i = 0; i < workers; ++i) {
        out.sockets_.emplace_back(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
        const int fd = out.sockets_.back().get();
        const int on = 1;
        const int sendBuffer = 4 << 20;  // GSO packets count with all their pages.
        sockaddr_ll address{};
        address.sll_family = AF_PACKET;
        address.sll_ifindex = request.ifr_ifindex;
        if (fd < 0 || ::setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) != 0 ||
            ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
            return fail(ErrorCode::Unavailable, "no packet socket for {}: {}; CAP_NET_RAW is needed", tapName, std::strerror(errno));
        }
        ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &sendBuffer, sizeof(sendBuffer));
    }
    return out;
}

Result<void> PacketOut::send(WorkerIndex worker, std::uint32_t slot, ByteView frame, const Offload& offload) const {
    VnetHeader header = headerFor(frame, offload);
    std::array<iovec, 2> parts{{{&header, sizeof(header)}, {const_cast<std::uint8_t*>(frame.data()), frame.size()}}};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint32_t))> control{};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* mark = CMSG_FIRSTHDR(&message);
    mark->cmsg_level = SOL_SOCKET;
    mark->cmsg_type = SO_MARK;
    mark->cmsg_len = CMSG_LEN(sizeof(std::uint32_t));
    const std::uint32_t value = slot + 1;
    std::memcpy(CMSG_DATA(mark), &value, sizeof(value));
    // A machine that does not take its packets must not hold the worker.
    if (::sendmsg(sockets_.at(worker).get(), &message, MSG_DONTWAIT) >= 0) return {};
    if (errno == ENOBUFS) return fail(ErrorCode::Unavailable, "the packet could not leave: none of its ports or tunnels took it");
    return fail(ErrorCode::Unavailable, "the kernel refused a packet of {} bytes: {}", frame.size(), std::strerror(errno));
}

}  // namespace midonet::datapath::ebpf
