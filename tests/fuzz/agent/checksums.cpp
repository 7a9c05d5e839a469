#include "agent/checksums.h"

#include <optional>

#include "packet/checksum.h"
#include "packet/parse.h"

namespace midonet::fuzz {
namespace {

using namespace packet;

std::size_t ipv4HeaderSize(ByteView frame, const ParsedPacket& parsed) { return std::size_t{frame[parsed.networkOffset]} % 16 * 4; }

/// Where the checksum of the transport header is, from its start; nullopt: it has none that covers the whole datagram here.
std::optional<std::size_t> transportChecksumAt(const ParsedPacket& parsed) {
    if (!parsed.isIp() || parsed.layer != Layer::Transport || parsed.truncated || parsed.fragment != Fragment::None) return std::nullopt;
    switch (parsed.ipProtocol) {
        case ipproto::kTcp: return 16;
        case ipproto::kUdp: return 6;
        case ipproto::kIcmp: return parsed.isIpv4() ? std::optional<std::size_t>{2} : std::nullopt;
        case ipproto::kIcmpv6: return parsed.isIpv6() ? std::optional<std::size_t>{2} : std::nullopt;
        default: return std::nullopt;
    }
}

/// Over the pseudo header, where there is one, and the datagram with what it has as its checksum.
std::uint16_t transportChecksum(ByteView frame, const ParsedPacket& parsed) {
    const auto datagram = frame.subspan(parsed.transportOffset, parsed.payloadEnd - parsed.transportOffset);
    Checksum sum;
    if (parsed.ipProtocol != ipproto::kIcmp)
        sum.addPseudoHeader(parsed.ipSource, parsed.ipDestination, parsed.ipProtocol, static_cast<std::uint32_t>(datagram.size()));
    return sum.add(datagram).value();
}

}  // namespace

bool rightChecksums(ByteView frame) {
    const auto parsed = parse(frame);
    if (!parsed || !parsed->isIp()) return true;
    if (parsed->isIpv4() && checksumOf(frame.subspan(parsed->networkOffset, ipv4HeaderSize(frame, *parsed))) != 0) return false;
    const auto at = transportChecksumAt(*parsed);
    if (!at) return true;
    const auto checksum = loadBe16(frame.data() + parsed->transportOffset + *at);
    if (parsed->isIpv4() && parsed->ipProtocol == ipproto::kUdp && checksum == 0) return true;  // RFC 768: none
    return transportChecksum(frame, *parsed) == 0;
}

void completeChecksums(std::vector<std::uint8_t>& frame) {
    const auto parsed = parse(frame);
    if (!parsed || !parsed->isIp()) return;
    const auto complete = [&](std::size_t at, auto compute) {
        storeBe16(frame.data() + at, std::uint16_t{0});
        storeBe16(frame.data() + at, compute());
    };
    if (parsed->isIpv4())
        complete(parsed->networkOffset + 10, [&] { return checksumOf(ByteView{frame}.subspan(parsed->networkOffset, ipv4HeaderSize(frame, *parsed))); });
    const auto at = transportChecksumAt(*parsed);
    if (!at) return;
    complete(parsed->transportOffset + *at, [&] {
        const auto sum = transportChecksum(frame, *parsed);
        return parsed->ipProtocol == ipproto::kUdp ? udpChecksum(sum) : sum;
    });
}

}  // namespace midonet::fuzz
