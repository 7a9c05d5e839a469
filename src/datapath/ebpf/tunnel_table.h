#pragma once

#include <map>
#include <set>
#include <vector>

#include "datapath/datapath.h"
#include "datapath/ebpf/action_codec.h"
#include "datapath/ebpf/kernel_objects.h"
#include "datapath/ebpf/traffic_hooks.h"

namespace midonet::datapath::ebpf {

/// The ways to peer hosts: entries with ready-made outer headers, our underlay addresses, and the hook
/// on every underlay interface. Control loop only, but for typeOf().
class TunnelTable final : public TunnelTypes {
public:
    TunnelTable(const KernelObjects& kernel, const TrafficHooks& hooks, std::uint16_t vxlanPort)
        : kernel_(kernel), hooks_(hooks), vxlanPort_(vxlanPort) {}

    /// Takes over the tunnels of a former agent.
    void adopt();
    /// VXLAN goes out through the kernel's device, not by hand.
    void useVxlanDevice(bool use);
    Result<flow::TunnelId> add(const TunnelSpec& spec);
    Result<void> setPath(flow::TunnelId tunnel, const std::optional<TunnelPath>& path);
    Result<void> remove(flow::TunnelId tunnel);
    void dropUnconfirmed();

    /// Any thread.
    std::uint32_t typeOf(flow::TunnelId tunnel) const override;

private:
    struct Tunnel {
        TunnelSpec spec;
        bool confirmed = true;
    };
    std::uint32_t modeOf(TunnelType type) const;
    /// Makes addresses and hooks those that the tunnels need.
    Result<void> syncUnderlay();

    const KernelObjects& kernel_;
    const TrafficHooks& hooks_;
    const std::uint16_t vxlanPort_;
    bool vxlanDevice_ = false;
    bool adopting_ = false;
    std::map<std::uint32_t, Tunnel> tunnels_;
    std::set<std::uint32_t> hooked_;     ///< by this process
    std::set<std::uint32_t> addresses_;  ///< network order
};

/// The outer headers that `path` and `spec` ask for; `out` has no path yet.
void writeHeader(mn_tunnel& out, const TunnelSpec& spec, const TunnelPath& path, std::uint16_t vxlanPort);

}  // namespace midonet::datapath::ebpf
