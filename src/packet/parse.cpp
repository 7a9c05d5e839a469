#include "packet/parse.h"

#include <algorithm>

namespace midonet::packet {
namespace {

constexpr int kMaxExtensionHeaders = 8;

std::uint32_t narrow(std::size_t offset) { return static_cast<std::uint32_t>(offset); }

/// Everything behind the Ethernet header. `end` shrinks when the IP header tells the true length.
class Reader {
public:
    Reader(ByteView frame, ParsedPacket& out)
        : bytes_(frame.data()), end_(frame.size()), out_(out) {}

    void readFrom(std::size_t offset) {
        out_.networkOffset = out_.transportOffset = out_.payloadOffset = narrow(offset);
        out_.payloadEnd = narrow(end_);
        switch (out_.etherType) {
            case ethertype::kArp:
                readArp(offset);
                break;
            case ethertype::kIpv4:
                readIpv4(offset);
                break;
            case ethertype::kIpv6:
                readIpv6(offset);
                break;
            default:
                break;
        }
    }

private:
    bool has(std::size_t offset, std::size_t size) const {
        return offset <= end_ && end_ - offset >= size;
    }

    void reached(Layer layer, std::size_t nextOffset) {
        out_.layer = layer;
        if (layer == Layer::Network) out_.transportOffset = narrow(nextOffset);
        out_.payloadOffset = narrow(nextOffset);
    }

    /// Ethernet and IPv4 addresses only (RFC 826).
    void readArp(std::size_t offset) {
        const auto* p = bytes_ + offset;
        if (!has(offset, kArpSize) || loadBe16(p) != 1 || loadBe16(p + 2) != ethertype::kIpv4 ||
            p[4] != 6 || p[5] != 4)
            return;
        out_.arpOperation = loadBe16(p + 6);
        out_.arpSenderMac = net::Mac::fromWire(p + 8);
        out_.ipSource = net::Ipv4Address::fromWire(p + 14);
        out_.arpTargetMac = net::Mac::fromWire(p + 18);
        out_.ipDestination = net::Ipv4Address::fromWire(p + 24);
        reached(Layer::Network, offset + kArpSize);
    }

    void readIpv4(std::size_t offset) {
        const auto* p = bytes_ + offset;
        if (!has(offset, kIpv4Size) || (p[0] >> 4) != 4) return;
        const std::size_t headerSize = std::size_t{p[0] & 0xfU} * 4;
        const std::size_t totalLength = loadBe16(p + 2);
        if (headerSize < kIpv4Size || totalLength < headerSize || !has(offset, headerSize)) return;
        limitTo(offset + totalLength);

        out_.tos = p[1];
        out_.ttl = p[8];
        out_.ipProtocol = p[9];
        out_.ipSource = net::Ipv4Address::fromWire(p + 12);
        out_.ipDestination = net::Ipv4Address::fromWire(p + 16);
        const std::uint16_t flagsAndOffset = loadBe16(p + 6);
        const bool moreFragments = (flagsAndOffset & 0x2000) != 0;
        setFragment(flagsAndOffset & 0x1fff, moreFragments);
        reached(Layer::Network, offset + headerSize);
        if (out_.fragment != Fragment::Later) readTransport(offset + headerSize);
    }

    void readIpv6(std::size_t offset) {
        const auto* p = bytes_ + offset;
        if (!has(offset, kIpv6Size) || (p[0] >> 4) != 6) return;
        const std::size_t payloadLength = loadBe16(p + 4);
        out_.tos = static_cast<std::uint8_t>((p[0] << 4) | (p[1] >> 4));
        out_.ipProtocol = p[6];
        out_.ttl = p[7];
        out_.ipSource = net::Ipv6Address::fromWire(p + 8);
        out_.ipDestination = net::Ipv6Address::fromWire(p + 24);
        // Zero with a hop-by-hop header: a jumbogram (RFC 2675), also what BIG TCP hands up.
        const bool jumbo = payloadLength == 0 && out_.ipProtocol == ipproto::kHopByHop;
        if (!jumbo) limitTo(offset + kIpv6Size + payloadLength);

        const auto transport = walkExtensionHeaders(offset + kIpv6Size);
        if (transport) readTransport(*transport);
    }

    /// Offset of the transport header, nothing when there is none to read.
    std::optional<std::size_t> walkExtensionHeaders(std::size_t offset) {
        reached(Layer::Network, offset);
        for (int count = 0; count < kMaxExtensionHeaders; ++count) {
            const auto* p = bytes_ + offset;
            switch (out_.ipProtocol) {
                case ipproto::kHopByHop:
                case ipproto::kRouting:
                case ipproto::kDestinationOptions: {
                    if (!has(offset, 8)) return std::nullopt;
                    const std::size_t size = (std::size_t{p[1]} + 1) * 8;
                    if (!has(offset, size)) return std::nullopt;
                    out_.ipProtocol = p[0];
                    offset += size;
                    break;
                }
                case ipproto::kFragment: {
                    if (!has(offset, 8)) return std::nullopt;
                    out_.ipProtocol = p[0];
                    const std::uint16_t offsetAndFlags = loadBe16(p + 2);
                    setFragment(offsetAndFlags >> 3, (offsetAndFlags & 1) != 0);
                    offset += 8;
                    break;
                }
                default:
                    return offset;
            }
            reached(Layer::Network, offset);
            if (out_.fragment == Fragment::Later) return std::nullopt;
        }
        return std::nullopt;
    }

    void readTransport(std::size_t offset) {
        switch (out_.ipProtocol) {
            case ipproto::kTcp:
                return readTcp(offset);
            case ipproto::kUdp:
                return readFixed(offset, kUdpSize);
            case ipproto::kSctp:
                return readFixed(offset, kSctpSize);
            case ipproto::kIcmp:
                if (out_.etherType == ethertype::kIpv4) readIcmp(offset);
                return;
            case ipproto::kIcmpv6:
                if (out_.etherType == ethertype::kIpv6) readIcmpv6(offset);
                return;
            default:
                return;
        }
    }

    void readTcp(std::size_t offset) {
        const auto* p = bytes_ + offset;
        if (!has(offset, kTcpSize)) return;
        const std::size_t size = std::size_t{p[12]} / 16 * 4;
        if (size < kTcpSize || !has(offset, size)) return;
        readPorts(p);
        out_.tcpFlags = p[13];
        reached(Layer::Transport, offset + size);
    }

    /// A header that has no options and begins with the ports.
    void readFixed(std::size_t offset, std::size_t size) {
        if (!has(offset, size)) return;
        readPorts(bytes_ + offset);
        reached(Layer::Transport, offset + size);
    }

    void readIcmp(std::size_t offset) {
        if (!has(offset, kIcmpSize)) return;
        const auto* p = bytes_ + offset;
        readTypeAndCode(p);
        if (p[0] == icmptype::kEchoRequest || p[0] == icmptype::kEchoReply) readEcho(p);
        reached(Layer::Transport, offset + kIcmpSize);
    }

    void readIcmpv6(std::size_t offset) {
        if (!has(offset, kIcmpSize)) return;
        const auto* p = bytes_ + offset;
        readTypeAndCode(p);
        reached(Layer::Transport, offset + kIcmpSize);
        if (p[0] == icmpv6type::kEchoRequest || p[0] == icmpv6type::kEchoReply) readEcho(p);
        if (p[0] == icmpv6type::kNeighbourSolicitation) readNeighbour(offset, 1);
        if (p[0] == icmpv6type::kNeighbourAdvertisement) readNeighbour(offset, 2);
    }

    /// RFC 4861 sections 4.3 and 4.4: the target address, then options of 8-byte units.
    void readNeighbour(std::size_t offset, std::uint8_t linkLayerOption) {
        constexpr std::size_t kTargetEnd = 24;
        if (!has(offset, kTargetEnd)) return;
        out_.ndTarget = net::Ipv6Address::fromWire(bytes_ + offset + 8);
        for (std::size_t at = offset + kTargetEnd; has(at, 8);) {
            const auto* option = bytes_ + at;
            const std::size_t size = std::size_t{option[1]} * 8;
            if (size == 0 || !has(at, size)) return;
            if (option[0] == linkLayerOption && size == 8) {
                out_.ndLinkLayer = net::Mac::fromWire(option + 2);
                return;
            }
            at += size;
        }
    }

    void readPorts(const std::uint8_t* p) {
        out_.sourcePort = loadBe16(p);
        out_.destinationPort = loadBe16(p + 2);
    }
    void readTypeAndCode(const std::uint8_t* p) {
        out_.sourcePort = p[0];
        out_.destinationPort = p[1];
    }
    void readEcho(const std::uint8_t* p) {
        out_.icmpId = loadBe16(p + 4);
        out_.icmpSequence = loadBe16(p + 6);
    }

    void setFragment(unsigned offset, bool moreFragments) {
        if (offset != 0)
            out_.fragment = Fragment::Later;
        else if (moreFragments)
            out_.fragment = Fragment::First;
    }

    void limitTo(std::size_t end) {
        out_.truncated = end > end_;
        end_ = std::min(end_, end);
        out_.payloadEnd = narrow(end_);
    }

    const std::uint8_t* bytes_;
    std::size_t end_;
    ParsedPacket& out_;
};

}  // namespace

Result<ParsedPacket> parse(ByteView frame, std::optional<VlanTag> outOfBandTag) {
    if (frame.size() < kEthernetSize)
        return fail(ErrorCode::Malformed, "a frame of {} bytes has no Ethernet header (14)",
                    frame.size());
    Result<ParsedPacket> result;
    ParsedPacket& out = *result;
    out.destination = net::Mac::fromWire(frame.data());
    out.source = net::Mac::fromWire(frame.data() + 6);
    out.etherType = loadBe16(frame.data() + 12);
    if (outOfBandTag) out.vlanTags[out.vlanCount++] = *outOfBandTag;

    std::size_t offset = kEthernetSize;
    while (ethertype::isVlan(out.etherType) && out.vlanCount < out.vlanTags.size() &&
           frame.size() - offset >= kVlanSize) {
        out.vlanTags[out.vlanCount++] = VlanTag{out.etherType, loadBe16(frame.data() + offset)};
        out.etherType = loadBe16(frame.data() + offset + 2);
        offset += kVlanSize;
    }
    Reader{frame, out}.readFrom(offset);
    return result;
}

}  // namespace midonet::packet
