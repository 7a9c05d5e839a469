#include "datapath/ebpf/action_codec.h"

#include <gmock/gmock.h>

namespace midonet::datapath::ebpf {
namespace {

using ::testing::ElementsAre;

/// Odd tunnels are GRE, even ones VXLAN.
class OddAndEven final : public TunnelTypes {
public:
    std::uint32_t typeOf(flow::TunnelId tunnel) const override { return tunnel.value() % 2 == 1 ? MN_TUNNEL_GRE : MN_TUNNEL_VXLAN; }
};

flow::Output port(std::uint32_t number) { return {flow::PortNumber{number}}; }
flow::OutputTunnel tunnel(std::uint32_t id) { return {flow::TunnelId{id}, net::TunnelKey{5}}; }

/// "output 1 last" and so on.
std::vector<std::string> encoded(const flow::FlowActions& actions) {
    std::vector<mn_slot> slots;
    const auto result = encodeActions(actions, OddAndEven{}, slots);
    if (!result) return {result.error().message};
    std::vector<std::string> out;
    for (const mn_slot& slot : slots) {
        for (std::uint32_t i = 0; i < slot.count; ++i) {
            const mn_op& op = slot.ops[i];
            std::string text;
            switch (op.code) {
                case MN_OP_OUTPUT: text = fmt::format("output {}", op.w[0]); break;
                case MN_OP_TUNNEL: text = fmt::format("tunnel {}", op.w[0]); break;
                case MN_OP_DEC_TTL: text = fmt::format("ttl {}", op.half); break;
                case MN_OP_FIT: text = fmt::format("fit {} {} {} tags {}", op.w[0], op.w[1], op.w[2], static_cast<std::int16_t>(op.half)); break;
                case MN_OP_SET_IP6: text = "ip6"; i += 2; break;
                default: text = fmt::format("op {}", op.code);
            }
            if ((op.flags & MN_OP_LAST) != 0) text += " last";
            if ((op.flags & MN_OP_RELAY) != 0) text += " relay";
            if ((op.flags & MN_OP_CHECKED) != 0) text += " checked";
            out.push_back(text);
        }
    }
    return out;
}

TEST(ActionCodec, TheLastOutputTakesThePacketItself) {
    EXPECT_THAT(encoded({port(1)}), ElementsAre("output 1 last"));
    EXPECT_THAT(encoded({port(1), port(2)}), ElementsAre("output 1", "output 2 last"));
    EXPECT_THAT(encoded({port(1), flow::DecrementTtl{}}), ElementsAre("output 1", "ttl 1"));
    EXPECT_TRUE(encoded({}).empty());
}

TEST(ActionCodec, PortsComeFirstThenTunnelsByType) {
    EXPECT_THAT(encoded({tunnel(2), port(1), tunnel(4), port(3)}), ElementsAre("fit 4 0 0 tags 0", "output 1", "output 3", "tunnel 2", "tunnel 4 last checked"));
}

TEST(ActionCodec, WhereTypesMixAllButTheLastTypeAreRelayed) {
    EXPECT_THAT(encoded({tunnel(2), tunnel(1), tunnel(4), tunnel(3)}), 
                ElementsAre("fit 1 3 2 tags 0", "fit 4 0 0 tags 0", "tunnel 1 relay checked", "tunnel 3 relay checked", "tunnel 2 checked", "tunnel 4 last checked"));
}

TEST(ActionCodec, AFrameThatIsChangedLaterIsRelayed) {
    EXPECT_THAT(encoded({tunnel(2), flow::DecrementTtl{}, port(1)}), ElementsAre("fit 2 0 0 tags 0", "tunnel 2 relay checked", "ttl 1", "output 1 last"));
    EXPECT_THAT(encoded({tunnel(2), flow::DecrementTtl{}}), ElementsAre("fit 2 0 0 tags 0", "tunnel 2 relay checked", "ttl 1"));
}

TEST(ActionCodec, OutputsDoNotCrossChanges) {
    EXPECT_THAT(encoded({tunnel(2), flow::DecrementTtl{}, port(1), tunnel(4)}), 
                ElementsAre("fit 2 4 0 tags 0", "tunnel 2 relay checked", "ttl 1", "output 1", "tunnel 4 last checked"));
}

TEST(ActionCodec, TunnelsBehindAChangeAreCheckedInFront) {
    const flow::PushVlan push{flow::VlanTci::tagged(net::VlanId{7})};
    EXPECT_THAT(encoded({tunnel(2)}), ElementsAre("tunnel 2 last")) << "looks by itself";
    EXPECT_THAT(encoded({port(1), flow::ToAgent{}, tunnel(2)}), ElementsAre("output 1", "op 10", "tunnel 2 last")) << "nothing is changed";
    EXPECT_THAT(encoded({flow::DecrementTtl{3}, tunnel(2)}), ElementsAre("fit 2 0 0 tags 0", "ttl 3", "tunnel 2 last checked"));
    EXPECT_THAT(encoded({push, tunnel(2)}), ElementsAre("fit 2 0 0 tags 1", "op 4", "tunnel 2 last checked"));
    EXPECT_THAT(encoded({flow::PopVlan{}, tunnel(2)}), ElementsAre("fit 2 0 0 tags -1", "op 5", "tunnel 2 last checked"));
    EXPECT_THAT(encoded({flow::DecrementTtl{}, port(1), push, tunnel(2), tunnel(4), tunnel(6), tunnel(8)}),
                ElementsAre("fit 2 4 6 tags 1", "fit 8 0 0 tags 1", "ttl 1", "output 1", "op 4", "tunnel 2 checked", "tunnel 4 checked",
                            "tunnel 6 checked", "tunnel 8 last checked"));
}

TEST(ActionCodec, TheUnitsOfOneActionStayInOneSlot) {
    const flow::SetIpAddresses six{net::Ipv6Address{1, 2}, net::Ipv6Address{3, 4}};
    std::vector<mn_slot> slots;
    ASSERT_TRUE(encodeActions({six, six, six, port(1)}, OddAndEven{}, slots));
    ASSERT_EQ(slots.size(), 2U);
    EXPECT_EQ(slots[0].count, 6U);
    EXPECT_EQ(slots[1].count, 4U);
    EXPECT_THAT(encoded({six, six, six, port(1)}), ElementsAre("ip6", "ip6", "ip6", "output 1 last"));
}

TEST(ActionCodec, ListsBeyondTheLimitAreRefused) {
    flow::FlowActions actions;
    for (std::uint32_t i = 0; i < MN_MAX_OPS / 2; ++i) actions.push_back(port(i));
    std::vector<mn_slot> slots;
    EXPECT_TRUE(encodeActions(actions, OddAndEven{}, slots));
    EXPECT_EQ(slots.size(), MN_MAX_OPS / 2 / MN_OPS_PER_SLOT);
    actions.push_back(port(1));
    EXPECT_EQ(encodeActions(actions, OddAndEven{}, slots).error().code, ErrorCode::Invalid);
}

TEST(ActionCodec, DecodingGivesBackWhatTheKernelRuns) {
    const auto ip4 = [](const char* text) { return net::IpAddress::parse(text).value(); };
    const flow::FlowActions actions{flow::DecrementTtl{2},
                                    flow::SetEthernet{net::Mac{1}, net::Mac{2}},
                                    flow::PushVlan{flow::VlanTci::tagged(net::VlanId{7})},
                                    flow::PopVlan{},
                                    flow::SetIpAddresses{ip4("10.0.0.1"), ip4("10.0.0.2")},
                                    flow::SetIpAddresses{ip4("fd00::1"), ip4("fd00::2")},
                                    flow::SetL4Ports{80, 8080},
                                    flow::ToAgent{},
                                    port(1),
                                    tunnel(2)};
    std::vector<mn_slot> slots;
    ASSERT_TRUE(encodeActions(actions, OddAndEven{}, slots));
    EXPECT_GT(slots.size(), 1U);
    std::vector<mn_op> ops;
    for (const auto& slot : slots) ops.insert(ops.end(), slot.ops, slot.ops + slot.count);
    EXPECT_EQ(flow::toString(decodeActions(ops)), flow::toString(actions)) << "checks of sizes are not among them";
    EXPECT_TRUE(decodeActions({}).empty());
}

}  // namespace
}  // namespace midonet::datapath::ebpf
