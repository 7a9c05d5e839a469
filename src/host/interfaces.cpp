#include "host/interfaces.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "base/scope_guard.h"
#include "netlink/monitor.h"

namespace midonet::host {
namespace {

/// ETHTOOL_GDRVINFO; empty where the device has no driver to name.
std::string driverOf(const std::string& name) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return {};
    const ScopeGuard close([fd] { ::close(fd); });
    ethtool_drvinfo info{};
    info.cmd = ETHTOOL_GDRVINFO;
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&info);
    if (::ioctl(fd, SIOCETHTOOL, &request) != 0) return {};
    return {info.driver, ::strnlen(info.driver, sizeof info.driver)};
}

bool isOneOf(std::string_view kind, std::initializer_list<std::string_view> kinds) {
    return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

class KernelInterfaces final : public Interfaces {
public:
    explicit KernelInterfaces(netlink::Monitor& monitor) : monitor_(monitor), list_(read()) {
        watch_ = monitor_.onChange([this](const std::vector<netlink::Event>& events) {
            const bool ours = std::any_of(events.begin(), events.end(), [](const netlink::Event& event) {
                return std::holds_alternative<netlink::Change<netlink::Link>>(event) ||
                       std::holds_alternative<netlink::Change<netlink::Address>>(event);
            });
            if (ours) update();
        });
    }
    const std::vector<Interface>& list() const override { return list_; }
    void onChange(std::function<void()> callback) override { callback_ = std::move(callback); }

private:
    void update() {
        auto next = read();
        if (next == list_) return;
        list_ = std::move(next);
        if (callback_) callback_();
    }
    std::vector<Interface> read() {
        const auto& mirror = monitor_.mirror();
        std::erase_if(drivers_, [&](const auto& entry) { return mirror.link(entry.first) == nullptr; });
        std::vector<Interface> out;
        for (const auto& [index, link] : mirror.links()) {
            if (!link.mac) continue;
            const auto [type, endpoint] = classify(link, driver(link));
            out.push_back({link.name, static_cast<std::uint32_t>(index), *link.mac, link.mtu, link.up,
                           link.hasCarrier, mirror.addressesOf(index), type, endpoint});
        }
        return out;
    }
    /// Asked once per device, and only where the kernel's messages do not say enough.
    std::string_view driver(const netlink::Link& link) {
        if (link.loopback || !link.kind.empty() || !link.parentDevice.empty()) return {};
        const auto [entry, isNew] = drivers_.try_emplace(link.index);
        if (isNew) entry->second = driverOf(link.name);
        return entry->second;
    }

    netlink::Monitor& monitor_;
    std::map<int, std::string> drivers_;  // by link index
    std::vector<Interface> list_;
    std::function<void()> callback_;
    event::HandlePtr watch_;
};

}  // namespace

const Interface* Interfaces::find(std::string_view name) const {
    const auto found = std::find_if(list().begin(), list().end(),
                                    [&](const Interface& interface) { return interface.name == name; });
    return found == list().end() ? nullptr : &*found;
}

std::unique_ptr<Interfaces> followInterfaces(netlink::Monitor& monitor) {
    return std::make_unique<KernelInterfaces>(monitor);
}

Classification classify(const netlink::Link& link, std::string_view driver) {
    if (link.loopback) return {InterfaceType::Virtual, Endpoint::Localhost};
    const std::string_view kind = link.kind.empty() ? driver : std::string_view(link.kind);
    if (kind == "openvswitch") return {InterfaceType::Virtual, Endpoint::Datapath};
    if (kind == "tun") return {InterfaceType::Virtual, Endpoint::TunTap};
    if (isOneOf(kind, {"gre", "gretap", "erspan", "ip6gre", "ip6gretap", "ip6erspan"}))
        return {InterfaceType::Tunnel, Endpoint::Gre};
    if (isOneOf(kind, {"vxlan", "geneve", "ipip", "sit", "ip6tnl", "vti", "vti6", "wireguard", "gtp", "bareudp"}))
        return {InterfaceType::Tunnel, Endpoint::Unknown};
    if (!link.kind.empty() || isOneOf(kind, {"veth", "bridge", "bonding", "dummy", "802.1Q VLAN Support"}))
        return {InterfaceType::Virtual, Endpoint::Unknown};
    if (!link.parentDevice.empty() || !driver.empty()) return {InterfaceType::Physical, Endpoint::Physical};
    return {InterfaceType::Unknown, Endpoint::Unknown};
}

}  // namespace midonet::host
