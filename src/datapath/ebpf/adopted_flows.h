#pragma once

#include <set>
#include <vector>

#include "datapath/ebpf/kernel_objects.h"
#include "datapath/ebpf/mask_registry.h"

namespace midonet::datapath::ebpf {

/// The flows that a former agent left. They stay in force, and their slots taken, until sweep().
/// Control loop only.
class AdoptedFlows {
public:
    /// Reads all tables; about 0.5 us a flow.
    AdoptedFlows(const KernelObjects& kernel, MaskRegistry& masks);

    /// By slot.
    const std::vector<bool>& takenSlots() const { return taken_; }
    std::size_t size() const { return flows_.size(); }
    /// Removes those that were not replaced since by an agent of `epoch`; the slots that are free now.
    std::vector<std::uint32_t> sweep(std::uint32_t epoch);

private:
    struct Flow {
        Table table;
        std::vector<std::uint8_t> key;
        std::uint32_t slot;
    };
    void readTable(Table table);
    void take(std::uint32_t slot);

    const KernelObjects& kernel_;
    MaskRegistry& masks_;
    std::vector<bool> taken_;
    std::vector<Flow> flows_;
    std::set<std::uint8_t> maskIds_;
};

}  // namespace midonet::datapath::ebpf
