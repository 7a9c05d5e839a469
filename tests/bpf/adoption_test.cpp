#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "datapath/ebpf/kernel_objects.h"
#include "testing/ebpf_fixture.h"

namespace midonet::datapath::ebpf::testing {
namespace {

class Adoption : public EbpfTest {};

TEST_F(Adoption, FlowsForwardWhileNoAgentRunsAndUnderTheNext) {
    for (const AttachMode mode : {AttachMode::Tcx, AttachMode::Clsact}) {
        auto options = EbpfWorld::defaults();
        options.attach = mode;
        start(options);
        install(keyOf(udpPacket), maskOf({Field::EthDestination}), {flow::Output{two}});
        install(keyOf(eth(kA, kA) / arpRequest(kA, "1.1.1.1", "2.2.2.2")), flow::FlowMask::exact(), {flow::Output{three}});
        world->stop();
        EXPECT_EQ(run(udpPacket).size(), 1U) << "nobody runs";
        world->restart(options);
        EXPECT_EQ(run(udpPacket).size(), 1U) << "adopted";
        EXPECT_EQ(world->datapath().addPort("vm1").value(), one) << "ports keep their numbers";
        EXPECT_EQ(world->datapath().addPort("vm2").value(), two);
        EXPECT_EQ(run(udpPacket).size(), 1U) << "with the programs of the new agent";
        world->datapath().endAdoption();
        EXPECT_TRUE(run(udpPacket).empty()) << "flows of the former agent are gone";
        EXPECT_EQ(world->drain().size(), 1U);
        EXPECT_EQ(world->datapath().ports().size(), 2U) << "vm3 was not added again";
    }
}

TEST_F(Adoption, NewFlowsTakeThePlaceOfOldOnesAndStay) {
    const auto key = keyOf(udpPacket);
    const auto mask = maskOf({Field::EthDestination});
    install(key, mask, {flow::Output{two}});
    world->restart();
    for (const char* name : {"vm1", "vm2", "vm3"}) ASSERT_TRUE(world->datapath().addPort(name));
    const auto handle = install(key, mask, {flow::Output{three}});
    EXPECT_EQ(run(udpPacket).at(0).interface, "vm3");
    world->datapath().endAdoption();
    EXPECT_EQ(run(udpPacket).at(0).interface, "vm3") << "the sweep leaves it";
    world->datapath().removeFlow(0, handle);
    EXPECT_TRUE(run(udpPacket).empty());
}

TEST_F(Adoption, SlotsOfOldFlowsComeBackAfterTheSweep) {
    auto options = EbpfWorld::defaults();
    options.maxFlows = 64;
    start(options);
    auto key = keyOf(udpPacket);
    const auto fill = [&](std::size_t from, std::size_t count) {
        for (std::size_t i = from; i < from + count; ++i) {
            key.l4Source = static_cast<std::uint16_t>(i);
            if (!world->datapath().installFlow(0, key, flow::FlowMask::exact(), {flow::Output{two}})) return i - from;
        }
        return count;
    };
    ASSERT_EQ(fill(0, 60), 60U);
    world->restart(options);
    EXPECT_EQ(fill(100, 60), 4U) << "what old flows hold is not to be had yet";
    world->datapath().endAdoption();
    world->clock().advance(200ms);
    EXPECT_EQ(fill(200, 60), 60U);
}

TEST_F(Adoption, TunnelsKeepTheirIds) {
    const TunnelSpec gre{TunnelType::Gre, ip4("192.0.2.1"), ip4("192.0.2.2")}, vxlan{TunnelType::Vxlan, ip4("192.0.2.1"), ip4("192.0.2.3")};
    const auto first = world->datapath().addTunnel(gre).value();
    const auto second = world->datapath().addTunnel(vxlan).value();
    EXPECT_EQ(world->datapath().addTunnel(gre).value(), first);
    world->restart();
    EXPECT_EQ(world->datapath().addTunnel(vxlan).value(), second);
    world->datapath().endAdoption();
    EXPECT_FALSE(world->datapath().setTunnelPath(first, std::nullopt)) << "was not added again";
    EXPECT_TRUE(world->datapath().setTunnelPath(second, std::nullopt));
}

TEST_F(Adoption, OtherSizesMeanAFreshStart) {
    install(keyOf(udpPacket), flow::FlowMask::exact(), {flow::Output{two}});
    auto options = EbpfWorld::defaults();
    options.maxFlows = 8192;
    world->restart(options);
    EXPECT_TRUE(world->datapath().ports().empty());
    ASSERT_TRUE(world->datapath().addPort("vm1"));
    EXPECT_TRUE(run(udpPacket).empty());
    EXPECT_EQ(world->drain().size(), 1U);
}

TEST_F(Adoption, AnotherLayoutMeansAFreshStart) {
    install(keyOf(udpPacket), flow::FlowMask::exact(), {flow::Output{two}});
    ASSERT_FALSE(run(udpPacket).empty());
    world->stop();
    const auto pins = world->host().bpffs();
    std::filesystem::rename(fmt::format("{}/v{}", pins, MN_LAYOUT_VERSION), pins + "/v1");
    world->restart();
    EXPECT_FALSE(std::filesystem::exists(pins + "/v1"));
    EXPECT_TRUE(world->datapath().ports().empty());
    EXPECT_TRUE(run(udpPacket).empty()) << "the programs of the former agent would go on beside ours";
    ASSERT_TRUE(world->datapath().addPort("vm1"));
    EXPECT_TRUE(run(udpPacket).empty());
    EXPECT_EQ(world->drain().size(), 1U);
}

TEST_F(Adoption, SecondAgentInOneNamespaceIsRefused) {
    auto options = EbpfWorld::defaults();
    options.bpffs = world->host().bpffs();
    const auto second = openEbpfDatapath(options);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::Conflict);
    EXPECT_NE(second.error().message.find("another agent"), std::string::npos);
}

TEST_F(Adoption, RemovalLeavesNothingBehind) {
    install(keyOf(udpPacket), flow::FlowMask::exact(), {flow::Output{two}});
    world->stop();
    auto options = EbpfWorld::defaults();
    options.bpffs = world->host().bpffs();
    ASSERT_TRUE(removeEbpfDatapath(options));
    EXPECT_TRUE(run(udpPacket).empty());
}

TEST_F(Adoption, ABpfFileSystemIsMountedWhereThereIsNone) {
    std::array<char, 32> folder{"/tmp/midonet-mount-XXXXXX"};
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const std::string inside = std::string{folder.data()} + "/deeper/bpf";
    ASSERT_TRUE(prepareBpffs(inside));
    struct statfs info {};
    ASSERT_EQ(::statfs(inside.c_str(), &info), 0);
    EXPECT_EQ(info.f_type, BPF_FS_MAGIC);
    EXPECT_TRUE(prepareBpffs(inside)) << "once is enough";
    EXPECT_EQ(::umount(inside.c_str()), 0);
    EXPECT_NE(::umount(inside.c_str()), 0) << "mounted once";
    std::filesystem::remove_all(folder.data());
    EXPECT_NE(prepareBpffs("/proc/midonet").error().message.find("agent.bpffs"), std::string::npos);
}

TEST(Features, WhatIsMissingIsNamedWithItsFix) {
    const auto errorOf = [](auto change) {
        KernelFeatures features;
        change(features);
        const auto opened = openEbpfDatapath(EbpfOptions{}, features);
        return opened ? Error{} : opened.error();
    };
    EXPECT_EQ(errorOf([](auto& f) { f.privileged = false; }).code, ErrorCode::PermissionDenied);
    EXPECT_NE(errorOf([](auto& f) { f.privileged = false; }).message.find("run as root"), std::string::npos);
    EXPECT_NE(errorOf([](auto& f) { f.btf = false; }).message.find("CONFIG_DEBUG_INFO_BTF"), std::string::npos);
    EXPECT_NE(errorOf([](auto& f) { f.ringBuffer = false; }).message.find("Linux 5.17"), std::string::npos);
    EXPECT_NE(errorOf([](auto& f) { f.loopHelper = false; }).message.find("Linux 5.17"), std::string::npos);
    EXPECT_NE(errorOf([](auto& f) { f.tun = false; }).message.find("modprobe tun"), std::string::npos);
    EbpfOptions tcx;
    tcx.attach = AttachMode::Tcx;
    KernelFeatures old;
    old.tcx = false;
    EXPECT_NE(openEbpfDatapath(tcx, old).error().message.find("datapath.attach"), std::string::npos);
}

}  // namespace
}  // namespace midonet::datapath::ebpf::testing
