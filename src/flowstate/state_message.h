#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "flowstate/state_key.h"

namespace midonet::flowstate {

/// What hosts tell each other of their connections, in the tunnel with the key kStateTunnelKey: a UDP datagram in
/// an Ethernet frame, so that it goes the way of the packets that it precedes.
///
/// Payload, network byte order: magic u32, version u8, kind u8 (1 state, 2 ack), count u16, sender's host id 16,
/// then of a state message: sequence u64, hash u32, `count` entries (entry_codec.h); of an ack: `count` sequences u64.

/// Entries for one peer. Its sequence is the sender's own and only rises; the peer's ack names it.
struct StateMessage {
    HostId sender;
    std::uint64_t sequence = 0;
    /// Of the first entry's connection: messages of one connection can be kept in order by it.
    std::uint32_t hash = 0;
    std::vector<StateEntry> entries;
    friend bool operator==(const StateMessage&, const StateMessage&) = default;
};

/// These messages of the peer have come.
struct AckMessage {
    HostId sender;
    std::vector<std::uint64_t> sequences;
    friend bool operator==(const AckMessage&, const AckMessage&) = default;
};

using Message = std::variant<StateMessage, AckMessage>;
using Frame = std::vector<std::uint8_t>;

/// Largest frame that passes an underlay with an MTU of 1500 in any tunnel over IPv4 (GRE 42, VXLAN 50 bytes).
constexpr std::size_t kMaxStateFrame = 1450;
/// The smallest limit that every entry fits in.
constexpr std::size_t kMinStateFrame = 256;

/// As many entries from the front as one frame of `limit` bytes holds.
std::size_t entriesThatFit(std::span<const StateEntry> entries, std::size_t limit = kMaxStateFrame);
/// As many sequences as one frame of `limit` bytes holds.
std::size_t sequencesThatFit(std::size_t limit = kMaxStateFrame);

/// The whole frame. The content has to fit.
Frame encodeFrame(HostId sender, std::uint64_t sequence, std::span<const StateEntry> entries);
Frame encodeAckFrame(HostId sender, std::span<const std::uint64_t> sequences);

/// Malformed says what is wrong. Every byte is checked; nothing behind the message is allowed.
Result<Message> decodePayload(ByteView payload);
Result<Message> decodeFrame(ByteView frame);

}  // namespace midonet::flowstate
