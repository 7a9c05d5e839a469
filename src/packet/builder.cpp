#include "packet/builder.h"

#include <algorithm>
#include <span>

#include "base/overloaded.h"
#include "packet/checksum.h"
#include "packet/vxlan.h"

namespace midonet::packet {
namespace {

std::uint16_t low16(std::size_t v) { return static_cast<std::uint16_t>(v); }

/// The Ethernet type that announces `next`.
std::uint16_t etherTypeOf(const Header* next) {
    if (!next) return ethertype::kExperimental;
    return std::visit(Overloaded{
                          [](const Vlan& h) { return h.tag.tpid; },
                          [](const Arp&) { return ethertype::kArp; },
                          [](const Ipv4&) { return ethertype::kIpv4; },
                          [](const Ipv6&) { return ethertype::kIpv6; },
                          [](const auto&) { return ethertype::kExperimental; },
                      },
                      *next);
}

/// The IP protocol that announces `next`.
std::uint8_t ipProtocolOf(const Header* next) {
    if (!next) return ipproto::kNoNext;
    return std::visit(Overloaded{
                          [](const Ipv6Extension& h) { return h.kind; },
                          [](const Ipv6Fragment&) { return ipproto::kFragment; },
                          [](const Tcp&) { return ipproto::kTcp; },
                          [](const Udp&) { return ipproto::kUdp; },
                          [](const Icmp& h) { return h.v6 ? ipproto::kIcmpv6 : ipproto::kIcmp; },
                          [](const Gre&) { return ipproto::kGre; },
                          [](const auto&) { return ipproto::kNoNext; },
                      },
                      *next);
}

/// Writes the headers back to front: each one sees the bytes that it carries.
class Writer {
public:
    explicit Writer(std::span<const Header> headers) : headers_(headers) {}

    Frame write() {
        for (index_ = headers_.size(); index_-- > 0;)
            std::visit([this](const auto& header) { prepend(header); }, headers_[index_]);
        return std::move(frame_);
    }

private:
    const Header* next() const {
        return index_ + 1 < headers_.size() ? &headers_[index_ + 1] : nullptr;
    }

    std::uint8_t* grow(std::size_t size) {
        frame_.insert(frame_.begin(), size, 0);
        return frame_.data();
    }

    void prepend(const Payload& h) {
        frame_.insert(frame_.begin(), h.bytes.begin(), h.bytes.end());
    }

    void prepend(const Ethernet& h) {
        auto* p = grow(kEthernetSize);
        h.destination.toWire(p);
        h.source.toWire(p + 6);
        storeBe16(p + 12, h.typeField.value_or(etherTypeOf(next())));
    }

    void prepend(const Vlan& h) {
        auto* p = grow(kVlanSize);
        storeBe16(p, h.tag.tci);
        storeBe16(p + 2, h.typeField.value_or(etherTypeOf(next())));
    }

    void prepend(const Arp& h) {
        auto* p = grow(kArpSize);
        storeBe16(p, 1);
        storeBe16(p + 2, ethertype::kIpv4);
        p[4] = 6;
        p[5] = 4;
        storeBe16(p + 6, h.operation);
        h.senderMac.toWire(p + 8);
        h.senderIp.toWire(p + 14);
        h.targetMac.toWire(p + 18);
        h.targetIp.toWire(p + 24);
    }

    void prepend(const Ipv4& h) {
        const std::size_t size = kIpv4Size + (h.optionBytes.size() + 3) / 4 * 4;
        const std::size_t total = size + frame_.size();
        auto* p = grow(size);
        p[0] = static_cast<std::uint8_t>(0x40 | (size / 4));
        p[1] = h.tosField;
        storeBe16(p + 2, h.totalLengthField.value_or(low16(total)));
        storeBe16(p + 4, h.idField);
        storeBe16(p + 6, h.flagsAndOffset);
        p[8] = h.ttlField;
        p[9] = h.protocolField.value_or(ipProtocolOf(next()));
        h.source.toWire(p + 12);
        h.destination.toWire(p + 16);
        std::ranges::copy(h.optionBytes, p + kIpv4Size);
        storeBe16(p + 10, h.checksumField.value_or(checksumOf({p, size})));
    }

    void prepend(const Ipv6& h) {
        const std::size_t length = frame_.size();
        auto* p = grow(kIpv6Size);
        storeBe32(p, (6U << 28) | (std::uint32_t{h.trafficClassField} << 20) | h.flowLabelField);
        storeBe16(p + 4, h.payloadLengthField.value_or(low16(length)));
        p[6] = h.nextHeaderField.value_or(ipProtocolOf(next()));
        p[7] = h.hopLimitField;
        h.source.toWire(p + 8);
        h.destination.toWire(p + 24);
    }

    void prepend(const Ipv6Extension& h) {
        const std::size_t size = (h.body.size() + 2 + 7) / 8 * 8;
        auto* p = grow(size);
        p[0] = h.nextHeaderField.value_or(ipProtocolOf(next()));
        p[1] = static_cast<std::uint8_t>(size / 8 - 1);
        std::ranges::copy(h.body, p + 2);
        // Options must be padded by an option: PadN (RFC 8200 4.2); a routing header is padded by
        // zeros.
        const std::size_t padding = size - 2 - h.body.size();
        if (h.kind != ipproto::kRouting && padding >= 2) {
            p[2 + h.body.size()] = 1;
            p[3 + h.body.size()] = static_cast<std::uint8_t>(padding - 2);
        }
    }

    void prepend(const Ipv6Fragment& h) {
        auto* p = grow(8);
        p[0] = h.nextHeaderField.value_or(ipProtocolOf(next()));
        storeBe16(p + 2, static_cast<std::uint16_t>((h.offset & ~7U) | (h.more ? 1U : 0U)));
        storeBe32(p + 4, h.id);
    }

    void prepend(const Tcp& h) {
        const std::size_t size = kTcpSize + (h.optionBytes.size() + 3) / 4 * 4;
        auto* p = grow(size);
        storeBe16(p, h.sourcePort);
        storeBe16(p + 2, h.destinationPort);
        storeBe32(p + 4, h.sequenceField);
        storeBe32(p + 8, h.ackField);
        p[12] = static_cast<std::uint8_t>(size / 4 << 4);
        p[13] = h.flagBits;
        storeBe16(p + 14, h.windowField);
        std::ranges::copy(h.optionBytes, p + kTcpSize);
        storeBe16(p + 16, h.checksumField.value_or(transportChecksum(ipproto::kTcp)));
    }

    void prepend(const Udp& h) {
        auto* p = grow(kUdpSize);
        storeBe16(p, h.sourcePort);
        storeBe16(p + 2, h.destinationPort);
        storeBe16(p + 4, h.lengthField.value_or(low16(frame_.size())));
        storeBe16(p + 6, h.checksumField.value_or(udpChecksum(transportChecksum(ipproto::kUdp))));
    }

    void prepend(const Icmp& h) {
        auto* p = grow(kIcmpSize + h.body.size());
        p[0] = h.type;
        p[1] = h.code;
        storeBe32(p + 4, h.rest);
        std::ranges::copy(h.body, p + kIcmpSize);
        const auto computed = h.v6 ? transportChecksum(ipproto::kIcmpv6) : checksumOf(frame_);
        storeBe16(p + 2, h.checksumField.value_or(computed));
    }

    void prepend(const Gre& h) {
        auto* p = grow(h.header.size());
        writeGre(h.header, p);
        if (h.header.hasChecksum) storeBe16(p + 4, checksumOf(frame_));
    }

    void prepend(const Vxlan& h) { writeVxlan({h.key}, grow(kVxlanSize)); }

    /// Over what has been written so far, with the pseudo header of the IP header that comes next.
    std::uint16_t transportChecksum(std::uint8_t protocol) const {
        Checksum sum;
        for (std::size_t i = index_; i-- > 0;) {
            const auto length = static_cast<std::uint32_t>(frame_.size());
            if (const auto* v4 = std::get_if<Ipv4>(&headers_[i])) {
                sum.addPseudoHeader(v4->source, v4->destination, protocol, length);
                break;
            }
            if (const auto* v6 = std::get_if<Ipv6>(&headers_[i])) {
                sum.addPseudoHeader(v6->source, v6->destination, protocol, length);
                break;
            }
        }
        return sum.add(frame_).value();
    }

    std::span<const Header> headers_;
    std::size_t index_ = 0;
    Frame frame_;
};

Icmp icmpHeader(bool v6, unsigned type, unsigned code, std::uint32_t rest) {
    return {v6, static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(code), rest, {}, {}};
}

std::uint32_t echoWord(std::uint16_t id, std::uint16_t sequence) {
    return (std::uint32_t{id} << 16) | sequence;
}

/// Target address, then one link-layer option.
std::vector<std::uint8_t> neighbourBody(const net::Ipv6Address& target, std::uint8_t option,
                                        net::Mac mac) {
    std::vector<std::uint8_t> body(24);
    target.toWire(body.data());
    body[16] = option;
    body[17] = 1;
    mac.toWire(body.data() + 18);
    return body;
}

}  // namespace

Frame Packet::toBytes(std::size_t minimumSize) const {
    Frame frame = Writer{headers_}.write();
    if (frame.size() < minimumSize) frame.resize(minimumSize);
    return frame;
}

Ipv4& Ipv4::fragment(unsigned offset, bool more) {
    flagsAndOffset = static_cast<std::uint16_t>((flagsAndOffset & 0xc000U) | (more ? 0x2000U : 0U) |
                                                (offset / 8 & 0x1fffU));
    return *this;
}

Ipv4 ipv4(Ipv4Literal source, Ipv4Literal destination) {
    Ipv4 h;
    h.source = source.value;
    h.destination = destination.value;
    return h;
}

Ipv6 ipv6(Ipv6Literal source, Ipv6Literal destination) {
    Ipv6 h;
    h.source = source.value;
    h.destination = destination.value;
    return h;
}

Ipv6Extension hopByHop(std::vector<std::uint8_t> body) {
    return {ipproto::kHopByHop, std::move(body), {}};
}
Ipv6Extension destinationOptions(std::vector<std::uint8_t> body) {
    return {ipproto::kDestinationOptions, std::move(body), {}};
}
Ipv6Extension routing(std::vector<std::uint8_t> body) {
    return {ipproto::kRouting, std::move(body), {}};
}
Ipv6Fragment ipv6Fragment(unsigned offset, bool more, std::uint32_t id) {
    return {offset, more, id, {}};
}

Tcp tcp(unsigned sourcePort, unsigned destinationPort) {
    Tcp h;
    h.sourcePort = low16(sourcePort);
    h.destinationPort = low16(destinationPort);
    return h;
}

Udp udp(unsigned sourcePort, unsigned destinationPort) {
    return {low16(sourcePort), low16(destinationPort), {}, {}};
}

Icmp icmp(unsigned type, unsigned code, std::uint32_t rest) {
    return icmpHeader(false, type, code, rest);
}
Icmp icmpEcho(std::uint16_t id, std::uint16_t sequence) {
    return icmp(icmptype::kEchoRequest, 0, echoWord(id, sequence));
}
Icmp icmpEchoReply(std::uint16_t id, std::uint16_t sequence) {
    return icmp(icmptype::kEchoReply, 0, echoWord(id, sequence));
}
Icmp icmpv6(unsigned type, unsigned code, std::uint32_t rest) {
    return icmpHeader(true, type, code, rest);
}
Icmp icmpv6Echo(std::uint16_t id, std::uint16_t sequence) {
    return icmpv6(icmpv6type::kEchoRequest, 0, echoWord(id, sequence));
}
Icmp icmpv6EchoReply(std::uint16_t id, std::uint16_t sequence) {
    return icmpv6(icmpv6type::kEchoReply, 0, echoWord(id, sequence));
}

Icmp neighbourSolicitation(Ipv6Literal target, MacLiteral sourceMac) {
    Icmp h = icmpv6(icmpv6type::kNeighbourSolicitation, 0);
    h.body = neighbourBody(target.value, 1, sourceMac.value);
    return h;
}

Icmp neighbourAdvertisement(Ipv6Literal target, MacLiteral targetMac, AdvertisementFlags flags) {
    const std::uint32_t rest = (flags.router ? 0x80000000U : 0U) |
                               (flags.solicited ? 0x40000000U : 0U) |
                               (flags.override_ ? 0x20000000U : 0U);
    Icmp h = icmpv6(icmpv6type::kNeighbourAdvertisement, 0, rest);
    h.body = neighbourBody(target.value, 2, targetMac.value);
    return h;
}

}  // namespace midonet::packet
