#include "datapath/ebpf/mask_registry.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "datapath/ebpf/key_codec.h"

namespace midonet::datapath::ebpf {
namespace {

// As for slots: a program may still be reading the bits.
constexpr event::Duration kRest = std::chrono::milliseconds{100};

bool sameBits(const mn_wide_key& a, const mn_wide_key& b) { return std::memcmp(&a, &b, sizeof(a)) == 0; }

}  // namespace

std::optional<std::uint8_t> MaskRegistry::acquire(const flow::FlowMask& mask, bool wide) {
    // A narrow mask that looks at addresses is for IPv4; others serve both families.
    const mn_wide_key bits = encodeMask(mask, wide);
    const std::lock_guard lock{mutex_};
    const auto now = clock_.now();
    std::optional<std::uint8_t> free;
    for (std::uint8_t id = 0; id < MN_MAX_MASKS; ++id) {
        Entry& entry = entries_[id];
        if (entry.users > 0 && entry.wide == wide && sameBits(entry.bits, bits)) {
            ++entry.users;
            return id;
        }
        if (entry.users == 0 && !free && now - entry.freed >= kRest) free = id;
    }
    if (!free) return std::nullopt;
    Entry fresh;
    fresh.bits = bits;
    fresh.wide = wide;
    if (!listsHaveRoom(fresh)) return std::nullopt;
    fresh.users = 1;
    entries_[*free] = fresh;
    std::memcpy(config_.masks[*free], &bits, sizeof(bits));
    if (wide) {
        config_.wide_masks |= 1ULL << *free;
    } else {
        config_.wide_masks &= ~(1ULL << *free);
    }
    publish();
    return free;
}

void MaskRegistry::release(std::uint8_t id) {
    const std::lock_guard lock{mutex_};
    Entry& entry = entries_[id];
    if (--entry.users > 0) return;
    entry.freed = clock_.now();
    publish();
}

void MaskRegistry::adopt(std::uint8_t id) {
    const std::lock_guard lock{mutex_};
    Entry& entry = entries_[id];
    std::memcpy(&entry.bits, config_.masks[id], sizeof(entry.bits));
    entry.wide = (config_.wide_masks >> id & 1) != 0;
    ++entry.users;
    publish();
}

void MaskRegistry::reorder(const std::array<std::uint64_t, MN_MAX_MASKS>& hits) {
    const std::lock_guard lock{mutex_};
    for (std::size_t id = 0; id < hits.size(); ++id) {
        // Half of the past counts, so that the order follows the traffic.
        entries_[id].hits = entries_[id].hits / 2 + hits[id];
    }
    publish();
}

bool MaskRegistry::tunnelOnly(const Entry& entry) const {
    if (entry.wide || entry.bits.base.tun_key == 0) return false;
    mn_wide_key rest = entry.bits;
    rest.base.in_port = rest.base.tun_key = rest.base.tun_src = rest.base.tun_dst = 0;
    return sameBits(rest, mn_wide_key{});
}

bool MaskRegistry::looksAtIpv4(const Entry& entry) const {
    return !entry.wide && (entry.bits.base.ip_src != 0 || entry.bits.base.ip_dst != 0);
}

bool MaskRegistry::listsHaveRoom(const Entry& fresh) const {
    std::size_t narrow = 0, wide = 0, tunnel = 0;
    const auto add = [&](const Entry& entry) {
        if (tunnelOnly(entry)) {
            ++tunnel;
            return;
        }
        if (!entry.wide) ++narrow;
        if (!looksAtIpv4(entry)) ++wide;
    };
    for (const Entry& entry : entries_) {
        if (entry.users > 0) add(entry);
    }
    add(fresh);
    return narrow <= MN_MASK_LIST && wide <= MN_MASK_LIST && tunnel <= MN_TUNNEL_MASK_LIST;
}

void MaskRegistry::publish() {
    std::array<std::uint8_t, MN_MAX_MASKS> order;
    for (std::size_t id = 0; id < order.size(); ++id) order[id] = static_cast<std::uint8_t>(id);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return entries_[a].hits > entries_[b].hits; });

    mn_mask_lists lists{};
    for (const std::uint8_t id : order) {
        const Entry& entry = entries_[id];
        if (entry.users == 0) continue;
        if (tunnelOnly(entry)) {
            lists.tunnel[lists.tunnel_count++] = id;
            continue;
        }
        if (!entry.wide) lists.narrow[lists.narrow_count++] = id;
        if (!looksAtIpv4(entry)) lists.wide[lists.wide_count++] = id;
    }
    // Programs read one copy while the other is written.
    const std::uint32_t next = config_.active_lists == 0 ? 1 : 0;
    std::memcpy(&config_.lists[next], &lists, sizeof(lists));
    std::atomic_ref<std::uint32_t>{config_.active_lists}.store(next, std::memory_order_release);
}

std::optional<std::uint8_t> MaskUsers::acquire(const flow::FlowMask& mask, bool wide) {
    for (Use& use : uses_) {
        if (use.wide == wide && use.mask == mask) {
            ++use.flows;
            return use.id;
        }
    }
    const auto id = registry_.acquire(mask, wide);
    if (id) uses_.push_back({mask, wide, *id, 1});
    return id;
}

void MaskUsers::release(std::uint8_t id) {
    const auto use = std::find_if(uses_.begin(), uses_.end(), [&](const Use& u) { return u.id == id; });
    if (use == uses_.end() || --use->flows > 0) return;
    registry_.release(id);
    uses_.erase(use);
}

}  // namespace midonet::datapath::ebpf
