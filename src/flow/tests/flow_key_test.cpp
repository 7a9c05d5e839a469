#include "flow/flow_key.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <vector>

#include "flow/flow_action.h"
#include "flow/drop_reason.h"

namespace midonet::flow {
namespace {

/// Each differs from the default key in one field.
std::vector<FlowKey> keysThatDifferInOneField() {
    std::vector<std::function<void(FlowKey&)>> changes{
        [](FlowKey& k) { k.inPort = PortNumber{1}; },
        [](FlowKey& k) { k.tunnelKey = net::TunnelKey{1}; },
        [](FlowKey& k) { k.tunnelSource = net::Ipv4Address{1}; },
        [](FlowKey& k) { k.tunnelDestination = net::Ipv4Address{1}; },
        [](FlowKey& k) { k.ethSource = net::Mac{1}; },
        [](FlowKey& k) { k.ethDestination = net::Mac{1}; },
        [](FlowKey& k) { k.etherType = 1; },
        [](FlowKey& k) { k.vlan = VlanTci::tagged(net::VlanId{0}); },
        [](FlowKey& k) { k.ipSource = net::Ipv4Address{1}; },
        [](FlowKey& k) { k.ipSource = net::Ipv6Address{}; },
        [](FlowKey& k) { k.ipDestination = net::Ipv4Address{1}; },
        [](FlowKey& k) { k.ipDestination = net::Ipv6Address{1, 0}; },
        [](FlowKey& k) { k.ipProtocol = 1; },
        [](FlowKey& k) { k.ipTos = 1; },
        [](FlowKey& k) { k.ipTtl = 1; },
        [](FlowKey& k) { k.ipFragment = Fragment::Later; },
        [](FlowKey& k) { k.l4Source = 1; },
        [](FlowKey& k) { k.l4Destination = 1; },
        [](FlowKey& k) { k.icmpId = 1; },
    };
    std::vector<FlowKey> keys(1);
    for (const auto& change : changes) {
        FlowKey key;
        change(key);
        keys.push_back(key);
    }
    return keys;
}

TEST(FlowKeyTest, EveryFieldCountsForEqualityAndHash) {
    const auto keys = keysThatDifferInOneField();
    std::set<std::uint64_t> hashes;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        hashes.insert(keys[i].hash());
        for (std::size_t j = 0; j < keys.size(); ++j) EXPECT_EQ(keys[i] == keys[j], i == j) << i << " and " << j;
    }
    EXPECT_EQ(hashes.size(), keys.size());
}

TEST(FlowKeyTest, TextShowsWhatIsThere) {
    FlowKey key;
    key.inPort = PortNumber{3};
    key.ethSource = net::Mac{0x020000000001ULL};
    key.ethDestination = net::Mac::broadcast();
    key.etherType = 0x0800;
    key.vlan = VlanTci::tagged(net::VlanId{10}, 5);
    key.ipSource = net::Ipv4Address{0x0a000001};
    EXPECT_EQ(key.toString(),
              "in_port=3,eth_src=02:00:00:00:00:01,eth_dst=ff:ff:ff:ff:ff:ff,eth_type=0x0800,vlan=10,src=10.0.0.1,dst=0.0.0.0");
}

TEST(FlowKeyTest, TextOfATunnelledPacketNamesTheTunnel) {
    FlowKey key;
    key.tunnelKey = net::TunnelKey{7};
    EXPECT_TRUE(key.fromTunnel());
    EXPECT_EQ(key.toString().substr(0, 10), "tun_key=7,");
}

TEST(VlanTciTest, PriorityTagIsPresent) {
    EXPECT_FALSE(VlanTci{}.present());
    EXPECT_TRUE(VlanTci::tagged(net::VlanId{0}).present());
    EXPECT_EQ(VlanTci::tagged(net::VlanId{4095}, 7).raw(), 0xffff);
    EXPECT_EQ(VlanTci::tagged(net::VlanId{4095}, 7).id().value(), 4095);
}

TEST(DropReasonTest, EveryReasonHasItsOwnLabel) {
    std::set<std::string_view> labels;
    for (const auto reason : allDropReasons()) labels.insert(toString(reason));
    EXPECT_EQ(labels.size(), kDropReasonCount);
}

TEST(FlowActionTest, TextOfAList) {
    EXPECT_EQ(toString(FlowActions{}), "drop");
    EXPECT_EQ(toString(FlowActions{PopVlan{}, Output{PortNumber{4}}, PushVlan{VlanTci::tagged(net::VlanId{9})},
                                   OutputTunnel{TunnelId{2}, net::TunnelKey{77}}}),
              "pop_vlan,output(4),push_vlan(9),tunnel(2,key=77)");
}

}  // namespace
}  // namespace midonet::flow
