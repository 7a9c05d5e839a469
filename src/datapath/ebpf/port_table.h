#pragma once

#include <map>
#include <string>
#include <vector>

#include "datapath/datapath.h"
#include "datapath/ebpf/kernel_objects.h"
#include "datapath/ebpf/traffic_hooks.h"

namespace midonet::datapath::ebpf {

/// The interfaces in the datapath: numbers them, hangs the ingress program on them, tells the kernel
/// side. Control loop only.
class PortTable {
public:
    PortTable(const KernelObjects& kernel, const TrafficHooks& hooks) : kernel_(kernel), hooks_(hooks) {}

    /// Takes over the ports of a former agent; those whose interface is gone are dropped.
    void adopt();
    Result<flow::PortNumber> add(std::string_view interface);
    Result<void> remove(flow::PortNumber port);
    /// Removes adopted ports that were not added again.
    void dropUnconfirmed();
    std::vector<PortInfo> list() const;
    void appendCounters(std::vector<Counter>& out) const;

private:
    struct Port {
        std::string name;
        std::uint32_t ifindex = 0;
        bool confirmed = true;
    };
    std::uint32_t freeNumber();
    void erase(std::uint32_t number);
    void setFastNumber(std::uint32_t ifindex, std::uint32_t number) const;

    const KernelObjects& kernel_;
    const TrafficHooks& hooks_;
    std::map<std::uint32_t, Port> ports_;
};

/// True for a tap or tun interface: its frames come from a virtual machine, not from a network stack.
bool isTap(std::string_view interface);

}  // namespace midonet::datapath::ebpf
