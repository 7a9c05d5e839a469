#include "flow/flow_tag.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace midonet::flow {
namespace {

const BridgeId kBridge{Uuid{1, 1}};
const BridgeId kOtherBridge{Uuid{1, 2}};
const PortId kPort{Uuid{2, 1}};
const PortId kOtherPort{Uuid{2, 2}};
const net::Mac kMac{0x020000000001ULL};
const net::Mac kOtherMac{0x020000000002ULL};

TEST(FlowTagTest, EveryArgumentCounts) {
    const std::vector<FlowTag> tags{
        FlowTag::device(kBridge.uuid()),
        FlowTag::device(kPort.uuid()),
        FlowTag::vlanFlood(kBridge, {}, kMac),
        FlowTag::vlanFlood(kOtherBridge, {}, kMac),
        FlowTag::vlanFlood(kBridge, net::VlanId{1}, kMac),
        FlowTag::vlanFlood(kBridge, {}, kOtherMac),
        FlowTag::vlanPort(kBridge, {}, kMac, kPort),
        FlowTag::vlanPort(kOtherBridge, {}, kMac, kPort),
        FlowTag::vlanPort(kBridge, net::VlanId{1}, kMac, kPort),
        FlowTag::vlanPort(kBridge, {}, kOtherMac, kPort),
        FlowTag::vlanPort(kBridge, {}, kMac, kOtherPort),
        FlowTag::broadcast(kBridge),
        FlowTag::broadcast(kOtherBridge),
        FlowTag::datapathPort(PortNumber{1}),
        FlowTag::datapathPort(PortNumber{2}),
        FlowTag::tunnelRoute(net::Ipv4Address{1}, net::Ipv4Address{2}),
        FlowTag::tunnelRoute(net::Ipv4Address{2}, net::Ipv4Address{1}),
        FlowTag::tunnelKey(net::TunnelKey{1}),
        FlowTag::tunnelKey(net::TunnelKey{2}),
        FlowTag::user("web"),
        FlowTag::user("Web"),
        FlowTag::user(""),
    };
    std::set<FlowTag> distinct(tags.begin(), tags.end());
    EXPECT_EQ(distinct.size(), tags.size());
}

TEST(FlowTagTest, SameArgumentsAreTheSameTag) {
    EXPECT_EQ(FlowTag::vlanPort(kBridge, {}, kMac, kPort), FlowTag::vlanPort(kBridge, {}, kMac, kPort));
    EXPECT_EQ(FlowTag::broadcast(kBridge).kind(), FlowTag::Kind::Broadcast);
    EXPECT_EQ(FlowTag::device(kPort.uuid()).kind(), FlowTag::Kind::Device);
}

TEST(FlowTagTest, SomePlacesAreMeteredAndSomeTagsServeMetersAlone) {
    const FlowTag device = FlowTag::device(kPort.uuid()), user = FlowTag::user("web"), key = FlowTag::tunnelKey(net::TunnelKey{1});
    EXPECT_TRUE(device.isMetered() && user.isMetered() && !key.isMetered());
    EXPECT_TRUE(user.isForMetersAlone() && !device.isForMetersAlone() && !FlowTag::bridgeArp(kBridge, net::Ipv4Address{1}).isForMetersAlone());
}

}  // namespace
}  // namespace midonet::flow
