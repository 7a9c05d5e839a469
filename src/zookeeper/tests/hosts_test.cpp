#include "zookeeper/hosts.h"

#include <gmock/gmock.h>

namespace midonet::zookeeper {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Hosts, PortsMayBeLeftOut) {
    EXPECT_THAT(*parseHosts("a:2182, b,[fd00::1]:2183,[::1]"),
                ElementsAre(Host{"a", 2182}, Host{"b", 2181}, Host{"fd00::1", 2183}, Host{"::1", 2181}));
}

TEST(Hosts, WhatIsNoHostIsNamed) {
    for (const auto* text : {"", "a,,b", "a:", "a:0", "a:65536", "a:port", "[::1", "[::1]2181", "zk://a:2181", "a:2181/root"}) {
        const auto hosts = parseHosts(text);
        ASSERT_FALSE(hosts) << text;
        EXPECT_EQ(hosts.error().code, ErrorCode::Malformed) << text;
    }
    EXPECT_THAT(parseHosts("good:1,bad:x").error().message, HasSubstr("'bad:x'"));
}

TEST(Hosts, AddressesAreResolvedWithoutAsking) {
    EXPECT_EQ(resolveHosts({{"127.0.0.1", 1}, {"::1", 2}}), "127.0.0.1:1,::1:2");
    const auto none = resolveHosts({{"no such name", 1}});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::Unavailable);
}

}  // namespace
}  // namespace midonet::zookeeper
