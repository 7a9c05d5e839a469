#include <gtest/gtest.h>

#include "rest/api_settings.h"

namespace midonet::rest {
namespace {

Result<void> apply(std::vector<std::pair<std::string, std::string>> set) {
    config::Settings settings;
    const ApiSettings api(settings);
    return settings.apply({.file = {}, .fileRequired = false, .environment = {}, .set = std::move(set)});
}

TEST(ApiSettings, DefaultsAreServedOnLoopback) {
    config::Settings settings;
    const ApiSettings api(settings);
    ASSERT_TRUE(settings.apply({}));
    EXPECT_EQ(api.options().listen, "127.0.0.1:8181");
}

TEST(ApiSettings, OpenAuthenticationStaysOnLoopback) {
    for (const char* auth : {"mock", "none"}) {
        const auto refused = apply({{"api.listen", "0.0.0.0:8181"}, {"api.auth", auth}});
        ASSERT_FALSE(refused);
        EXPECT_NE(refused.error().message.find("api.insecure"), std::string::npos) << refused.error().message;
        EXPECT_TRUE(apply({{"api.listen", "0.0.0.0:8181"}, {"api.auth", auth}, {"api.insecure", "true"}}));
    }
    EXPECT_TRUE(apply({{"api.listen", "[::1]:0"}}));
    EXPECT_NE(apply({{"api.listen", "nonsense"}}).error().message.find("ADDRESS:PORT"), std::string::npos);
}

TEST(ApiSettings, WhatThisBuildLacksIsNamed) {
    EXPECT_NE(apply({{"api.auth", "keystone"}}).error().message.find("api.auth = mock"), std::string::npos);
    EXPECT_FALSE(apply({{"nsdb.backend", "sqlite"}}));
}

TEST(ApiSettings, TheEnsembleIsNamedAsHostsAndPath) {
    EXPECT_TRUE(apply({{"nsdb.backend", "zookeeper"}, {"zookeeper.hosts", "a,b:2182,[::1]:2183"}, {"zookeeper.root", "/a/b"}}));
    EXPECT_NE(apply({{"zookeeper.hosts", "a:x"}}).error().message.find("zookeeper.hosts"), std::string::npos);
    EXPECT_NE(apply({{"zookeeper.root", "midonet"}}).error().message.find("zookeeper.root"), std::string::npos);
    EXPECT_NE(apply({{"zookeeper.user", "a:b"}}).error().message.find("zookeeper.user"), std::string::npos);
    EXPECT_NE(apply({{"zookeeper.password", "x"}}).error().message.find("zookeeper.user"), std::string::npos);
}

}  // namespace
}  // namespace midonet::rest
