#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "packet/builder.h"
#include "packet/checksum.h"
#include "packet/describe.h"
#include "packet/parse.h"

/// parse(build(x)) == x for random headers, and nothing that is parsed steps outside its frame.
namespace midonet::net {
void showValue(const Mac& mac, std::ostream& out) { out << mac.toString(); }
void showValue(const Ipv4Address& address, std::ostream& out) { out << address.toString(); }
void showValue(const Ipv6Address& address, std::ostream& out) { out << address.toString(); }
}  // namespace midonet::net

namespace midonet::packet {
namespace {

rc::Gen<net::Mac> anyMac() {
    return rc::gen::map(rc::gen::arbitrary<std::uint64_t>(),
                        [](std::uint64_t v) { return net::Mac{v}; });
}
rc::Gen<net::Ipv4Address> anyV4() {
    return rc::gen::map(rc::gen::arbitrary<std::uint32_t>(),
                        [](std::uint32_t v) { return net::Ipv4Address{v}; });
}
rc::Gen<net::Ipv6Address> anyV6() {
    return rc::gen::map(
        rc::gen::pair(rc::gen::arbitrary<std::uint64_t>(), rc::gen::arbitrary<std::uint64_t>()),
        [](const auto& v) { return net::Ipv6Address{v.first, v.second}; });
}

struct Transport {
    Packet packet;
    std::uint8_t protocol = 0;
    std::uint16_t source = 0;
    std::uint16_t destination = 0;
};

Transport anyTransport(bool v6) {
    const auto source = *rc::gen::arbitrary<std::uint16_t>();
    const auto destination = *rc::gen::arbitrary<std::uint16_t>();
    switch (*rc::gen::inRange(0, 3)) {
        case 0:
            return {udp(source, destination), ipproto::kUdp, source, destination};
        case 1: {
            const auto options = *rc::gen::container<Frame>(rc::gen::arbitrary<std::uint8_t>());
            const Frame some(options.begin(),
                             options.begin() + static_cast<std::ptrdiff_t>(
                                                   std::min<std::size_t>(options.size(), 40)));
            return {tcp(source, destination).options(some), ipproto::kTcp, source, destination};
        }
        default: {
            const auto echo = v6 ? icmpv6Echo(source, destination) : icmpEcho(source, destination);
            return {echo, v6 ? ipproto::kIcmpv6 : ipproto::kIcmp, echo.type, 0};
        }
    }
}

RC_GTEST_PROP(RoundTrip, HeadersThatAreBuiltAreParsed,
              (const Frame& payload, bool v6, std::uint8_t tos, std::uint8_t ttl)) {
    const auto source = *anyMac();
    const auto destination = *anyMac();
    const auto tags =
        *rc::gen::container<std::vector<std::uint16_t>>(rc::gen::inRange<std::uint16_t>(0, 4096));
    Packet p = eth(source, destination);
    const std::size_t tagCount = std::min<std::size_t>(tags.size(), 2);
    for (std::size_t i = 0; i < tagCount; ++i) p = p / vlan(tags[i]);

    net::IpAddress ipSource;
    net::IpAddress ipDestination;
    if (v6) {
        const auto a = *anyV6();
        const auto b = *anyV6();
        p = p / ipv6(a, b).trafficClass(tos).hopLimit(ttl);
        if (*rc::gen::arbitrary<bool>()) p = p / hopByHop(payload.size() < 200 ? payload : Frame{});
        ipSource = a;
        ipDestination = b;
    } else {
        const auto a = *anyV4();
        const auto b = *anyV4();
        p = p / ipv4(a, b).tos(tos).ttl(ttl);
        ipSource = a;
        ipDestination = b;
    }
    const Transport transport = anyTransport(v6);
    const Frame frame =
        (p / transport.packet / payload).toBytes(*rc::gen::inRange<std::size_t>(0, 100));

    const auto read = parse(frame);
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->layer == Layer::Transport);
    RC_ASSERT(read->source == source);
    RC_ASSERT(read->destination == destination);
    RC_ASSERT(std::size_t{read->vlanCount} == tagCount);
    for (std::size_t i = 0; i < tagCount; ++i) RC_ASSERT(read->vlans()[i].id().value() == tags[i]);
    RC_ASSERT(read->ipSource == ipSource);
    RC_ASSERT(read->ipDestination == ipDestination);
    RC_ASSERT(read->tos == tos);
    RC_ASSERT(read->ttl == ttl);
    RC_ASSERT(read->ipProtocol == transport.protocol);
    RC_ASSERT(read->sourcePort == transport.source);
    RC_ASSERT(read->destinationPort == transport.destination);
    const auto bytes = read->payload(frame);
    RC_ASSERT(Frame(bytes.begin(), bytes.end()) == payload);

    Checksum sum;
    const auto segment =
        ByteView(frame).subspan(read->transportOffset, read->payloadEnd - read->transportOffset);
    if (transport.protocol != ipproto::kIcmp)
        sum.addPseudoHeader(ipSource, ipDestination, transport.protocol,
                            static_cast<std::uint32_t>(segment.size()));
    RC_ASSERT(sum.add(segment).value() == 0);
    RC_ASSERT(describe(frame).find("[checksum") == std::string::npos);
}

/// A valid frame with a few bytes changed: what foreign bytes look like when they hurt.
RC_GTEST_PROP(RoundTrip, DamagedFramesStayInsideTheirBounds, (const Frame& payload)) {
    Frame frame = (eth(*anyMac(), *anyMac()) / vlan(1) / ipv6(*anyV6(), *anyV6()) / hopByHop() /
                   ipv6Fragment(0, true) / neighbourSolicitation(*anyV6(), *anyMac()) / payload)
                      .toBytes();
    const auto damage = *rc::gen::container<std::vector<std::pair<std::uint16_t, std::uint8_t>>>(
        rc::gen::arbitrary<std::pair<std::uint16_t, std::uint8_t>>());
    for (const auto& [at, value] : damage) frame[at % frame.size()] = value;
    const auto read = parse(frame);
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->networkOffset <= read->transportOffset);
    RC_ASSERT(read->transportOffset <= read->payloadOffset);
    RC_ASSERT(read->payloadOffset <= read->payloadEnd);
    RC_ASSERT(std::size_t{read->payloadEnd} <= frame.size());
    RC_ASSERT(!describe(frame).empty());
}

}  // namespace
}  // namespace midonet::packet
