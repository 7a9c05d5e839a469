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

bool fromTunnel(const std::array<std::uint8_t, sizeof(mn_wide_masked_key)>& key) {
    std::uint32_t inPort;
    std::memcpy(&inPort, key.data(), sizeof(inPort));
    return inPort == flow::kTunnelIngress.value();
}

}  // namespace

FlowInstaller::FlowInstaller(const KernelObjects& kernel, MaskRegistry& masks, const TunnelTypes& tunnels, const event::Clock& clock,
                             std::uint32_t epoch, const Range& range, const std::vector<bool>& takenSlots)
    : kernel_(kernel), tunnels_(tunnels), clock_(clock), epoch_(epoch), range_(range), masks_(masks),
      pool_(range.firstFlow, range.flowSlots, takenSlots), records_((range.flowSlots + kChunk - 1) / kChunk) {}

Result<FlowHandle> FlowInstaller::install(const flow::FlowKey& key, const flow::FlowMask& mask, const flow::FlowActions& actions) {
    TRY_VOID(encodeActions(actions, tunnels_, encoded_));
    std::uint32_t generation = 0;
    TRY(slot, writeSlots(generation));
    Record entry;
    entry.generation = generation;
    entry.table = tableFor(key, mask);
    if (isMasked(entry.table)) {
        const auto id = masks_.acquire(mask, isWide(entry.table));
        if (id) {
            entry.hasMask = true;
            entry.mask = *id;
        } else {
            // Narrower than asked for, but right: it serves this packet's flow alone.
            entry.table = key.isIpv6() ? Table::ExactWide : Table::Exact;
        }
    }
    writeKey(entry, key, mask);
    mn_stats fresh{};
    fresh.last_used_ns = coarseNow();
    kernel_.stats()[slot] = fresh;
    auto entered = enter(entry, slot);
    record(slot) = entry;
    if (!entered) {
        freeFlow(slot);
        return Unexpected{std::move(entered).error()};
    }
    return FlowHandle{slot, generation};
}

void FlowInstaller::remove(FlowHandle handle) {
    Record* entry = findRecord(handle);
    if (entry == nullptr) return;
    const int table = kernel_.flowTable(entry->table);
    mn_flow now{};
    // Packets of a tunnel may reach any worker: another may have replaced the entry by now.
    const bool ours = !fromTunnel(entry->key) || (::bpf_map_lookup_elem(table, entry->key.data(), &now) == 0 &&
                                                  now.slot == handle.slot && now.generation == handle.generation);
    if (ours) ::bpf_map_delete_elem(table, entry->key.data());
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

FlowInstaller::Record* FlowInstaller::findRecord(FlowHandle handle) {
    if (!pool_.owns(handle.slot) || !records_[(handle.slot - pool_.first()) / kChunk]) return nullptr;
    Record& entry = record(handle.slot);
    return entry.generation != 0 && entry.generation == handle.generation ? &entry : nullptr;
}

/// Puts `encoded_` into free slots; the first of the chain and its generation.
Result<std::uint32_t> FlowInstaller::writeSlots(std::uint32_t& generation) {
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
        generation = fresh.generation;
    }
    // Visible before the table entry that names it.
    std::atomic_thread_fence(std::memory_order_release);
    return chain_.front();
}

void FlowInstaller::freeFlow(std::uint32_t slot) {
    Record& entry = record(slot);
    entry.generation = 0;
    if (entry.hasMask) masks_.release(entry.mask);
    const auto now = clock_.now();
    for (std::uint32_t at = slot; at != 0;) {
        const std::uint32_t next = kernel_.slots()[at].next;
        pool_.release(at, now);
        at = next;
    }
}

void FlowInstaller::writeKey(Record& out, const flow::FlowKey& key, const flow::FlowMask& mask) const {
    mn_wide_key bits = encodeKey(key);
    if (!isMasked(out.table)) {
        if (isWide(out.table)) {
            std::memcpy(out.key.data(), &bits, sizeof(bits));
        } else {
            std::memcpy(out.key.data(), &bits.base, sizeof(bits.base));
        }
        return;
    }
    const mn_wide_key seen = encodeMask(mask, isWide(out.table));
    auto* to = reinterpret_cast<std::uint8_t*>(&bits);
    const auto* with = reinterpret_cast<const std::uint8_t*>(&seen);
    for (std::size_t i = 0; i < sizeof(bits); ++i) to[i] &= with[i];
    const std::uint32_t id[2] = {out.mask, 0};
    const std::size_t size = isWide(out.table) ? sizeof(mn_wide_key) : sizeof(mn_key);
    std::memcpy(out.key.data(), &bits, size);
    std::memcpy(out.key.data() + size, id, sizeof(id));
}

/// Makes the table entry. One that was there is replaced, and its slot freed if it was ours.
Result<void> FlowInstaller::enter(const Record& entry, std::uint32_t slot) {
    const int table = kernel_.flowTable(entry.table);
    const mn_flow value{slot, entry.generation, epoch_, 0};
    if (::bpf_map_update_elem(table, entry.key.data(), &value, BPF_NOEXIST) == 0) return {};
    int error = errno;
    if (error == EEXIST) {
        mn_flow old{};
        const bool found = ::bpf_map_lookup_elem(table, entry.key.data(), &old) == 0;
        if (::bpf_map_update_elem(table, entry.key.data(), &value, BPF_ANY) == 0) {
            if (found && old.epoch == epoch_ && findRecord({old.slot, old.generation}) != nullptr) freeFlow(old.slot);
            return {};
        }
        error = errno;
    }
    if (error == E2BIG || error == ENOMEM) return fail(ErrorCode::Exhausted, "the flow table is full: raise datapath.max_flows");
    return fail(ErrorCode::Unavailable, "cannot install a flow: {}", std::strerror(error));
}

}  // namespace midonet::datapath::ebpf
