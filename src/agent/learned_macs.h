#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>

#include "simulation/simulation_result.h"

namespace midonet::agent {

struct LearnMacHash {
    using is_avalanching = void;
    std::size_t operator()(const simulation::LearnMac& l) const noexcept {
        const auto h = combineHash(std::hash<BridgeId>{}(l.bridge), l.mac.value() | (std::uint64_t{l.vlan.value()} << 48));
        return combineHash(h, std::hash<PortId>{}(l.port));
    }
};

template <class Value>
using LearnMacMap = boost::unordered_flat_map<simulation::LearnMac, Value, LearnMacHash>;

/// How many of a worker's flows carry each learned MAC. Bounded for each port, so that a machine
/// that makes up addresses fills neither our tables nor the NSDB. One worker's thread.
class LearnedMacs {
public:
    explicit LearnedMacs(std::size_t maxPerPort) : maxPerPort_(maxPerPort) {}

    enum class Added : std::uint8_t { First, Again, Refused };
    Added add(const simulation::LearnMac& learned);
    /// True when that was the last one.
    bool remove(const simulation::LearnMac& learned);
    std::size_t size() const { return counts_.size(); }
    std::uint64_t refused() const { return refused_; }

private:
    const std::size_t maxPerPort_;
    LearnMacMap<std::uint32_t> counts_;
    boost::unordered_flat_map<PortId, std::size_t, std::hash<PortId>> perPort_;
    std::uint64_t refused_ = 0;
};

}  // namespace midonet::agent
