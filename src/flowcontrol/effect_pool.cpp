#include "flowcontrol/effect_pool.h"

#include "base/overloaded.h"

namespace midonet::flowcontrol {

EffectPool::EffectPool() : byValue_(0, Hash{this}, Equal{this}) {}

std::size_t EffectPool::Hash::operator()(const simulation::Effects& effects) const noexcept {
    std::uint64_t hash = effects.size();
    const auto add = [&](std::uint64_t more) { hash = combineHash(hash, more); };
    for (const auto& effect : effects)
        std::visit(Overloaded{
                       [&](const simulation::LearnMac& e) {
                           add(std::hash<BridgeId>{}(e.bridge));
                           add(e.mac.value() | (std::uint64_t{e.vlan.value()} << 48));
                           add(std::hash<PortId>{}(e.port));
                       },
                       [&](const simulation::UseArp& e) {
                           add(std::hash<RouterId>{}(e.router));
                           add(e.address.toHostOrder());
                       },
                       [&](const simulation::UseRoute& e) {
                           add(std::hash<RouterId>{}(e.router));
                           add(e.block.hash() + e.prefixLength);
                       },
                       [&](const simulation::UseState& e) { add(e.key.hash()); },
                   },
                   effect);
    return hash;
}

EffectPool::Id EffectPool::add(const simulation::Effects& effects) {
    if (effects.empty()) return kNone;
    if (const auto found = byValue_.find(effects); found != byValue_.end()) {
        ++entries_[*found].uses;
        return *found;
    }
    Id id = firstFree_;
    if (id == kNone) {
        id = static_cast<Id>(entries_.size());
        entries_.emplace_back();
    } else {
        firstFree_ = entries_[id].nextFree;
    }
    entries_[id].effects = effects;
    entries_[id].uses = 1;
    byValue_.insert(id);
    return id;
}

const simulation::Effects& EffectPool::release(Id id) {
    if (id == kNone) {
        released_.clear();
        return released_;
    }
    auto& entry = entries_[id];
    released_ = entry.effects;
    if (--entry.uses == 0) {
        byValue_.erase(byValue_.find(entry.effects));
        entry.effects.clear();
        entry.nextFree = firstFree_;
        firstFree_ = id;
    }
    return released_;
}

}  // namespace midonet::flowcontrol
