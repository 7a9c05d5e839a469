#include "datapath/ebpf/reader.h"

#include "testing/ebpf_fixture.h"

namespace midonet::datapath::ebpf::testing {
namespace {

class Reading : public EbpfTest {
protected:
    DatapathContents read() const {
        auto contents = readEbpfDatapath(world->host().bpffs(), 10s);
        EXPECT_TRUE(contents) << contents.error().message;
        return contents ? *contents : DatapathContents{};
    }
};

TEST_F(Reading, ShowsWhatWasInstalledBesideTheAgent) {
    const auto tunnel = world->datapath().addTunnel({TunnelType::Gre, ip4("192.0.2.1"), ip4("192.0.2.2")}).value();
    const flow::FlowActions actions{flow::SetEthernet{mac(kB), mac(kA)}, flow::Output{two}, flow::OutputTunnel{tunnel, net::TunnelKey{7}}};
    const auto key = keyOf(udpPacket);
    auto mask = maskOf({Field::EthDestination, Field::EtherType});
    mask.seePrefix(Field::IpDestination, 24);
    mask.close();
    install(key, mask, actions);
    run(udpPacket);
    run(udpPacket);
    const auto arp = keyOf(eth(kA, kA) / arpRequest(kA, "1.1.1.1", "2.2.2.2"));
    const auto dropped = install(arp, flow::FlowMask::exact(), {});

    auto contents = read();
    ASSERT_EQ(contents.ports.size(), 3U);
    EXPECT_EQ(contents.ports[0].number, one);
    EXPECT_EQ(contents.ports[0].interface, "vm1");
    ASSERT_EQ(contents.tunnels.size(), 1U);
    EXPECT_EQ(contents.tunnels[0].spec.remote, ip4("192.0.2.2"));
    ASSERT_EQ(contents.flows.size(), 2U);
    EXPECT_EQ(contents.flows[0].key, arp);
    EXPECT_TRUE(contents.flows[0].actions.empty());
    const auto& flow = contents.flows[1];
    EXPECT_EQ(flow.key, mask.apply(key));
    EXPECT_EQ(flow.mask.toString(), mask.toString());
    EXPECT_EQ(flow::toString(flow.actions), flow::toString(actions));
    EXPECT_EQ(flow.stats.packets, 2U);
    const auto hits =
        std::find_if(contents.counters.begin(), contents.counters.end(), [](const auto& c) { return c.name == "hits_masked"; });
    ASSERT_NE(hits, contents.counters.end());
    EXPECT_EQ(hits->value, 2U);

    world->datapath().removeFlow(0, dropped);
    EXPECT_EQ(read().flows.size(), 1U);
    world->stop();
    EXPECT_EQ(read().flows.size(), 1U) << "nobody runs";
    world->restart();
    for (const char* name : {"vm1", "vm2", "vm3"}) ASSERT_TRUE(world->datapath().addPort(name));
    world->datapath().endAdoption();
    EXPECT_TRUE(read().flows.empty()) << "of the former agent";
}

TEST_F(Reading, FlowsOfIpv6) {
    const Packet packet = eth(kA, kB) / ipv6("fd00::1", "fd00::2") / udp(1000, 53) / "hello";
    const auto key = keyOf(packet);
    auto mask = maskOf({Field::EtherType});
    mask.seePrefix(Field::IpSource, 64);
    mask.close();
    install(key, mask, {flow::Output{two}});
    install(key, flow::FlowMask::exact(), {flow::Output{three}});
    const auto flows = read().flows;
    ASSERT_EQ(flows.size(), 2U);
    EXPECT_EQ(flows[0].key, key);
    EXPECT_EQ(mask.apply(flows[1].key), mask.apply(key));
    EXPECT_EQ(flows[1].mask.toString(), mask.toString());
}

TEST_F(Reading, ManyFlowsInTime) {
    auto options = EbpfWorld::defaults();
    options.maxFlows = 8192;
    start(options);
    auto key = keyOf(udpPacket);
    for (std::uint16_t i = 0; i < 5000; ++i) {
        key.l4Source = i;
        ASSERT_TRUE(world->datapath().installFlow(0, key, flow::FlowMask::exact(), {flow::Output{two}}));
    }
    EXPECT_EQ(read().flows.size(), 5000U);
    const auto hurried = readEbpfDatapath(world->host().bpffs(), 0s);
    ASSERT_FALSE(hurried);
    EXPECT_EQ(hurried.error().code, ErrorCode::Timeout);
}

TEST_F(Reading, WhereNobodyPinnedAnything) {
    EXPECT_EQ(readEbpfDatapath("/nowhere/bpf", 1s).error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace midonet::datapath::ebpf::testing
