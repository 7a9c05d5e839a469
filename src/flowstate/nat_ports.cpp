#include "flowstate/nat_ports.h"

#include <algorithm>
#include <bit>

namespace midonet::flowstate {
namespace {

std::uint16_t blockNumber(unsigned port) { return static_cast<std::uint16_t>(port / kNatBlockPorts); }

struct PortSpan {
    unsigned first = 0;
    unsigned count = 0;
};

/// The ports of a block that the rule allows. Port 0 is none to talk from.
PortSpan allowedPorts(std::uint16_t block, const NatRange& range) {
    const auto first = std::max({block * kNatBlockPorts, unsigned{range.firstPort}, 1U});
    const auto last = std::min((block + 1U) * kNatBlockPorts - 1, unsigned{range.lastPort});
    return {first, last < first ? 0 : last - first + 1};
}

}  // namespace

void NatPorts::addBlock(const NatBlockId& block) { blocks_.try_emplace(block); }

std::vector<NatBlockId> NatPorts::takeIdle(event::TimePoint now, event::Duration idle) {
    std::vector<NatBlockId> out;
    for (auto it = blocks_.begin(); it != blocks_.end();) {
        auto& [id, block] = *it;
        if (!block.idleSince) block.idleSince = now;
        if (block.uses.empty() && now - *block.idleSince >= idle) {
            out.push_back(id);
            it = blocks_.erase(it);
        } else {
            ++it;
        }
    }
    return out;
}

/// A bit for each port of the block that the rule allows and the remote does not use.
std::uint64_t NatPorts::freeIn(const Blocks::value_type& entry, const NatRange& range, const Binding& remote) {
    const auto& [id, block] = entry;
    const auto ports = allowedPorts(id.block, range);
    if (ports.count == 0) return 0;
    const auto allowed = (~0ULL >> (kNatBlockPorts - ports.count)) << (ports.first % kNatBlockPorts);
    const auto known = block.uses.find(remote);
    return known == block.uses.end() ? allowed : allowed & ~known->second;
}

std::optional<Binding> NatPorts::findIn(Blocks::const_iterator it, const NatRange& range, const Binding& remote, std::uint64_t seed) {
    const auto free = freeIn(*it, range, remote);
    if (free == 0) return std::nullopt;
    const auto& id = it->first;
    const auto ports = allowedPorts(id.block, range);
    const auto begin = static_cast<int>(ports.first % kNatBlockPorts + seed % ports.count);
    // The first free one from there on, around the end of the block.
    const auto bit = (begin + std::countr_zero(std::rotr(free, begin))) % static_cast<int>(kNatBlockPorts);
    return Binding{id.address, static_cast<std::uint16_t>(id.block * kNatBlockPorts + static_cast<unsigned>(bit))};
}

std::optional<Binding> NatPorts::find(const Uuid& device, std::span<const NatRange> ranges, const Binding& remote,
                                      std::uint64_t seed) const {
    // Blocks that are full for a busy remote are passed over from another place each time.
    const auto startBlock = static_cast<std::uint16_t>((seed / kNatBlockPorts) % kNatBlocks);
    for (const auto& range : ranges) {
        const auto end = blocks_.upper_bound({device, range.lastAddress, kNatBlocks});
        for (auto first = blocks_.lower_bound({device, range.firstAddress, 0}); first != end;) {
            const auto& address = first->first.address;
            const auto last = blocks_.upper_bound({device, address, kNatBlocks});
            const auto start = blocks_.lower_bound({device, address, startBlock});
            for (auto block = start; block != last; ++block)
                if (const auto found = findIn(block, range, remote, seed)) return found;
            for (auto block = first; block != start; ++block)
                if (const auto found = findIn(block, range, remote, seed)) return found;
            first = last;
        }
    }
    return std::nullopt;
}

bool NatPorts::runsLow(const Uuid& device, std::span<const NatRange> ranges, const Binding& remote, const Binding& found) const {
    // Ports are taken all over the blocks: as long as much of one is free, much of the others is.
    const auto sample = blocks_.find({device, found.address, blockNumber(found.port)});
    if (sample == blocks_.end()) return false;
    const auto known = sample->second.uses.find(remote);
    if (known == sample->second.uses.end() || std::popcount(known->second) < static_cast<int>(kNatBlockPorts / 2)) return false;
    unsigned free = 0, blocks = 0;
    for (const auto& range : ranges)
        for (auto it = blocks_.lower_bound({device, range.firstAddress, 0}); it != blocks_.upper_bound({device, range.lastAddress, kNatBlocks}); ++it) {
            ++blocks;
            free += static_cast<unsigned>(std::popcount(freeIn(*it, range, remote)));
            if (free >= kReserve) return false;
        }
    return free < std::max(kNatBlockPorts, blocks * kNatBlockPorts / 4);
}

bool NatPorts::take(const Uuid& device, const Binding& port, const Binding& remote) {
    auto* const block = blockOf(device, port);
    if (!block) return false;
    auto& used = block->uses[remote];
    const auto bit = 1ULL << (port.port % kNatBlockPorts);
    if ((used & bit) == 0) ++taken_;
    used |= bit;
    return true;
}

void NatPorts::release(const Uuid& device, const Binding& port, const Binding& remote, event::TimePoint now) {
    auto* const block = blockOf(device, port);
    if (!block) return;
    const auto used = block->uses.find(remote);
    const auto bit = 1ULL << (port.port % kNatBlockPorts);
    if (used == block->uses.end() || (used->second & bit) == 0) return;
    used->second &= ~bit;
    if (used->second == 0) block->uses.erase(used);
    --taken_;
    block->idleSince = now;
}

NatPorts::Block* NatPorts::blockOf(const Uuid& device, const Binding& port) {
    const auto it = blocks_.find({device, port.address, blockNumber(port.port)});
    return it == blocks_.end() ? nullptr : &it->second;
}

}  // namespace midonet::flowstate
