#include "model/ids.h"

#include <gtest/gtest.h>

#include <set>

namespace midonet::model {
namespace {

TEST(Ids, BytesAndBack) {
    const auto id = Uuid::random();
    EXPECT_EQ(uuidOf(bytesOf(id)), id);
    EXPECT_EQ(bytesOf(Uuid{}), "");
    EXPECT_TRUE(uuidOf("").isNil());
    EXPECT_TRUE(uuidOf("too short").isNil());
}

TEST(MemberId, IsMadeFromBothIdsInThisOrder) {
    const auto zone = Uuid::random();
    const auto host = Uuid::random();
    EXPECT_EQ(memberId(zone, host), memberId(zone, host));
    EXPECT_NE(memberId(zone, host), memberId(host, zone));
    EXPECT_NE(memberId(zone, host), memberId(zone, Uuid::random()));
}

TEST(MemberId, NeverChanges) {
    // Stored and shown in REST: another algorithm would lose members.
    const Uuid zone{1, 2};
    const Uuid host{3, 4};
    EXPECT_EQ(memberId(zone, host).toString(), "b1eedfb5-fc33-82ac-b60e-90177adccfaa");
}

TEST(MemberId, IsAVersion8Uuid) {
    for (int i = 0; i < 100; ++i) {
        const auto text = memberId(Uuid::random(), Uuid::random()).toString();
        EXPECT_EQ(text[14], '8') << text;
        EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
    }
}

TEST(MemberId, SimilarIdsDoNotCollide) {
    std::set<Uuid> seen;
    for (std::uint64_t zone = 0; zone < 30; ++zone)
        for (std::uint64_t host = 0; host < 300; ++host)
            EXPECT_TRUE(seen.insert(memberId(Uuid{zone, 0}, Uuid{0, host})).second);
}

TEST(NatBlockId, IsMadeFromAllThree) {
    const Uuid device{1, 2};
    const auto v4 = *net::IpAddress::parse("203.0.113.1");
    const auto v6 = *net::IpAddress::parse("::cb00:7101");
    const std::set<Uuid> ids{natBlockId(device, v4, 1), natBlockId(device, v4, 2), natBlockId(Uuid{2, 1}, v4, 1),
                             natBlockId(device, v6, 1), natBlockId(device, *net::IpAddress::parse("203.0.113.2"), 1)};
    EXPECT_EQ(ids.size(), 5u);
    // Another algorithm would lease blocks of a running cloud twice.
    EXPECT_EQ(natBlockId(device, v4, 1).toString(), "bdd7fff8-881c-8f4f-bdd7-488c787d4442");
}

TEST(ConfigTemplateId, IsMadeOfTheName) {
    EXPECT_NE(configTemplateId("default"), configTemplateId("defaults"));
    // Another algorithm would not find the templates of a running cloud.
    EXPECT_EQ(configTemplateId("default").toString(), "8c532a5e-0bc7-8717-9458-fd321d71cc2d");
}

}  // namespace
}  // namespace midonet::model
