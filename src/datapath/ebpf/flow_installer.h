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

    Result<Installed> install(const flow::FlowKey& key, const flow::FlowMask& mask, const flow::FlowActions& actions);
    void remove(FlowHandle handle);
    /// Writes a list into the slots for packets sent out; the slot to name in the mark.
    Result<std::uint32_t> stage(const flow::FlowActions& actions);
    SlotPool& pool() { return pool_; }
    std::size_t capacity() const { return pool_.count(); }

private:
    /// Where a flow is: enough to remove it, 64 bytes (that of IPv6 addresses has the rest of its key in wide_).
    struct Record {
        bool used = false;
        Table table = Table::Exact;
        std::uint8_t mask = 0;   ///< Of a masked table.
        std::uint32_t wide = 0;  ///< Of a wide table: index into wide_.
        mn_key key{};
    };
    using WideAddresses = std::array<std::uint8_t, sizeof(mn_wide_key) - sizeof(mn_key)>;
    /// The key of a table entry, as the kernel wants it.
    using EntryKey = std::array<std::uint8_t, sizeof(mn_wide_masked_key)>;
    static constexpr std::size_t kChunk = 1024;

    Record& record(std::uint32_t slot);
    bool isLive(FlowHandle handle) const;
    void remember(std::uint32_t slot, Table table, std::uint8_t mask, const mn_wide_key& key);
    EntryKey entryKeyOf(const Record& entry) const;
    Result<std::uint32_t> writeSlots();
    void freeFlow(std::uint32_t slot);
    Result<std::optional<FlowHandle>> enter(FlowHandle flow);

    const KernelObjects& kernel_;
    const TunnelTypes& tunnels_;
    const event::Clock& clock_;
    const std::uint32_t epoch_;
    const Range range_;
    MaskUsers masks_;
    SlotPool pool_;
    std::vector<std::unique_ptr<std::array<Record, kChunk>>> records_;  ///< made as slots come into use
    std::vector<WideAddresses> wide_;
    std::vector<std::uint32_t> freeWide_;
    std::vector<mn_slot> encoded_;
    std::vector<std::uint32_t> chain_;
};

}  // namespace midonet::datapath::ebpf
