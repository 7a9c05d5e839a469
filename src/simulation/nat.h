#pragma once

#include <optional>

#include "simulation/packet_walk.h"
#include "topology/rule.h"

namespace midonet::simulation {

struct NatResult {
    enum class Kind : std::uint8_t {
        Applied,
        NotApplicable,  ///< As if the rule did not match.
        Exhausted,      ///< The identifier of an ICMP echo is taken at every address.
        Park,           ///< A block of ports has to be leased first.
    };
    Kind kind = Kind::NotApplicable;
    std::optional<flow::FlowTag> until;  ///< Of Park.
};

/// Applies a translation rule (reference section 5.5): a fixed one to every IP packet, a dynamic one to connections,
/// by the binding they have or a new one. `onlyIcmpData`: the rule asks for the inside of an ICMP error, so a
/// destination is translated only there.
NatResult translate(PacketWalk& walk, const topology::Translate& rule, bool onlyIcmpData);
/// Takes back a dynamic translation on an answer.
NatResult untranslate(PacketWalk& walk, const topology::Untranslate& rule);

/// Changes when a block of ports for these ranges comes or is refused: what LeaseNatBlock waits for.
flow::FlowTag natBlockTag(const Uuid& device, std::span<const flowstate::NatRange> ranges);

// --- the steps that rules and load balancers share ------------------------------------------------

/// The connection the packet belongs to as a key at the current device. Of an ICMP error: the connection it is about,
/// in the direction of the error. nullopt for everything else.
std::optional<flowstate::StateKey> connectionKey(PacketWalk& walk, flowstate::KeyKind kind);
/// Rewrites the packet as the binding of its key says. Of an ICMP error the inside, and outside only the end that
/// the connection has.
void applyBinding(PacketWalk& walk, const flowstate::StateKey& key, const flowstate::Binding& binding);
/// Both directions of a translation are in use.
void usePair(PacketWalk& walk, const flowstate::StateEntry& entry);
void addPair(PacketWalk& walk, const flowstate::StateEntry& entry);

}  // namespace midonet::simulation
