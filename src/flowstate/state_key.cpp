#include "flowstate/state_key.h"

#include "base/assert.h"

namespace midonet::flowstate {
namespace {

std::string_view nameOf(KeyKind kind) {
    switch (kind) {
        case KeyKind::ConnTrack: return "conntrack";
        case KeyKind::SourceNat: return "snat";
        case KeyKind::SourceUnnat: return "reverse_snat";
        case KeyKind::DestinationNat: return "dnat";
        case KeyKind::DestinationUnnat: return "reverse_dnat";
        case KeyKind::StickyNat: return "sticky_dnat";
        case KeyKind::StickyUnnat: return "reverse_sticky_dnat";
    }
    MIDONET_UNREACHABLE();
}

KeyKind otherDirection(KeyKind kind) {
    switch (kind) {
        case KeyKind::ConnTrack: return KeyKind::ConnTrack;
        case KeyKind::SourceNat: return KeyKind::SourceUnnat;
        case KeyKind::SourceUnnat: return KeyKind::SourceNat;
        case KeyKind::DestinationNat: return KeyKind::DestinationUnnat;
        case KeyKind::DestinationUnnat: return KeyKind::DestinationNat;
        case KeyKind::StickyNat: return KeyKind::StickyUnnat;
        case KeyKind::StickyUnnat: return KeyKind::StickyNat;
    }
    MIDONET_UNREACHABLE();
}

}  // namespace

std::uint64_t StateKey::hash() const {
    const auto numbers = (std::uint64_t{static_cast<std::uint8_t>(kind)} << 40) | (std::uint64_t{protocol} << 32) |
                         (std::uint64_t{sourcePort} << 16) | destinationPort;
    return combineHash(combineHash(combineHash(numbers, source.hash()), destination.hash()), std::hash<Uuid>{}(device));
}

std::string StateKey::toString() const {
    return fmt::format("{} proto {} {} port {} -> {} port {} at {}", nameOf(kind), protocol, source, sourcePort, destination,
                       destinationPort, device);
}

StateEntry reverseOf(const StateEntry& forward) {
    const auto& key = forward.key;
    MIDONET_ASSERT(key.kind != KeyKind::ConnTrack, "a tracked connection translates nothing");
    const bool ofSource = key.kind == KeyKind::SourceNat || key.kind == KeyKind::DestinationUnnat ||
                          key.kind == KeyKind::StickyUnnat;
    StateEntry out = forward;
    out.key.kind = otherDirection(key.kind);
    // The answer: both ends swapped, the translated one as the translation left it.
    out.key.source = ofSource ? key.destination : forward.binding.address;
    out.key.sourcePort = ofSource ? key.destinationPort : forward.binding.port;
    out.key.destination = ofSource ? forward.binding.address : key.source;
    out.key.destinationPort = ofSource ? forward.binding.port : key.sourcePort;
    out.binding = ofSource ? Binding{key.source, key.sourcePort} : Binding{key.destination, key.destinationPort};
    return out;
}

}  // namespace midonet::flowstate
