/// Frames of tenants that flow actions rewrite: a checksum that was right before is right afterwards, and what
/// was written is what is parsed. The first two bytes choose the actions, the rest is the frame.
#include <algorithm>

#include "base/assert.h"
#include "datapath/fake/editable_frame.h"
#include "datapath/flow_key_from_frame.h"
#include "packet/describe.h"

using namespace midonet;

namespace {

/// What describe() says of the headers that are rewritten: not of a frame in a tunnel, nor in a payload that
/// happens to hold the same text.
bool outerHeadersSay(ByteView frame, std::string_view note) {
    const auto text = packet::describe(frame);
    const auto end = std::min(text.find("\n  eth "), text.find("\npayload "));
    return text.substr(0, end).find(note) != std::string::npos;
}

const net::Ipv4Address kV4a{0x0a000001};
const net::Ipv4Address kV4b{0xfffefdfc};
const net::Ipv6Address kV6a{0x20010db800000000ULL, 1};
const net::Ipv6Address kV6b{0xfe80000000000000ULL, ~0ULL};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const unsigned actions = loadBe16(data);
    const ByteView frame{data + 2, size - 2};
    const bool wasWrong = outerHeadersSay(frame, "[checksum");
    datapath::Offload offload;
    offload.checksumPartial = outerHeadersSay(frame, "[partial checksum]");
    const auto before = packet::parse(frame);

    datapath::fake::EditableFrame edited(frame, offload);
    if (actions & 1) edited.setIpAddresses(kV4a, kV4b);
    if (actions & 2) edited.setIpAddresses(kV6a, kV6b);
    if (actions & 4) edited.setL4Ports(static_cast<std::uint16_t>(actions), 0xffff);
    if (actions & 8) {
        const auto by = static_cast<std::uint8_t>(actions >> 8);
        const bool hopsLeft = edited.decrementTtl(by);
        if (before && before->isIp()) MIDONET_ASSERT(hopsLeft == (before->ttl > by), "few hops are noticed");
    }
    const auto after = packet::parse(edited.bytes());
    MIDONET_ASSERT(edited.bytes().size() == frame.size(), "rewriting fields moves nothing");
    MIDONET_ASSERT(after.has_value() == before.has_value(), "rewriting fields moves nothing");
    if (after) {
        MIDONET_ASSERT(after->layer == before->layer, "rewriting fields moves nothing");
        if (after->isIpv4() && (actions & 1))
            MIDONET_ASSERT(after->ipSource == net::IpAddress{kV4a}, "the address is written");
        if (after->isIpv6() && (actions & 2))
            MIDONET_ASSERT(after->ipDestination == net::IpAddress{kV6b}, "the address is written");
    }
    if (!wasWrong)
        MIDONET_ASSERT(!outerHeadersSay(edited.bytes(), "[checksum"), "right checksums stay right");

    if (actions & 16) edited.pushVlan(flow::VlanTci::tagged(net::VlanId{100}));
    if (actions & 32) edited.popVlan();
    if (actions & 64) edited.setEthernet(net::Mac{1}, net::Mac{2});
    (void)datapath::flowKeyFromFrame({}, edited.bytes());
    return 0;
}
