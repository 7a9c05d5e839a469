#include "simulation/icmp.h"

#include <algorithm>

#include "packet/checksum.h"
#include "packet/parse.h"

namespace midonet::simulation {
namespace {

using packet::ParsedPacket;

/// Of the packet an error is about, behind its IP header (RFC 792).
constexpr std::size_t kQuotedBytes = 8;
/// An ICMPv6 error is no larger than the least MTU (RFC 4443 section 2.4 (c)).
constexpr std::size_t kLeastMtu6 = 1280;

/// Queries and answers are asked for; errors, and what is not known, are not answered by an error.
bool mayBeIcmpError(const ParsedPacket& parsed) {
    using namespace packet;
    if (parsed.ipProtocol == ipproto::kIcmpv6) return parsed.layer != Layer::Transport || parsed.sourcePort < 128;
    if (parsed.ipProtocol != ipproto::kIcmp) return false;
    static constexpr std::uint16_t kQueries[] = {icmptype::kEchoReply, icmptype::kEchoRequest, 9, 10, 13, 14, 15, 16, 17, 18};
    return parsed.layer != Layer::Transport || std::ranges::find(kQueries, parsed.sourcePort) == std::end(kQueries);
}

bool isHost(net::Ipv4Address address) { return !address.isUnspecified() && !address.isMulticast() && !address.isBroadcast(); }
bool isHost(const net::Ipv6Address& address) { return !address.isUnspecified() && !address.isMulticast(); }

bool isBroadcastOf(const net::IpPrefix& subnet, net::Ipv4Address address) {
    if (subnet.length() >= 31 || !subnet.contains(address)) return false;
    return (address.toHostOrder() | (~0U << (32 - subnet.length()))) == ~0U;
}

/// Nothing is told about it whatever the addresses.
bool unanswerable(const ParsedPacket& parsed) {
    return parsed.source.isMulticast() || parsed.source.isZero() || parsed.destination.isMulticast() ||
           parsed.fragment == packet::Fragment::Later || mayBeIcmpError(parsed);
}

ByteView quoted(ByteView frame, const ParsedPacket& parsed, std::size_t behindHeader) {
    const auto end = std::min<std::size_t>(parsed.transportOffset + behindHeader, parsed.payloadEnd);
    return frame.subspan(parsed.networkOffset, end - parsed.networkOffset);
}

/// Puts into the quoted packet what routers before had changed in it when it came here: their translations back
/// find the connection by it (RFC 5508 section 4.2).
packet::Frame asArrived(ByteView original, std::size_t headerSize, const flow::FlowKey& arrived) {
    packet::Frame out(original.begin(), original.end());
    auto* ip = out.data();
    auto* l4 = out.data() + headerSize;
    const std::size_t l4Size = out.size() - headerSize;
    const auto source = net::Ipv4Address::fromWire(ip + 12), destination = net::Ipv4Address::fromWire(ip + 16);
    ip[8] = arrived.ipTtl;
    arrived.ipSource.v4().toWire(ip + 12);
    arrived.ipDestination.v4().toWire(ip + 16);
    storeBe16(ip + 10, 0);
    storeBe16(ip + 10, packet::checksumOf({ip, headerSize}));

    const bool udp = arrived.ipProtocol == packet::ipproto::kUdp;
    if ((!udp && arrived.ipProtocol != packet::ipproto::kTcp) || l4Size < kQuotedBytes) return out;
    // Only the checksum of UDP is within the quoted bytes.
    if (const auto before = loadBe16(l4 + 6); udp && before != 0) {
        auto sum = packet::updateChecksum(before, net::IpAddress{source}, arrived.ipSource);
        sum = packet::updateChecksum(sum, net::IpAddress{destination}, arrived.ipDestination);
        sum = packet::updateChecksum(sum, loadBe16(l4), arrived.l4Source);
        sum = packet::updateChecksum(sum, loadBe16(l4 + 2), arrived.l4Destination);
        storeBe16(l4 + 6, packet::udpChecksum(sum));
    }
    storeBe16(l4, arrived.l4Source);
    storeBe16(l4 + 2, arrived.l4Destination);
    return out;
}

/// Back to where the frame came from, in the VLANs it came in.
packet::Packet backwards(const ParsedPacket& parsed) {
    packet::Packet out = packet::eth(parsed.destination, parsed.source);
    for (const auto& tag : parsed.vlans()) out.append(packet::Vlan{tag, {}});
    return out;
}

}  // namespace

std::optional<packet::Frame> icmpError(ByteView frame, const flow::FlowKey& arrived, const topology::Port& from, IcmpMessage message) {
    const auto parsed = packet::parse(frame);
    if (!parsed || !parsed->isIpv4() || unanswerable(*parsed) || !from.address) return std::nullopt;
    if (arrived.ethDestination != from.mac) return std::nullopt;
    const auto source = arrived.ipSource.v4(), destination = arrived.ipDestination.v4();
    if (!isHost(source) || !isHost(destination)) return std::nullopt;
    if (isBroadcastOf(from.subnet, source) || isBroadcastOf(from.subnet, destination)) return std::nullopt;

    auto quote = asArrived(quoted(frame, *parsed, kQuotedBytes), parsed->transportOffset - parsed->networkOffset, arrived);
    return (packet::eth(from.mac, arrived.ethSource) / packet::ipv4(*from.address, source) /
            packet::icmp(message.type, message.code) / std::move(quote))
        .toBytes();
}

std::optional<packet::Frame> echoReply(ByteView frame, const ReplyAddresses& addresses) {
    const auto parsed = packet::parse(frame);
    if (!parsed || !parsed->isIpv4() || !parsed->hasTransport(packet::ipproto::kIcmp) || parsed->truncated) return std::nullopt;
    if (parsed->sourcePort != packet::icmptype::kEchoRequest || parsed->fragment != packet::Fragment::None) return std::nullopt;
    const auto data = parsed->payload(frame);
    return (packet::eth(addresses.ethSource, addresses.ethDestination) /
            packet::ipv4(addresses.ipSource, addresses.ipDestination).tos(parsed->tos) /
            packet::icmpEchoReply(parsed->icmpId, parsed->icmpSequence) / packet::Frame(data.begin(), data.end()))
        .toBytes();
}

std::optional<std::vector<std::uint8_t>> tooBigAnswer(ByteView frame, std::uint32_t mtu) {
    const auto parsed = packet::parse(frame);
    if (!parsed || !parsed->isIp() || unanswerable(*parsed)) return std::nullopt;
    if (parsed->isIpv4()) {
        const auto source = parsed->ipSource.v4(), destination = parsed->ipDestination.v4();
        if (!isHost(source) || !isHost(destination)) return std::nullopt;
        const auto quote = quoted(frame, *parsed, kQuotedBytes);
        return (backwards(*parsed) / packet::ipv4(destination, source) / packet::icmp(3, 4, std::min(mtu, 0xffffU)) /
                packet::Frame(quote.begin(), quote.end()))
            .toBytes();
    }
    const auto source = parsed->ipSource.v6(), destination = parsed->ipDestination.v6();
    if (!isHost(source) || !isHost(destination)) return std::nullopt;
    auto quote = quoted(frame, *parsed, frame.size());
    quote = quote.first(std::min(quote.size(), kLeastMtu6 - packet::kIpv6Size - packet::kIcmpSize));
    return (backwards(*parsed) / packet::ipv6(destination, source) / packet::icmpv6(packet::icmpv6type::kPacketTooBig, 0, mtu) /
            packet::Frame(quote.begin(), quote.end()))
        .toBytes();
}

}  // namespace midonet::simulation
