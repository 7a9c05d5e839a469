#include "simulation/icmp_data.h"

#include "packet/checksum.h"
#include "packet/parse.h"

namespace midonet::simulation {
namespace {

namespace icmptype = packet::icmptype;

constexpr std::size_t kIcmpHeader = 8, kIpv4Header = 20, kKnownBytes = 8;

bool isError(const packet::ParsedPacket& packet) {
    if (!packet.isIpv4() || !packet.hasTransport(packet::ipproto::kIcmp)) return false;
    const auto type = packet.sourcePort;
    return type == icmptype::kUnreachable || type == icmptype::kTimeExceeded || type == icmptype::kParameterProblem;
}

/// Where the checksum of the quoted transport header is; 0: it is not quoted, or none was made.
std::size_t quotedChecksum(std::span<const std::uint8_t> l4, std::uint8_t protocol) {
    constexpr std::size_t kTcpChecksum = 16, kUdpChecksum = 6;
    if (protocol == packet::ipproto::kTcp) return l4.size() >= kTcpChecksum + 2 ? kTcpChecksum : 0;
    if (protocol == packet::ipproto::kUdp) return loadBe16(&l4[kUdpChecksum]) != 0 ? kUdpChecksum : 0;
    return 0;
}

}  // namespace

void writeIcmpData(std::span<std::uint8_t> frame, const SetIcmpData& data) {
    const auto before = readIcmpData(frame);
    if (!before || !data.source.isV4() || !data.destination.isV4()) return;
    const auto outer = *packet::parse(frame);
    const auto ip = frame.subspan(outer.transportOffset + kIcmpHeader, outer.payloadEnd - outer.transportOffset - kIcmpHeader);
    const auto l4 = ip.subspan((ip[0] & 0x0fU) * 4U);

    const auto replace = [](std::uint16_t sum, const PacketWalk::IcmpData& from, const SetIcmpData& to) {
        return packet::updateChecksum(packet::updateChecksum(sum, from.source, to.source), from.destination, to.destination);
    };
    storeBe16(&ip[10], replace(loadBe16(&ip[10]), *before, data));
    data.source.v4().toWire(&ip[12]);
    data.destination.v4().toWire(&ip[16]);
    if (before->protocol != packet::ipproto::kIcmp) {
        if (const auto at = quotedChecksum(l4, before->protocol); at != 0) {
            auto sum = replace(loadBe16(&l4[at]), *before, data);
            sum = packet::updateChecksum(sum, before->sourcePort, data.sourcePort);
            sum = packet::updateChecksum(sum, before->destinationPort, data.destinationPort);
            storeBe16(&l4[at], before->protocol == packet::ipproto::kUdp ? packet::udpChecksum(sum) : sum);
        }
        storeBe16(&l4[0], data.sourcePort);
        storeBe16(&l4[2], data.destinationPort);
    }
    const auto message = frame.subspan(outer.transportOffset, outer.payloadEnd - outer.transportOffset);
    storeBe16(&message[2], 0);
    storeBe16(&message[2], packet::checksumOf(message));
}

std::optional<PacketWalk::IcmpData> readIcmpData(ByteView frame) {
    const auto outer = packet::parse(frame);
    if (!outer || !isError(*outer)) return std::nullopt;
    const auto inside = outer->transportOffset + kIcmpHeader;
    if (outer->payloadEnd < inside + kIpv4Header) return std::nullopt;
    const auto ip = frame.subspan(inside, outer->payloadEnd - inside);
    const std::size_t headerSize = (ip[0] & 0x0fU) * 4U;
    if (ip[0] >> 4 != 4 || headerSize < kIpv4Header || ip.size() < headerSize + kKnownBytes) return std::nullopt;
    if ((loadBe16(&ip[6]) & 0x1fff) != 0) return std::nullopt;  // a later fragment

    PacketWalk::IcmpData out{ip[9], net::Ipv4Address::fromWire(&ip[12]), net::Ipv4Address::fromWire(&ip[16]), 0, 0};
    const auto* l4 = &ip[headerSize];
    switch (out.protocol) {
        case packet::ipproto::kTcp:
        case packet::ipproto::kUdp:
            out.sourcePort = loadBe16(l4);
            out.destinationPort = loadBe16(l4 + 2);
            return out;
        case packet::ipproto::kIcmp:
            if (l4[0] != icmptype::kEchoRequest && l4[0] != icmptype::kEchoReply) return std::nullopt;
            out.sourcePort = out.destinationPort = loadBe16(l4 + 4);
            return out;
        default: return std::nullopt;
    }
}

}  // namespace midonet::simulation
