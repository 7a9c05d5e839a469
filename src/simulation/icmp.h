#pragma once

#include <optional>

#include "flow/flow_key.h"
#include "packet/builder.h"
#include "topology/snapshot.h"

namespace midonet::simulation {

struct IcmpMessage {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
};
inline constexpr IcmpMessage kNetUnreachable{3, 0}, kHostUnreachable{3, 1}, kProhibited{3, 13}, kTtlExceeded{11, 0};

/// What a router tells the sender of a packet, out of the port `from` that it came in through. `frame` is the
/// packet at the edge of the virtual topology, `arrived` what had become of it when it came to the router: that is
/// quoted. nullopt when nothing may be told about such a packet (RFC 1122 section 3.2.2, RFC 1812 section 4.3.2.7).
std::optional<packet::Frame> icmpError(ByteView frame, const flow::FlowKey& arrived, const topology::Port& from, IcmpMessage message);

/// The answer to the echo request in `frame`, with these addresses; nullopt when there is none, or not all of it.
struct ReplyAddresses {
    net::Mac ethSource, ethDestination;
    net::Ipv4Address ipSource, ipDestination;
};
std::optional<packet::Frame> echoReply(ByteView frame, const ReplyAddresses& addresses);

/// For a frame that does not fit the path of a tunnel: "fragmentation needed" (RFC 1191) or "packet too big" (RFC
/// 4443) with the MTU of that path, as if from the destination itself, to go back out of the port it came in
/// through. It does not matter whether IPv4 may be fragmented: nobody here does, so its sender has to. nullopt
/// when nothing may be told about such a frame.
std::optional<std::vector<std::uint8_t>> tooBigAnswer(ByteView frame, std::uint32_t mtu);

}  // namespace midonet::simulation
