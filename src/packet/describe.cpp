#include "packet/describe.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "packet/checksum.h"
#include "packet/gre.h"
#include "packet/parse.h"
#include "packet/vxlan.h"

namespace midonet::packet {
namespace {

constexpr std::size_t kShownPayload = 64;
constexpr int kMaxNesting = 3;

std::string hex(ByteView bytes) {
    std::string text;
    for (const auto b : bytes) text += fmt::format("{}{:02x}", text.empty() ? "" : " ", b);
    return text;
}

std::string tcpFlagNames(std::uint8_t flags) {
    static constexpr std::string_view kNames[] = {"FIN", "SYN", "RST", "PSH",
                                                  "ACK", "URG", "ECE", "CWR"};
    std::string text;
    for (unsigned i = 0; i < 8; ++i)
        if (flags & (1U << i)) text += fmt::format("{}{}", text.empty() ? "" : ",", kNames[i]);
    return text.empty() ? "none" : text;
}

/// Writes one frame, line by line; frames inside tunnels with a deeper indentation.
class Describer {
public:
    Describer(ByteView frame, int nesting)
        : frame_(frame), indent_(static_cast<std::size_t>(nesting) * 2, ' '), nesting_(nesting) {}

    std::string describe() {
        const auto parsed = parse(frame_);
        if (!parsed) {
            line("{} bytes, no Ethernet header: {}", frame_.size(), hex(frame_));
            return std::move(text_);
        }
        packet_ = *parsed;
        const auto firstType = loadBe16(frame_.data() + 12);
        line("eth {} > {} type {:#06x} size {}", packet_.source, packet_.destination, firstType,
             frame_.size());
        for (std::size_t i = 0; i < packet_.vlanCount; ++i) {
            const auto& tag = packet_.vlanTags[i];
            line("vlan {} priority {}{} type {:#06x}", tag.id(), tag.priority(),
                 tag.dropEligible() ? " dei" : "",
                 loadBe16(frame_.data() + kEthernetSize + i * kVlanSize + 2));
        }
        if (packet_.isArp()) describeArp();
        if (packet_.isIpv4()) describeIpv4();
        if (packet_.isIpv6()) describeIpv6();
        if (packet_.layer == Layer::Transport) describeTransport();
        if (!describeInner()) describePayload();
        return std::move(text_);
    }

private:
    template <class... Args>
    void line(fmt::format_string<Args...> format, Args&&... args) {
        text_ += indent_;
        text_ += fmt::format(format, std::forward<Args>(args)...);
        text_ += '\n';
    }

    const std::uint8_t* network() const { return frame_.data() + packet_.networkOffset; }
    const std::uint8_t* transport() const { return frame_.data() + packet_.transportOffset; }

    void describeArp() {
        const char* name = packet_.arpOperation == arpop::kRequest ? "request"
                           : packet_.arpOperation == arpop::kReply ? "reply"
                                                                   : "operation";
        line("arp {} {} sender {} {} target {} {}", name, packet_.arpOperation,
             packet_.arpSenderMac, packet_.ipSource, packet_.arpTargetMac, packet_.ipDestination);
    }

    void describeIpv4() {
        const auto* p = network();
        const std::size_t headerSize = std::size_t{p[0] & 0xfU} * 4;
        const unsigned flags = loadBe16(p + 6);
        std::string notes;
        if (flags & 0x8000) notes += " evil";
        if (flags & 0x4000) notes += " DF";
        if (flags & 0x2000) notes += " MF";
        if (flags & 0x1fff) notes += fmt::format(" offset {}", (flags & 0x1fff) * 8);
        if (headerSize > kIpv4Size)
            notes += fmt::format(" options {}", hex({p + kIpv4Size, headerSize - kIpv4Size}));
        if (packet_.truncated) notes += " [cut]";
        notes += checksumNote(loadBe16(p + 10), 10, {p, headerSize});
        line("ipv4 {} > {} proto {} ttl {} tos {:#04x} id {} length {}{}", packet_.ipSource,
             packet_.ipDestination, packet_.ipProtocol, packet_.ttl, packet_.tos, loadBe16(p + 4),
             loadBe16(p + 2), notes);
    }

    void describeIpv6() {
        const auto* p = network();
        line("ipv6 {} > {} next {} hop limit {} class {:#04x} label {} length {}{}",
             packet_.ipSource, packet_.ipDestination, p[6], packet_.ttl, packet_.tos,
             loadBe32(p) & 0xfffff, loadBe16(p + 4), packet_.truncated ? " [cut]" : "");
        const std::size_t extensions = packet_.networkOffset + kIpv6Size;
        const std::size_t end =
            packet_.layer == Layer::Transport ? packet_.transportOffset : packet_.payloadOffset;
        if (end > extensions) {
            line("ipv6 extensions, then proto {}{}: {}", packet_.ipProtocol,
                 packet_.fragment == Fragment::None    ? ""
                 : packet_.fragment == Fragment::First ? ", first fragment"
                                                       : ", later fragment",
                 hex(frame_.subspan(extensions, end - extensions)));
        }
    }

    void describeTransport() {
        const auto* p = transport();
        const ByteView segment =
            frame_.subspan(packet_.transportOffset, packet_.payloadEnd - packet_.transportOffset);
        switch (packet_.ipProtocol) {
            case ipproto::kTcp: {
                const ByteView options =
                    frame_.subspan(packet_.transportOffset + kTcpSize,
                                   packet_.payloadOffset - packet_.transportOffset - kTcpSize);
                line("tcp {} > {} flags {} seq {} ack {} window {} urgent {}{}{}",
                     packet_.sourcePort, packet_.destinationPort, tcpFlagNames(packet_.tcpFlags),
                     loadBe32(p + 4), loadBe32(p + 8), loadBe16(p + 14), loadBe16(p + 18),
                     options.empty() ? "" : " options " + hex(options),
                     pseudoNote(loadBe16(p + 16), 16, segment));
                return;
            }
            case ipproto::kUdp: {
                const auto length = loadBe16(p + 4);
                const auto checksum = loadBe16(p + 6);
                line("udp {} > {} length {}{}{}", packet_.sourcePort, packet_.destinationPort,
                     length,
                     packet_.fragment == Fragment::None && !packet_.truncated &&
                             length != segment.size()
                         ? " [wrong length]"
                         : "",
                     checksum == 0 ? " no checksum" : pseudoNote(checksum, 6, segment));
                return;
            }
            case ipproto::kSctp:
                line("sctp {} > {}", packet_.sourcePort, packet_.destinationPort);
                return;
            case ipproto::kIcmp:
                line("icmp type {} code {} rest {:#010x}{}", packet_.sourcePort,
                     packet_.destinationPort, loadBe32(p + 4),
                     whole() ? checksumNote(loadBe16(p + 2), 2, segment) : "");
                return;
            case ipproto::kIcmpv6:
                describeIcmpv6(p, segment);
                return;
            default:
                return;
        }
    }

    void describeIcmpv6(const std::uint8_t* p, ByteView segment) {
        std::string neighbour;
        if ((p[0] == icmpv6type::kNeighbourSolicitation ||
             p[0] == icmpv6type::kNeighbourAdvertisement) &&
            segment.size() >= 24) {
            neighbour = fmt::format(" target {}", packet_.ndTarget);
            if (packet_.ndLinkLayer)
                neighbour += fmt::format(" link layer {}", *packet_.ndLinkLayer);
        }
        line("icmpv6 type {} code {} rest {:#010x}{}{}", packet_.sourcePort,
             packet_.destinationPort, loadBe32(p + 4), neighbour,
             pseudoNote(loadBe16(p + 2), 2, segment));
    }

    /// The frame inside VXLAN or GRE; false when there is none.
    bool describeInner() {
        if (nesting_ >= kMaxNesting) return false;
        const ByteView payload = packet_.payload(frame_);
        if (packet_.hasTransport(ipproto::kUdp) && packet_.destinationPort == kVxlanPort) {
            const auto header = parseVxlan(payload);
            if (!header) return false;
            line("vxlan key {}", header->key);
            text_ += Describer{payload.subspan(kVxlanSize), nesting_ + 1}.describe();
            return true;
        }
        if (packet_.isIp() && packet_.ipProtocol == ipproto::kGre &&
            packet_.fragment == Fragment::None) {
            const auto header = parseGre(payload);
            if (!header || header->protocol != ethertype::kTransparentBridging) return false;
            line("gre{}{}{}", header->key ? fmt::format(" key {}", *header->key) : "",
                 header->sequence ? fmt::format(" sequence {}", *header->sequence) : "",
                 header->hasChecksum ? " checksum" : "");
            text_ += Describer{payload.subspan(header->size()), nesting_ + 1}.describe();
            return true;
        }
        return false;
    }

    void describePayload() {
        const ByteView payload = packet_.payload(frame_);
        if (!payload.empty()) {
            const ByteView shown = payload.first(std::min(payload.size(), kShownPayload));
            std::string readable;
            for (const auto b : shown)
                readable += b >= 0x20 && b < 0x7f ? static_cast<char>(b) : '.';
            line("payload {} bytes: {}{} \"{}\"", payload.size(), hex(shown),
                 shown.size() < payload.size() ? " ..." : "", readable);
        }
        if (packet_.payloadEnd < frame_.size())
            line("trailer {} bytes", frame_.size() - packet_.payloadEnd);
    }

    /// Only then are all bytes here that the checksum of the transport layer covers.
    bool whole() const { return packet_.fragment == Fragment::None && !packet_.truncated; }

    static std::string note(std::uint16_t found, std::uint16_t right) {
        return found == right ? ""
                              : fmt::format(" [checksum {:#06x}, right is {:#06x}]", found, right);
    }
    static Checksum without(std::size_t checksumOffset, ByteView covered, Checksum sum) {
        return sum.add(covered.first(checksumOffset)).add(covered.subspan(checksumOffset + 2));
    }
    static std::string checksumNote(std::uint16_t found, std::size_t at, ByteView covered) {
        return note(found, without(at, covered, {}).value());
    }
    std::string pseudoNote(std::uint16_t found, std::size_t at, ByteView segment) const {
        if (!whole()) return "";
        Checksum sum;
        sum.addPseudoHeader(packet_.ipSource, packet_.ipDestination, packet_.ipProtocol,
                            static_cast<std::uint32_t>(segment.size()));
        if (found == sum.folded()) return " [partial checksum]";
        const auto right = without(at, segment, sum).value();
        return note(found, packet_.ipProtocol == ipproto::kUdp ? udpChecksum(right) : right);
    }

    ByteView frame_;
    std::string indent_;
    int nesting_;
    ParsedPacket packet_;
    std::string text_;
};

std::vector<std::string> splitLines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string one; std::getline(in, one);) lines.push_back(one);
    return lines;
}

std::string_view protocolName(std::uint8_t protocol) {
    switch (protocol) {
        case ipproto::kTcp:
            return "tcp";
        case ipproto::kUdp:
            return "udp";
        case ipproto::kSctp:
            return "sctp";
        case ipproto::kIcmp:
            return "icmp";
        case ipproto::kIcmpv6:
            return "icmpv6";
        default:
            return "";
    }
}

}  // namespace

std::string describe(ByteView frame) { return Describer{frame, 0}.describe(); }

std::string summarize(ByteView frame) {
    const auto parsed = parse(frame);
    if (!parsed) return fmt::format("{} bytes without Ethernet header", frame.size());
    const auto& p = *parsed;
    const std::string vlan = p.vlanCount ? fmt::format(" vlan {}", p.vlanTags[0].id()) : "";
    const auto tail = fmt::format("{}, {} bytes", vlan, frame.size());
    if (p.isArp())
        return fmt::format("arp {} {} > {}{}",
                           p.arpOperation == arpop::kRequest ? "request" : "reply", p.ipSource,
                           p.ipDestination, tail);
    if (!p.isIp())
        return fmt::format("eth {} > {} type {:#06x}{}", p.source, p.destination, p.etherType,
                           tail);
    const auto name = protocolName(p.ipProtocol);
    if (p.layer != Layer::Transport)
        return fmt::format("ip {} > {} proto {}{}{}", p.ipSource, p.ipDestination, p.ipProtocol,
                           p.fragment == Fragment::Later ? " later fragment" : "", tail);
    if (p.ipProtocol == ipproto::kIcmp || p.ipProtocol == ipproto::kIcmpv6)
        return fmt::format("{} {} > {} type {} code {}{}", name, p.ipSource, p.ipDestination,
                           p.sourcePort, p.destinationPort, tail);
    const char* format = p.isIpv6() ? "[{}]:{}" : "{}:{}";
    return fmt::format("{} {} > {}{}", name,
                       fmt::format(fmt::runtime(format), p.ipSource, p.sourcePort),
                       fmt::format(fmt::runtime(format), p.ipDestination, p.destinationPort), tail);
}

std::string describeDifference(ByteView expected, ByteView actual) {
    const auto [left, right] = std::ranges::mismatch(expected, actual);
    if (left == expected.end() && right == actual.end()) return {};

    const auto before = splitLines(describe(expected));
    const auto after = splitLines(describe(actual));
    std::string text;
    for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
        if (i < before.size() && i < after.size() && before[i] == after[i]) {
            text += "  " + before[i] + '\n';
            continue;
        }
        if (i < before.size()) text += "- " + before[i] + '\n';
        if (i < after.size()) text += "+ " + after[i] + '\n';
    }
    text += fmt::format("first difference at byte {} (expected {} bytes, got {})\n",
                        left - expected.begin(), expected.size(), actual.size());
    return text;
}

}  // namespace midonet::packet
