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

std::optional<Binding> NatPorts::findIn(Blocks::const_iterator it, const NatRange& range, const Binding& remote, std::uint64_t seed) {
    const auto& [id, block] = *it;
    const auto ports = allowedPorts(id.block, range);
    if (ports.count == 0) return std::nullopt;
    const auto offset = ports.first % kNatBlockPorts;
    const auto allowed = ports.count == kNatBlockPorts ? ~0ULL : ((1ULL << ports.count) - 1) << offset;
    const auto known = block.uses.find(remote);
    const auto free = known == block.uses.end() ? allowed : allowed & ~known->second;
    if (free == 0) return std::nullopt;
    const auto begin = static_cast<int>(offset + seed % ports.count);
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
