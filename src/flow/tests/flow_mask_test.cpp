#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "flow/flow_key.h"
#include "flow/testing/key_blend.h"

namespace midonet::flow {
namespace {

template <class T>
T any() {
    return *rc::gen::arbitrary<T>();
}
net::IpAddress anyAddress(bool v6) {
    if (v6) return net::Ipv6Address{any<std::uint64_t>(), any<std::uint64_t>()};
    return net::Ipv4Address{any<std::uint32_t>()};
}
FlowKey anyKey(bool v6) {
    FlowKey key;
    key.inPort = PortNumber{any<std::uint32_t>()};
    key.tunnelKey = net::TunnelKey{any<std::uint32_t>()};
    key.tunnelSource = net::Ipv4Address{any<std::uint32_t>()};
    key.tunnelDestination = net::Ipv4Address{any<std::uint32_t>()};
    key.ethSource = net::Mac{any<std::uint64_t>() >> 16};
    key.ethDestination = net::Mac{any<std::uint64_t>() >> 16};
    key.etherType = v6 ? 0x86dd : 0x0800;
    key.vlan = VlanTci{any<std::uint16_t>()};
    key.ipSource = anyAddress(v6);
    key.ipDestination = anyAddress(v6);
    key.ipProtocol = any<std::uint8_t>();
    key.ipTos = any<std::uint8_t>();
    key.ipTtl = any<std::uint8_t>();
    key.ipFragment = static_cast<Fragment>(*rc::gen::inRange(0, 3));
    key.l4Source = any<std::uint16_t>();
    key.l4Destination = any<std::uint16_t>();
    key.icmpId = any<std::uint16_t>();
    return key;
}
FlowMask anyMask() {
    FlowMask mask;
    for (unsigned i = 0; i < kFieldCount; ++i)
        if (any<bool>()) mask.see(static_cast<Field>(i));
    if (any<bool>()) {
        mask = FlowMask{};
        mask.seePrefix(Field::IpSource, *rc::gen::inRange(0U, 129U));
        mask.seePrefix(Field::IpDestination, *rc::gen::inRange(0U, 129U));
    }
    return mask;
}

RC_GTEST_PROP(FlowMaskProperty, ApplyIsIdempotent, ()) {
    const auto key = anyKey(any<bool>());
    const auto mask = anyMask();
    RC_ASSERT(mask.apply(mask.apply(key)) == mask.apply(key));
}

RC_GTEST_PROP(FlowMaskProperty, ApplyForgetsExactlyWhatIsNotLookedAt, ()) {
    const bool v6 = any<bool>();
    const auto key = anyKey(v6);
    const auto mask = anyMask();
    RC_ASSERT(mask.apply(testing::blend(mask, key, anyKey(v6))) == mask.apply(key));
    RC_ASSERT(FlowMask::exact().apply(key) == key);
    RC_ASSERT(FlowMask{}.apply(key) == FlowKey{});
}

RC_GTEST_PROP(FlowMaskProperty, MergeIsAUnion, ()) {
    const auto a = anyMask();
    const auto b = anyMask();
    auto ab = a;
    ab.merge(b);
    auto ba = b;
    ba.merge(a);
    RC_ASSERT(ab == ba);
    RC_ASSERT((ab.fields() & (a.fields() | b.fields())) == (a.fields() | b.fields()));
    RC_ASSERT(ab.sourceBits() == std::max(a.sourceBits(), b.sourceBits()));
    auto again = ab;
    again.merge(a);
    RC_ASSERT(again == ab);
    const bool v6 = any<bool>();
    const auto key = anyKey(v6);
    const auto other = anyKey(v6);
    // What the union cannot tell apart, neither can its parts.
    if (ab.apply(key) == ab.apply(testing::blend(ab, key, other)))
        RC_ASSERT(a.apply(key) == a.apply(testing::blend(ab, key, other)));
}

RC_GTEST_PROP(FlowMaskProperty, CloseOnlyAddsAndIsIdempotent, ()) {
    const auto mask = anyMask();
    auto closed = mask;
    closed.close();
    RC_ASSERT((closed.fields() & mask.fields()) == mask.fields());
    auto twice = closed;
    twice.close();
    RC_ASSERT(twice == closed);
}

TEST(FlowMaskTest, PrefixesOfBothFamilies) {
    FlowMask mask;
    mask.seePrefix(Field::IpDestination, 24);
    FlowKey v4;
    v4.ipDestination = *net::IpAddress::parse("10.1.2.3");
    EXPECT_EQ(mask.apply(v4).ipDestination, *net::IpAddress::parse("10.1.2.0"));
    FlowKey v6;
    v6.ipDestination = *net::IpAddress::parse("2001:db8:ffff::1");
    FlowMask wide;
    wide.seePrefix(Field::IpDestination, 36);
    EXPECT_EQ(wide.apply(v6).ipDestination, *net::IpAddress::parse("2001:db8:f000::"));
}

TEST(FlowMaskTest, LongerPrefixWins) {
    FlowMask mask;
    mask.seePrefix(Field::IpSource, 16);
    mask.seePrefix(Field::IpSource, 8);
    EXPECT_EQ(mask.sourceBits(), 16U);
    mask.see(Field::IpSource);
    EXPECT_EQ(mask.sourceBits(), 128U);
}

TEST(FlowMaskTest, PrefixOfNothingLooksAtNothing) {
    FlowMask mask;
    mask.seePrefix(Field::IpSource, 0);
    EXPECT_EQ(mask, FlowMask{});
}

TEST(FlowMaskTest, CloseAlwaysPinsPortAndTag) {
    FlowMask mask;
    mask.close();
    EXPECT_TRUE(mask.has(Field::InPort));
    EXPECT_TRUE(mask.has(Field::Vlan));
    EXPECT_FALSE(mask.has(Field::EtherType));
}

TEST(FlowMaskTest, CloseLeavesInnerFieldsOfAnUntunnellingFlowOpen) {
    FlowMask mask;
    mask.see(Field::TunnelKey);
    mask.close();
    EXPECT_FALSE(mask.has(Field::Vlan));
    mask.see(Field::EthSource);
    mask.close();
    EXPECT_TRUE(mask.has(Field::Vlan));
}

TEST(FlowMaskTest, AnyNetworkFieldPinsTheType) {
    for (const auto field : {Field::IpSource, Field::IpDestination, Field::IpProtocol, Field::IpTos, Field::IpTtl, Field::IpFragment}) {
        FlowMask mask;
        mask.see(field);
        mask.close();
        EXPECT_TRUE(mask.has(Field::EtherType));
        EXPECT_FALSE(mask.has(Field::L4Source));
    }
}

TEST(FlowMaskTest, AnyTransportFieldPinsProtocolFragmentAndType) {
    for (const auto field : {Field::L4Source, Field::L4Destination, Field::IcmpId}) {
        FlowMask mask;
        mask.see(field);
        mask.close();
        EXPECT_TRUE(mask.has(Field::IpProtocol));
        EXPECT_TRUE(mask.has(Field::IpFragment));
        EXPECT_TRUE(mask.has(Field::EtherType));
    }
}

TEST(FlowMaskTest, Text) {
    FlowMask mask;
    mask.see(Field::InPort);
    mask.seePrefix(Field::IpDestination, 24);
    EXPECT_EQ(mask.toString(), "in_port,dst/24");
}

}  // namespace
}  // namespace midonet::flow
