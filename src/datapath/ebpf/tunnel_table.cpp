#include "datapath/ebpf/tunnel_table.h"

#include <bpf/bpf.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "packet/protocols.h"

namespace midonet::datapath::ebpf {
namespace {

std::uint32_t wireWord(net::Ipv4Address address) {
    std::uint32_t out;
    address.toWire(reinterpret_cast<std::uint8_t*>(&out));
    return out;
}
net::Ipv4Address fromWireWord(std::uint32_t wire) { return net::Ipv4Address::fromWire(reinterpret_cast<const std::uint8_t*>(&wire)); }

void publish(std::uint32_t& field, std::uint32_t value) {
    std::atomic_ref<std::uint32_t>{field}.store(value, std::memory_order_release);
}

/// The interfaces that hold any of `addresses`.
std::set<std::uint32_t> interfacesOf(const std::set<std::uint32_t>& addresses) {
    std::set<std::uint32_t> out;
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return out;
    for (const ifaddrs* at = all; at != nullptr; at = at->ifa_next) {
        if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET) continue;
        const auto* address = reinterpret_cast<const sockaddr_in*>(at->ifa_addr);
        if (addresses.contains(address->sin_addr.s_addr)) out.insert(::if_nametoindex(at->ifa_name));
    }
    ::freeifaddrs(all);
    out.erase(0);
    return out;
}

}  // namespace

void TunnelTable::adopt() {
    adopting_ = true;
    for (std::uint32_t id = 1; id < MN_MAX_TUNNELS; ++id) {
        const mn_tunnel& entry = kernel_.tunnels()[id];
        if (entry.in_use == 0) continue;
        const TunnelType type = entry.type == MN_TUNNEL_GRE ? TunnelType::Gre : TunnelType::Vxlan;
        tunnels_[id] = Tunnel{{type, fromWireWord(entry.local), fromWireWord(entry.remote)}, false};
    }
    for (const std::uint32_t ifindex : hooks_.attached(TrafficHooks::Kind::Underlay)) {
        if (hooks_.attach(TrafficHooks::Kind::Underlay, ifindex, kernel_.program("mn_underlay_in"))) {
            hooked_.insert(ifindex);
        } else {
            hooks_.detach(TrafficHooks::Kind::Underlay, ifindex);
        }
    }
    for (const auto& [id, tunnel] : tunnels_) addresses_.insert(wireWord(tunnel.spec.local));
}

void TunnelTable::useVxlanDevice(bool use) {
    vxlanDevice_ = use;
    for (const auto& [id, tunnel] : tunnels_) publish(kernel_.tunnels()[id].mode, modeOf(tunnel.spec.type));
}

Result<flow::TunnelId> TunnelTable::add(const TunnelSpec& spec) {
    for (auto& [id, tunnel] : tunnels_) {
        if (tunnel.spec != spec) continue;
        tunnel.confirmed = true;
        TRY_VOID(syncUnderlay());
        return flow::TunnelId{id};
    }
    std::uint32_t id = 1;
    while (id < MN_MAX_TUNNELS && tunnels_.contains(id)) ++id;
    if (id == MN_MAX_TUNNELS) return fail(ErrorCode::Exhausted, "the datapath has {} tunnels, more it cannot hold", MN_MAX_TUNNELS - 1);
    mn_tunnel entry{};
    entry.type = spec.type == TunnelType::Gre ? MN_TUNNEL_GRE : MN_TUNNEL_VXLAN;
    entry.mode = modeOf(spec.type);
    entry.local = wireWord(spec.local);
    entry.remote = wireWord(spec.remote);
    entry.in_use = 1;
    kernel_.tunnels()[id] = entry;
    tunnels_[id] = Tunnel{spec, true};
    TRY_VOID(syncUnderlay());
    return flow::TunnelId{id};
}

Result<void> TunnelTable::setPath(flow::TunnelId tunnel, const std::optional<TunnelPath>& path) {
    const auto it = tunnels_.find(tunnel.value());
    if (it == tunnels_.end()) return fail(ErrorCode::NotFound, "no tunnel {} in the datapath", tunnel);
    mn_tunnel& entry = kernel_.tunnels()[tunnel.value()];
    mn_tunnel fresh = entry;
    fresh.ifindex = 0;
    if (path) writeHeader(fresh, it->second.spec, *path, vxlanPort_);
    const bool same = path && entry.ifindex == path->ifindex && entry.mtu == fresh.mtu && std::memcmp(entry.header, fresh.header, sizeof(fresh.header)) == 0;
    if (same) return syncUnderlay();
    // Packets between these two are dropped, not sent with half a header.
    publish(entry.ifindex, 0);
    entry = fresh;
    if (path) publish(entry.ifindex, path->ifindex);
    return syncUnderlay();
}

Result<void> TunnelTable::remove(flow::TunnelId tunnel) {
    if (tunnels_.erase(tunnel.value()) == 0) return fail(ErrorCode::NotFound, "no tunnel {} in the datapath", tunnel);
    publish(kernel_.tunnels()[tunnel.value()].ifindex, 0);
    publish(kernel_.tunnels()[tunnel.value()].in_use, 0);
    return syncUnderlay();
}

void TunnelTable::dropUnconfirmed() {
    adopting_ = false;
    std::vector<flow::TunnelId> gone;
    for (const auto& [id, tunnel] : tunnels_) {
        if (!tunnel.confirmed) gone.push_back(flow::TunnelId{id});
    }
    for (const flow::TunnelId id : gone) (void)remove(id);
    (void)syncUnderlay();
}

std::uint32_t TunnelTable::typeOf(flow::TunnelId tunnel) const {
    if (tunnel.value() >= MN_MAX_TUNNELS) return MN_TUNNEL_NONE;
    return std::atomic_ref<std::uint32_t>{kernel_.tunnels()[tunnel.value()].type}.load(std::memory_order_acquire);
}

std::uint32_t TunnelTable::modeOf(TunnelType type) const {
    if (type == TunnelType::Gre) return MN_TUNNEL_GRE;
    return vxlanDevice_ ? MN_TUNNEL_VXLAN_DEVICE : MN_TUNNEL_VXLAN;
}

Result<void> TunnelTable::syncUnderlay() {
    std::set<std::uint32_t> addresses;
    for (const auto& [id, tunnel] : tunnels_) addresses.insert(wireWord(tunnel.spec.local));
    const int map = kernel_.map("mn_local_addresses");
    const std::uint32_t one = 1;
    for (const std::uint32_t address : addresses) {
        if (::bpf_map_update_elem(map, &address, &one, BPF_ANY) != 0) {
            return fail(ErrorCode::Exhausted, "more than {} underlay addresses on this host", MN_MAX_LOCAL_ADDRESSES);
        }
    }
    for (const std::uint32_t address : addresses_) {
        if (!addresses.contains(address)) ::bpf_map_delete_elem(map, &address);
    }
    addresses_ = addresses;

    std::set<std::uint32_t> wanted = interfacesOf(addresses);
    for (const auto& [id, tunnel] : tunnels_) wanted.insert(kernel_.tunnels()[id].ifindex);
    wanted.erase(0);
    for (const std::uint32_t ifindex : wanted) {
        if (hooked_.contains(ifindex)) continue;
        TRY_VOID(hooks_.attach(TrafficHooks::Kind::Underlay, ifindex, kernel_.program("mn_underlay_in")));
        hooked_.insert(ifindex);
    }
    if (adopting_) return {};  // What is not wanted yet may be in a moment.
    for (auto it = hooked_.begin(); it != hooked_.end();) {
        if (wanted.contains(*it)) {
            ++it;
            continue;
        }
        hooks_.detach(TrafficHooks::Kind::Underlay, *it);
        it = hooked_.erase(it);
    }
    return {};
}

void writeHeader(mn_tunnel& out, const TunnelSpec& spec, const TunnelPath& path, std::uint16_t vxlanPort) {
    std::uint8_t* p = out.header;
    std::memset(p, 0, sizeof(out.header));
    out.mtu = path.mtu;
    path.nextHop.toWire(p);
    path.source.toWire(p + 6);
    storeBe16(p + 12, packet::ethertype::kIpv4);
    std::uint8_t* ip = p + 14;  // No flags: an underlay router may fragment. TTL 255.
    ip[0] = 0x45;
    ip[8] = 255;
    spec.local.toWire(ip + 12);
    spec.remote.toWire(ip + 16);
    std::uint8_t* after = ip + 20;
    if (spec.type == TunnelType::Gre) {
        ip[9] = packet::ipproto::kGre;
        storeBe16(after, 0x2000);  // key present (RFC 2890)
        storeBe16(after + 2, packet::ethertype::kTransparentBridging);
    } else {
        ip[9] = packet::ipproto::kUdp;
        storeBe16(after + 2, vxlanPort);
        after[8] = 0x08;  // VNI present (RFC 7348)
    }
    // In the order of memory, as the program adds the missing words.
    out.ip_sum = 0;
    for (int i = 0; i < 20; i += 2) {
        std::uint16_t word;
        std::memcpy(&word, ip + i, 2);
        out.ip_sum += word;
    }
}

}  // namespace midonet::datapath::ebpf
