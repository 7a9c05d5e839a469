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

void NatPorts::endRests(event::TimePoint now) {
    for (; !rests_.empty() && rests_.front().until <= now; rests_.pop_front()) {
        const auto& rest = rests_.front();
        auto& uses = rest.block->uses;
        const auto use = uses.find(rest.remote);
        if (use == uses.end()) continue;
        use->second.resting &= ~rest.bit;
        if ((use->second.taken | use->second.resting) == 0) uses.erase(use);
    }
}

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
std::uint64_t NatPorts::freeIn(const Blocks::value_type& entry, const NatRange& range, const Binding& remote, Choice choice) {
    const auto& [id, block] = entry;
    const auto ports = allowedPorts(id.block, range);
    if (ports.count == 0) return 0;
    const auto allowed = (~0ULL >> (kNatBlockPorts - ports.count)) << (ports.first % kNatBlockPorts);
    const auto known = block.uses.find(remote);
    if (known == block.uses.end()) return allowed;
    const auto& use = known->second;
    return allowed & ~(choice == Choice::Rested ? use.taken | use.resting : use.taken);
}

std::optional<Binding> NatPorts::findIn(Blocks::const_iterator it, const NatRange& range, const Binding& remote, std::uint64_t seed,
                                        Choice choice) {
    const auto free = freeIn(*it, range, remote, choice);
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
    const auto rested = find(device, ranges, remote, seed, Choice::Rested);
    return rested ? rested : find(device, ranges, remote, seed, Choice::Any);
}

std::optional<Binding> NatPorts::find(const Uuid& device, std::span<const NatRange> ranges, const Binding& remote, std::uint64_t seed,
                                      Choice choice) const {
    // Blocks that are full for a busy remote are passed over from another place each time.
    const auto startBlock = static_cast<std::uint16_t>((seed / kNatBlockPorts) % kNatBlocks);
    for (const auto& range : ranges) {
        const auto end = blocks_.upper_bound({device, range.lastAddress, kNatBlocks});
        for (auto first = blocks_.lower_bound({device, range.firstAddress, 0}); first != end;) {
            const auto& address = first->first.address;
            const auto last = blocks_.upper_bound({device, address, kNatBlocks});
            const auto start = blocks_.lower_bound({device, address, startBlock});
            for (auto block = start; block != last; ++block)
                if (const auto found = findIn(block, range, remote, seed, choice)) return found;
            for (auto block = first; block != start; ++block)
                if (const auto found = findIn(block, range, remote, seed, choice)) return found;
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
    if (known == sample->second.uses.end() || std::popcount(known->second.taken | known->second.resting) < static_cast<int>(kNatBlockPorts / 2))
        return false;
    unsigned free = 0, blocks = 0;
    for (const auto& range : ranges) {
        const auto end = blocks_.upper_bound({device, range.lastAddress, kNatBlocks});
        for (auto it = blocks_.lower_bound({device, range.firstAddress, 0}); it != end; ++it) {
            ++blocks;
            free += static_cast<unsigned>(std::popcount(freeIn(*it, range, remote)));
            if (free >= kReserve) return false;
        }
    }
    return free < std::max(kNatBlockPorts, blocks * kNatBlockPorts / 4);
}

bool NatPorts::take(const Uuid& device, const Binding& port, const Binding& remote) {
    auto* const block = blockOf(device, port);
    if (!block) return false;
    auto& use = block->uses[remote];
    const auto bit = 1ULL << (port.port % kNatBlockPorts);
    if ((use.taken & bit) == 0) ++taken_;
    use.taken |= bit;
    use.resting &= ~bit;
    return true;
}

void NatPorts::release(const Uuid& device, const Binding& port, const Binding& remote, event::TimePoint now) {
    auto* const block = blockOf(device, port);
    if (!block) return;
    const auto known = block->uses.find(remote);
    const auto bit = 1ULL << (port.port % kNatBlockPorts);
    if (known == block->uses.end() || (known->second.taken & bit) == 0) return;
    auto& use = known->second;
    use.taken &= ~bit;
    use.resting |= bit;
    rests_.push_back({now + kRest, block, remote, bit});
    --taken_;
    block->idleSince = now;
}

NatPorts::Block* NatPorts::blockOf(const Uuid& device, const Binding& port) {
    const auto it = blocks_.find({device, port.address, blockNumber(port.port)});
    return it == blocks_.end() ? nullptr : &it->second;
}

}  // namespace midonet::flowstate
