#pragma once

#include <array>
#include <memory>
#include <vector>

#include "datapath/datapath.h"
#include "datapath/ebpf/action_codec.h"
#include "datapath/ebpf/kernel_objects.h"
#include "datapath/ebpf/mask_registry.h"
#include "datapath/ebpf/slot_pool.h"

namespace midonet::datapath::ebpf {

/// The flows of one worker: writes action slots and table entries, and remembers which is whose. Used
/// by that worker's thread, but for pool().giveBack().
class FlowInstaller {
public:
    /// `outSlots`: the slots for lists of packets sent out, and their first.
    struct Range {
        std::uint32_t firstOut = 0;
        std::uint32_t outSlots = 0;
        std::uint32_t firstFlow = 0;
        std::uint32_t flowSlots = 0;
    };
    FlowInstaller(const KernelObjects& kernel, MaskRegistry& masks, const TunnelTypes& tunnels, const event::Clock& clock, std::uint32_t epoch,
                  const Range& range, const std::vector<bool>& takenSlots);

    Result<FlowHandle> install(const flow::FlowKey& key, const flow::FlowMask& mask, const flow::FlowActions& actions);
    void remove(FlowHandle handle);
    /// Writes a list into the slots for packets sent out; the slot to name in the mark.
    Result<std::uint32_t> stage(const flow::FlowActions& actions);
    SlotPool& pool() { return pool_; }
    std::size_t capacity() const { return pool_.count(); }

private:
    struct Record {
        std::uint32_t generation = 0;  ///< 0 = no flow here.
        Table table = Table::Exact;
        bool hasMask = false;
        std::uint8_t mask = 0;
        std::array<std::uint8_t, sizeof(mn_wide_masked_key)> key{};
    };
    static constexpr std::size_t kChunk = 1024;

    Record& record(std::uint32_t slot);
    Record* findRecord(FlowHandle handle);
    Result<std::uint32_t> writeSlots(std::uint32_t& generation);
    void freeFlow(std::uint32_t slot);
    void writeKey(Record& out, const flow::FlowKey& key, const flow::FlowMask& mask) const;
    Result<void> enter(const Record& entry, std::uint32_t slot);

    const KernelObjects& kernel_;
    const TunnelTypes& tunnels_;
    const event::Clock& clock_;
    const std::uint32_t epoch_;
    const Range range_;
    MaskUsers masks_;
    SlotPool pool_;
    std::vector<std::unique_ptr<std::array<Record, kChunk>>> records_;  ///< made as slots come into use
    std::vector<mn_slot> encoded_;
    std::vector<std::uint32_t> chain_;
};

}  // namespace midonet::datapath::ebpf
