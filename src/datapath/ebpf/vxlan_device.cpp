#include "datapath/ebpf/vxlan_device.h"

#include "netlink/route_socket.h"

namespace midonet::datapath::ebpf {
namespace {

// Frames are checked against the path of their tunnel; the device must not stand in the way.
constexpr std::uint32_t kDeviceMtu = 65000;

}  // namespace

Result<std::uint32_t> openVxlanDevice(const std::string& name, std::uint16_t port) {
    TRY(socket, netlink::RouteSocket::open());
    auto made = socket.createVxlan({name, port, kDeviceMtu});
    int index = 0;
    if (made) {
        index = *made;
    } else if (made.error().code == ErrorCode::AlreadyExists) {
        TRY(link, socket.link(name));
        index = link.index;
    } else {
        return Unexpected{std::move(made).error()};
    }
    TRY_VOID(socket.setUp(index, true));
    return static_cast<std::uint32_t>(index);
}

void removeVxlanDevice(const std::string& name) {
    auto socket = netlink::RouteSocket::open();
    if (!socket) return;
    const auto link = socket->link(name);
    if (link) (void)socket->removeLink(link->index);
}

}  // namespace midonet::datapath::ebpf
