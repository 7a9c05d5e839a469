#include "datapath/ebpf/port_table.h"

#include <bpf/bpf.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace midonet::datapath::ebpf {

void PortTable::adopt() {
    const int map = kernel_.map("mn_ports");
    std::vector<std::pair<std::uint32_t, mn_port>> found;
    std::uint32_t ifindex = 0;
    for (int more = ::bpf_map_get_next_key(map, nullptr, &ifindex); more == 0; more = ::bpf_map_get_next_key(map, &ifindex, &ifindex)) {
        mn_port port{};
        if (::bpf_map_lookup_elem(map, &ifindex, &port) == 0) found.emplace_back(ifindex, port);
    }
    for (const auto& [index, port] : found) {
        if (port.number >= MN_MAX_PORTS) continue;
        ports_[port.number] = Port{port.name, index, false};
        std::array<char, IF_NAMESIZE> name{};
        if (::if_indextoname(index, name.data()) == nullptr) erase(port.number);
    }
}

Result<flow::PortNumber> PortTable::add(std::string_view interface) {
    const std::string name{interface};
    const std::uint32_t ifindex = name.size() < IF_NAMESIZE ? ::if_nametoindex(name.c_str()) : 0;
    if (ifindex == 0) return fail(ErrorCode::NotFound, "no interface '{}' on this host", interface);
    // An interface of this name that is gone: this is another one.
    for (auto it = ports_.begin(); it != ports_.end();) {
        const auto at = it++;
        if (at->second.name == name && at->second.ifindex != ifindex) erase(at->first);
    }
    const auto known = std::find_if(ports_.begin(), ports_.end(), [&](const auto& p) { return p.second.ifindex == ifindex; });
    std::uint32_t number = 0;
    if (known != ports_.end()) {
        number = known->first;
        known->second.name = name;
    } else {
        number = freeNumber();
        if (number == 0) return fail(ErrorCode::Exhausted, "the datapath has {} ports, more it cannot hold", MN_MAX_PORTS - 1);
        mn_port entry{};
        entry.number = number;
        entry.ring = number % kernel_.config().rings;
        std::memcpy(entry.name, name.c_str(), std::min(name.size(), sizeof(entry.name) - 1));
        if (::bpf_map_update_elem(kernel_.map("mn_ports"), &ifindex, &entry, BPF_ANY) != 0) {
            return fail(ErrorCode::Unavailable, "cannot enter port '{}': {}", interface, std::strerror(errno));
        }
        setFastNumber(ifindex, number);
        kernel_.portTargets()[number].ifindex = ifindex;
        ports_[number] = Port{name, ifindex, true};
    }
    auto attached = hooks_.attach(TrafficHooks::Kind::Port, ifindex, kernel_.program("mn_port_in"));
    if (!attached) {
        erase(number);
        return Unexpected{attached.error().withContext(fmt::format("interface '{}'", interface))};
    }
    ports_[number].confirmed = true;
    return flow::PortNumber{number};
}

Result<void> PortTable::remove(flow::PortNumber port) {
    if (!ports_.contains(port.value())) return fail(ErrorCode::NotFound, "no port {} in the datapath", port);
    erase(port.value());
    return {};
}

void PortTable::dropUnconfirmed() {
    for (auto it = ports_.begin(); it != ports_.end();) {
        const auto at = it++;
        if (!at->second.confirmed) erase(at->first);
    }
}

std::vector<PortInfo> PortTable::list() const {
    std::vector<PortInfo> out;
    for (const auto& [number, port] : ports_) out.push_back({flow::PortNumber{number}, port.name, port.ifindex});
    return out;
}

void PortTable::appendCounters(std::vector<Counter>& out) const {
    for (const auto& [number, port] : ports_) {
        mn_port entry{};
        if (::bpf_map_lookup_elem(kernel_.map("mn_ports"), &port.ifindex, &entry) != 0) continue;
        out.push_back({"port_upcalls", "port=" + port.name, entry.upcalls});
        out.push_back({"port_throttled", "port=" + port.name, entry.throttled});
    }
}

/// Numbers are handed out in turn, so that one does not come back while flows may still name it.
std::uint32_t PortTable::freeNumber() {
    mn_config& config = kernel_.config();
    for (std::uint32_t tried = 0; tried < MN_MAX_PORTS; ++tried) {
        config.next_port = static_cast<std::uint16_t>(config.next_port + 1 < MN_MAX_PORTS ? config.next_port + 1 : 1);
        if (!ports_.contains(config.next_port)) return config.next_port;
    }
    return 0;
}

void PortTable::setFastNumber(std::uint32_t ifindex, std::uint32_t number) const {
    if (ifindex < MN_FAST_IFINDEX) ::bpf_map_update_elem(kernel_.map("mn_port_numbers"), &ifindex, &number, BPF_ANY);
}

void PortTable::erase(std::uint32_t number) {
    const auto it = ports_.find(number);
    if (it == ports_.end()) return;
    kernel_.portTargets()[number].ifindex = 0;
    hooks_.detach(TrafficHooks::Kind::Port, it->second.ifindex);
    setFastNumber(it->second.ifindex, 0);
    ::bpf_map_delete_elem(kernel_.map("mn_ports"), &it->second.ifindex);
    ports_.erase(it);
}

bool isTap(std::string_view interface) {
    ethtool_drvinfo info{};
    info.cmd = ETHTOOL_GDRVINFO;
    ifreq request{};
    interface.copy(request.ifr_name, IF_NAMESIZE - 1);
    request.ifr_data = reinterpret_cast<char*>(&info);
    const FileDescriptor socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    return ::ioctl(socket.get(), SIOCETHTOOL, &request) == 0 && std::string_view{info.driver} == "tun";
}

}  // namespace midonet::datapath::ebpf
