#include "datapath/fake/editable_frame.h"

#include <array>

#include "packet/checksum.h"

namespace midonet::datapath::fake {

void EditableFrame::setEthernet(net::Mac source, net::Mac destination) {
    if (bytes_.size() < packet::kEthernetSize) return;
    destination.toWire(bytes_.data());
    source.toWire(bytes_.data() + 6);
}

void EditableFrame::pushVlan(flow::VlanTci tci) {
    if (bytes_.size() < packet::kEthernetSize) return;
    std::array<std::uint8_t, packet::kVlanSize> tag{};
    storeBe16(tag.data(), packet::ethertype::kVlan);
    storeBe16(tag.data() + 2, static_cast<std::uint16_t>(tci.raw() & ~flow::VlanTci::kPresent));
    bytes_.insert(bytes_.begin() + 12, tag.begin(), tag.end());
    if (offload_.checksumPartial) offload_.checksumStart = static_cast<std::uint16_t>(offload_.checksumStart + tag.size());
}

void EditableFrame::popVlan() {
    if (bytes_.size() < packet::kEthernetSize + packet::kVlanSize || !packet::ethertype::isVlan(loadBe16(bytes_.data() + 12))) return;
    bytes_.erase(bytes_.begin() + 12, bytes_.begin() + 12 + packet::kVlanSize);
    if (offload_.checksumPartial) offload_.checksumStart = static_cast<std::uint16_t>(offload_.checksumStart - packet::kVlanSize);
}

void EditableFrame::setIpAddresses(const net::IpAddress& source, const net::IpAddress& destination) {
    const auto parsed = packet::parse(bytes_);
    if (!parsed || !parsed->isIp() || parsed->isIpv4() != source.isV4()) return;
    const std::size_t at = parsed->networkOffset + (source.isV4() ? 12U : 8U);
    replaceAddress(*parsed, at, parsed->ipSource, source);
    replaceAddress(*parsed, at + source.bits() / 8, parsed->ipDestination, destination);
}

void EditableFrame::setL4Ports(std::uint16_t source, std::uint16_t destination) {
    const auto parsed = packet::parse(bytes_);
    if (!parsed || !(parsed->hasTransport(packet::ipproto::kTcp) || parsed->hasTransport(packet::ipproto::kUdp))) return;
    std::uint8_t* ports = bytes_.data() + parsed->transportOffset;
    const std::uint32_t before = loadBe32(ports);
    storeBe16(ports, source);
    storeBe16(ports + 2, destination);
    // With a partial checksum the field holds the sum of the pseudo header: no ports in it.
    std::uint8_t* checksum = transportChecksum(*parsed);
    if (offload_.checksumPartial || checksum == nullptr) return;
    const std::uint16_t after = packet::updateChecksum(loadBe16(checksum), before, loadBe32(ports));
    storeBe16(checksum, parsed->ipProtocol == packet::ipproto::kUdp ? packet::udpChecksum(after) : after);
}

bool EditableFrame::decrementTtl(std::uint8_t by) {
    const auto parsed = packet::parse(bytes_);
    if (!parsed || !parsed->isIp()) return true;
    if (parsed->ttl <= by) return false;
    const auto left = static_cast<std::uint8_t>(parsed->ttl - by);
    std::uint8_t* ip = bytes_.data() + parsed->networkOffset;
    if (parsed->isIpv6()) {
        ip[7] = left;
        return true;
    }
    const std::uint16_t before = loadBe16(ip + 8);
    ip[8] = left;
    storeBe16(ip + 10, packet::updateChecksum(loadBe16(ip + 10), before, loadBe16(ip + 8)));
    return true;
}

void EditableFrame::replaceAddress(const packet::ParsedPacket& parsed, std::size_t at, const net::IpAddress& before,
                                   const net::IpAddress& after) {
    if (after.isV4()) {
        after.v4().toWire(bytes_.data() + at);
        std::uint8_t* checksum = bytes_.data() + parsed.networkOffset + 10;
        storeBe16(checksum, packet::updateChecksum(loadBe16(checksum), before.v4().toHostOrder(), after.v4().toHostOrder()));
    } else {
        after.v6().toWire(bytes_.data() + at);
    }
    std::uint8_t* checksum = transportChecksum(parsed);
    if (checksum == nullptr) return;
    if (offload_.checksumPartial) {
        // The sum itself, not its complement.
        const auto complement = static_cast<std::uint16_t>(~loadBe16(checksum));
        storeBe16(checksum, static_cast<std::uint16_t>(~packet::updateChecksum(complement, before, after)));
        return;
    }
    const std::uint16_t sum = packet::updateChecksum(loadBe16(checksum), before, after);
    storeBe16(checksum, parsed.ipProtocol == packet::ipproto::kUdp ? packet::udpChecksum(sum) : sum);
}

std::uint8_t* EditableFrame::transportChecksum(const packet::ParsedPacket& parsed) {
    if (parsed.layer != packet::Layer::Transport) return nullptr;
    std::uint8_t* l4 = bytes_.data() + parsed.transportOffset;
    switch (parsed.ipProtocol) {
        case packet::ipproto::kTcp: return l4 + 16;
        case packet::ipproto::kUdp:  // Zero: the sender made none (RFC 768).
            return loadBe16(l4 + 6) == 0 && !offload_.checksumPartial ? nullptr : l4 + 6;
        case packet::ipproto::kIcmpv6: return l4 + 2;
        default: return nullptr;
    }
}

}  // namespace midonet::datapath::fake
