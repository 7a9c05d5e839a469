#include "host/interfaces.h"

#include <gtest/gtest.h>

#include "host/fake_interfaces.h"
#include "netlink/monitor.h"
#include "network_namespace.h"

namespace midonet::host {
namespace {

netlink::Link linkOfKind(std::string kind) {
    netlink::Link link;
    link.kind = std::move(kind);
    return link;
}

TEST(Classify, NamesWhatLinksAre) {
    netlink::Link loopback;
    loopback.loopback = true;
    EXPECT_EQ(classify(loopback, ""), (Classification{InterfaceType::Virtual, Endpoint::Localhost}));
    EXPECT_EQ(classify(linkOfKind("tun"), ""), (Classification{InterfaceType::Virtual, Endpoint::TunTap}));
    EXPECT_EQ(classify(linkOfKind(""), "tun"), (Classification{InterfaceType::Virtual, Endpoint::TunTap}));
    EXPECT_EQ(classify(linkOfKind("veth"), ""), (Classification{InterfaceType::Virtual, Endpoint::Unknown}));
    EXPECT_EQ(classify(linkOfKind("bond"), ""), (Classification{InterfaceType::Virtual, Endpoint::Unknown}));
    EXPECT_EQ(classify(linkOfKind("gretap"), ""), (Classification{InterfaceType::Tunnel, Endpoint::Gre}));
    EXPECT_EQ(classify(linkOfKind("vxlan"), ""), (Classification{InterfaceType::Tunnel, Endpoint::Unknown}));
    EXPECT_EQ(classify(linkOfKind("openvswitch"), ""), (Classification{InterfaceType::Virtual, Endpoint::Datapath}));
    EXPECT_EQ(classify(linkOfKind(""), "virtio_net"), (Classification{InterfaceType::Physical, Endpoint::Physical}));
    auto hardware = linkOfKind("");
    hardware.parentDevice = "0000:00:03.0";
    EXPECT_EQ(classify(hardware, ""), (Classification{InterfaceType::Physical, Endpoint::Physical}));
    EXPECT_EQ(classify(linkOfKind(""), ""), (Classification{InterfaceType::Unknown, Endpoint::Unknown}));
}

class InterfacesTest : public netlink::NetworkNamespaceTest {
protected:
    void SetUp() override {
        NetworkNamespaceTest::SetUp();
        if (IsSkipped()) return;
        auto started = netlink::Monitor::start(*loop);
        ASSERT_TRUE(started) << started.error().message;
        monitor = std::move(*started);
        interfaces = followInterfaces(*monitor);
        interfaces->onChange([this] { ++changes; });
    }
    std::unique_ptr<event::Loop> loop = event::Loop::createVirtual("test");
    std::unique_ptr<netlink::Monitor> monitor;
    std::unique_ptr<Interfaces> interfaces;
    int changes = 0;
};

TEST_F(InterfacesTest, ComeChangeAndGo) {
    const auto* const lo = interfaces->find("lo");
    ASSERT_NE(lo, nullptr);
    EXPECT_EQ(lo->endpoint, Endpoint::Localhost);

    run("ip link add va address 02:00:00:00:00:0a type veth peer name vb; ip link set va mtu 1400; "
        "ip addr add 10.0.0.1/24 dev va; ip addr add 2001:db8::1/64 dev va nodad; ip link set va up");
    loop->runReady();
    EXPECT_GE(changes, 1);
    const auto* va = interfaces->find("va");
    ASSERT_NE(va, nullptr);
    EXPECT_EQ(va->mac.toString(), "02:00:00:00:00:0a");
    EXPECT_EQ(va->mtu, 1400U);
    EXPECT_TRUE(va->up);
    EXPECT_FALSE(va->hasLink) << "the peer is down";
    EXPECT_EQ(va->addresses, (std::vector{net::IpAddress::parse("10.0.0.1").value(),
                                          net::IpAddress::parse("2001:db8::1").value()}));
    EXPECT_EQ(va->type, InterfaceType::Virtual);

    run("ip link set vb up");
    loop->runReady();
    EXPECT_TRUE(interfaces->find("va")->hasLink);
    run("ip link set vb name vc");
    loop->runReady();
    EXPECT_EQ(interfaces->find("vb"), nullptr);
    EXPECT_NE(interfaces->find("vc"), nullptr);
    run("ip link del va");
    loop->runReady();
    EXPECT_EQ(interfaces->find("va"), nullptr);
}

TEST_F(InterfacesTest, WithoutMacTheyDoNotCount) {
    run("ip tuntap add tun7 mode tun; ip tuntap add tap7 mode tap");
    loop->runReady();
    EXPECT_EQ(interfaces->find("tun7"), nullptr);
    ASSERT_NE(interfaces->find("tap7"), nullptr);
    EXPECT_EQ(interfaces->find("tap7")->endpoint, Endpoint::TunTap);
}

TEST_F(InterfacesTest, OtherEventsAreNoChange) {
    run("ip link add va type veth peer name vb; ip link set va up");
    loop->runReady();
    const auto before = changes;
    run("ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev va; ip route add 10.7.0.0/16 dev va");
    loop->runReady();
    EXPECT_EQ(changes, before);
}

TEST(FakeInterfaces, TellsOfChanges) {
    FakeInterfaces fake;
    int changes = 0;
    fake.onChange([&] { ++changes; });
    Interface vm;
    vm.name = "vm1";
    fake.put(vm);
    const auto index = fake.find("vm1")->ifindex;
    vm.up = true;
    fake.put(vm);
    EXPECT_TRUE(fake.find("vm1")->up);
    EXPECT_EQ(fake.find("vm1")->ifindex, index);
    fake.remove("vm1");
    fake.remove("vm1");
    EXPECT_EQ(fake.find("vm1"), nullptr);
    EXPECT_EQ(changes, 3);
}

}  // namespace
}  // namespace midonet::host
