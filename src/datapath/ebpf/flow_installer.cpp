#include "datapath/ebpf/flow_installer.h"

#include <bpf/bpf.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace midonet::datapath::ebpf {
namespace {

/// The clock that the programs stamp flows with.
std::uint64_t coarseNow() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

FlowInstaller::FlowInstaller(const KernelObjects& kernel, MaskRegistry& masks, const TunnelTypes& tunnels, const event::Clock& clock,
                             std::uint32_t epoch, const Range& range, const std::vector<bool>& takenSlots)
    : kernel_(kernel), tunnels_(tunnels), clock_(clock), epoch_(epoch), range_(range), masks_(masks),
      pool_(range.firstFlow, range.flowSlots, takenSlots), records_((range.flowSlots + kChunk - 1) / kChunk) {}

Result<Installed> FlowInstaller::install(const flow::FlowKey& key, const flow::FlowMask& mask, const flow::FlowActions& actions) {
    TRY_VOID(encodeActions(actions, tunnels_, encoded_));
    TRY(slot, writeSlots());
    auto table = tableFor(key, mask);
    const auto maskId = isMasked(table) ? masks_.acquire(mask, isWide(table)) : std::nullopt;
    // Without a mask it is narrower than asked for, but right: it serves this packet's flow alone.
    if (isMasked(table) && !maskId) table = key.isIpv6() ? Table::ExactWide : Table::Exact;
    auto bits = encodeKey(key);
    if (maskId) {
        const mn_wide_key seen = encodeMask(mask, isWide(table));
        auto* to = reinterpret_cast<std::uint8_t*>(&bits);
        const auto* with = reinterpret_cast<const std::uint8_t*>(&seen);
        for (std::size_t i = 0; i < sizeof(bits); ++i) to[i] &= with[i];
    }
    remember(slot, table, maskId.value_or(0), bits);
    mn_stats fresh{};
    fresh.last_used_ns = coarseNow();
    kernel_.stats()[slot] = fresh;
    const FlowHandle handle{slot, kernel_.slots()[slot].generation};
    auto replaced = enter(handle);
    if (!replaced) {
        freeFlow(slot);
        return Unexpected{std::move(replaced).error()};
    }
    return Installed{handle, *replaced};
}

void FlowInstaller::remove(FlowHandle handle) {
    if (!isLive(handle)) return;
    const Record& entry = record(handle.slot);
    const int table = kernel_.flowTable(entry.table);
    const auto key = entryKeyOf(entry);
    mn_flow now{};
    // Packets of a tunnel may reach any worker: another may have replaced the entry by now.
    const bool fromTunnel = entry.key.in_port == flow::kTunnelIngress.value();
    const bool ours = !fromTunnel || (::bpf_map_lookup_elem(table, key.data(), &now) == 0 && now.slot == handle.slot &&
                                      now.generation == handle.generation);
    if (ours) ::bpf_map_delete_elem(table, key.data());
    freeFlow(handle.slot);
}

Result<std::uint32_t> FlowInstaller::stage(const flow::FlowActions& actions) {
    TRY_VOID(encodeActions(actions, tunnels_, encoded_));
    if (encoded_.size() > range_.outSlots) return fail(ErrorCode::Invalid, "an action list of {} steps is too long to be executed", actions.size());
    for (std::size_t i = 0; i < encoded_.size(); ++i) {
        const auto slot = range_.firstOut + static_cast<std::uint32_t>(i);
        encoded_[i].next = i + 1 < encoded_.size() ? slot + 1 : 0;
        kernel_.slots()[slot] = encoded_[i];
    }
    std::atomic_thread_fence(std::memory_order_release);
    return range_.firstOut;
}

FlowInstaller::Record& FlowInstaller::record(std::uint32_t slot) {
    const std::size_t offset = slot - pool_.first();
    auto& chunk = records_.at(offset / kChunk);
    if (!chunk) chunk = std::make_unique<std::array<Record, kChunk>>();
    return (*chunk)[offset % kChunk];
}

bool FlowInstaller::isLive(FlowHandle handle) const {
    if (!pool_.owns(handle.slot)) return false;
    const std::size_t offset = handle.slot - pool_.first();
    const auto& chunk = records_[offset / kChunk];
    return chunk && (*chunk)[offset % kChunk].used && kernel_.slots()[handle.slot].generation == handle.generation;
}

void FlowInstaller::remember(std::uint32_t slot, Table table, std::uint8_t mask, const mn_wide_key& key) {
    std::uint32_t wide = 0;
    if (isWide(table)) {
        if (freeWide_.empty()) {
            wide = static_cast<std::uint32_t>(wide_.size());
            wide_.emplace_back();
        } else {
            wide = freeWide_.back();
            freeWide_.pop_back();
        }
        std::memcpy(wide_[wide].data(), key.ip6_src, sizeof(WideAddresses));
    }
    record(slot) = {true, table, mask, wide, key.base};
}

FlowInstaller::EntryKey FlowInstaller::entryKeyOf(const Record& entry) const {
    EntryKey out{};
    auto* to = out.data();
    std::memcpy(to, &entry.key, sizeof(entry.key));
    to += sizeof(entry.key);
    if (isWide(entry.table)) {
        std::memcpy(to, wide_[entry.wide].data(), sizeof(WideAddresses));
        to += sizeof(WideAddresses);
    }
    const std::uint32_t mask = entry.mask;
    if (isMasked(entry.table)) std::memcpy(to, &mask, sizeof(mask));
    return out;
}

/// Puts `encoded_` into free slots; the first of the chain.
Result<std::uint32_t> FlowInstaller::writeSlots() {
    const auto now = clock_.now();
    chain_.clear();
    while (chain_.size() < encoded_.size()) {
        const auto slot = pool_.take(now);
        if (!slot) {
            for (const std::uint32_t unused : chain_) pool_.release(unused, now);
            return fail(ErrorCode::Exhausted, "all {} flow slots of this worker are in use: raise datapath.max_flows", pool_.count());
        }
        chain_.push_back(*slot);
    }
    for (std::size_t i = chain_.size(); i-- > 0;) {
        mn_slot& slot = kernel_.slots()[chain_[i]];
        mn_slot fresh = encoded_[i];
        fresh.generation = slot.generation + 1 != 0 ? slot.generation + 1 : 1;
        fresh.next = i + 1 < chain_.size() ? chain_[i + 1] : 0;
        slot = fresh;
    }
    // Visible before the table entry that names it.
    std::atomic_thread_fence(std::memory_order_release);
    return chain_.front();
}

void FlowInstaller::freeFlow(std::uint32_t slot) {
    Record& entry = record(slot);
    entry.used = false;
    if (isMasked(entry.table)) masks_.release(entry.mask);
    if (isWide(entry.table)) freeWide_.push_back(entry.wide);
    const auto now = clock_.now();
    for (std::uint32_t at = slot; at != 0;) {
        const std::uint32_t next = kernel_.slots()[at].next;
        pool_.release(at, now);
        at = next;
    }
}

/// Makes the table entry. One that was there is replaced, and its slot freed if it was ours.
Result<std::optional<FlowHandle>> FlowInstaller::enter(FlowHandle flow) {
    const Record& entry = record(flow.slot);
    const int table = kernel_.flowTable(entry.table);
    const auto key = entryKeyOf(entry);
    const mn_flow value{flow.slot, flow.generation, epoch_, 0};
    if (::bpf_map_update_elem(table, key.data(), &value, BPF_NOEXIST) == 0) return std::nullopt;
    int error = errno;
    if (error == EEXIST) {
        mn_flow old{};
        const bool found = ::bpf_map_lookup_elem(table, key.data(), &old) == 0;
        if (::bpf_map_update_elem(table, key.data(), &value, BPF_ANY) == 0) {
            const FlowHandle before{old.slot, old.generation};
            if (!found || old.epoch != epoch_ || !isLive(before)) return std::nullopt;
            freeFlow(before.slot);
            return before;
        }
        error = errno;
    }
    if (error == E2BIG || error == ENOMEM) return fail(ErrorCode::Exhausted, "the flow table is full: raise datapath.max_flows");
    return fail(ErrorCode::Unavailable, "cannot install a flow: {}", std::strerror(error));
}

}  // namespace midonet::datapath::ebpf
