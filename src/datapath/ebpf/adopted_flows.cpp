#include "datapath/ebpf/adopted_flows.h"

#include <bpf/bpf.h>

#include "datapath/ebpf/flow_entries.h"

namespace midonet::datapath::ebpf {
AdoptedFlows::AdoptedFlows(const KernelObjects& kernel, MaskRegistry& masks) : kernel_(kernel), masks_(masks), taken_(kernel.slots().size()) {
    if (!kernel.adopted()) return;
    for (const Table table : kTables) readTable(table);
    for (const std::uint8_t id : maskIds_) masks_.adopt(id);
}

std::vector<std::uint32_t> AdoptedFlows::sweep(std::uint32_t epoch) {
    for (const Flow& flow : flows_) {
        const int table = kernel_.flowTable(flow.table);
        mn_flow value{};
        if (::bpf_map_lookup_and_delete_elem(table, flow.key.data(), &value) != 0) continue;
        // A worker has put its own flow there: it must stay.
        if (value.epoch >= epoch) ::bpf_map_update_elem(table, flow.key.data(), &value, BPF_NOEXIST);
    }
    std::vector<std::uint32_t> free;
    for (std::uint32_t slot = 0; slot < taken_.size(); ++slot) {
        if (taken_[slot]) free.push_back(slot);
    }
    for (const std::uint8_t id : maskIds_) masks_.release(id);
    flows_.clear();
    maskIds_.clear();
    taken_.assign(taken_.size(), false);
    return free;
}

void AdoptedFlows::readTable(Table table) {
    FlowEntries entries(kernel_.flowTable(table), table);
    while (entries.next()) {
        for (std::size_t i = 0; i < entries.size(); ++i) {
            const auto key = entries.key(i);
            flows_.push_back({table, {key.begin(), key.end()}, entries.value(i).slot});
            take(entries.value(i).slot);
            if (isMasked(table)) maskIds_.insert(maskIdOf(key));
        }
    }
}

void AdoptedFlows::take(std::uint32_t slot) {
    while (slot != 0 && slot < taken_.size() && !taken_[slot]) {
        taken_[slot] = true;
        slot = kernel_.slots()[slot].next;
    }
}

}  // namespace midonet::datapath::ebpf
