#include "datapath/ebpf/adopted_flows.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>

namespace midonet::datapath::ebpf {
namespace {

std::size_t keySize(Table table) {
    switch (table) {
        case Table::Exact: return sizeof(mn_key);
        case Table::ExactWide: return sizeof(mn_wide_key);
        case Table::Masked: return sizeof(mn_masked_key);
        case Table::MaskedWide: return sizeof(mn_wide_masked_key);
    }
    return 0;
}

}  // namespace

AdoptedFlows::AdoptedFlows(const KernelObjects& kernel, MaskRegistry& masks) : kernel_(kernel), masks_(masks), taken_(kernel.slots().size()) {
    if (!kernel.adopted()) return;
    for (const Table table : {Table::Exact, Table::ExactWide, Table::Masked, Table::MaskedWide}) readTable(table);
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
    constexpr std::uint32_t kBatch = 4096;
    const std::size_t size = keySize(table);
    std::vector<std::uint8_t> keys(kBatch * size);
    std::vector<mn_flow> values(kBatch);
    std::uint64_t cursor = 0;
    bool first = true;
    for (;;) {
        std::uint32_t count = kBatch;
        const int result = ::bpf_map_lookup_batch(kernel_.flowTable(table), first ? nullptr : &cursor, &cursor, keys.data(), values.data(), &count, nullptr);
        if (result != 0 && errno != ENOENT) return;
        first = false;
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::uint8_t* key = keys.data() + i * size;
            flows_.push_back({table, {key, key + size}, values[i].slot});
            take(values[i].slot);
            if (isMasked(table)) maskIds_.insert(static_cast<std::uint8_t>(key[size - 8] % MN_MAX_MASKS));
        }
        if (result != 0) return;
    }
}

void AdoptedFlows::take(std::uint32_t slot) {
    while (slot != 0 && slot < taken_.size() && !taken_[slot]) {
        taken_[slot] = true;
        slot = kernel_.slots()[slot].next;
    }
}

}  // namespace midonet::datapath::ebpf
