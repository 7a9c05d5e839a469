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

TEST(ApiSettings, ListensOnSeveralAddresses) {
    EXPECT_TRUE(apply({{"api.listen", "127.0.0.1:8181,[::1]:8181,unix:/run/midonet/api.sock"}}));
    EXPECT_FALSE(apply({{"api.listen", "127.0.0.1:8181,0.0.0.0:8181"}})) << "one of them is open to others";
    EXPECT_TRUE(apply({{"api.socket_mode", "0600"}}));
    for (const char* wrong : {"", "rw", "9", "08", "0888", "07777", "-600"}) EXPECT_FALSE(apply({{"api.socket_mode", wrong}})) << wrong;
}

TEST(ApiSettings, CertificateAndKeyBelongTogether) {
    EXPECT_TRUE(apply({{"api.tls_certificate", "/a"}, {"api.tls_key", "/b"}}));
    EXPECT_FALSE(apply({{"api.tls_certificate", "/a"}}));
    EXPECT_FALSE(apply({{"api.tls_key", "/b"}}));
}

TEST(ApiSettings, KeystoneNeedsSomebodyToAskIt) {
    EXPECT_NE(apply({{"api.auth", "keystone"}}).error().message.find("keystone.user_name"), std::string::npos);
    EXPECT_TRUE(apply({{"api.auth", "keystone"}, {"keystone.admin_token", "t"}, {"api.listen", "0.0.0.0:8181"}}));
    EXPECT_TRUE(apply({{"api.auth", "keystone"}, {"keystone.user_name", "u"}, {"keystone.user_password", "p"}, {"keystone.tenant_name", "t"}}));
    EXPECT_FALSE(apply({{"api.auth", "keystone"}, {"keystone.admin_token", "t"}, {"keystone.url", "ldap://x"}}));
    EXPECT_FALSE(apply({{"api.auth", "keystone"}, {"keystone.admin_token", "t"}, {"api.admin_role", ""}}));
    EXPECT_TRUE(apply({{"api.auth", "keystone"}, {"keystone.admin_token", "t"}, {"keystone.host", "::1"}}));
}

TEST(ApiSettings, TenantAccessNeedsARole) {
    const std::pair<std::string, std::string> keystone{"api.auth", "keystone"}, token{"keystone.admin_token", "t"}, access{"api.tenant_access", "true"};
    EXPECT_TRUE(apply({keystone, token, access}));
    EXPECT_TRUE(apply({keystone, token, access, {"api.tenant_user_role", ""}}));
    EXPECT_FALSE(apply({keystone, token, access, {"api.tenant_user_role", ""}, {"api.tenant_admin_role", ""}}));
}

TEST(ApiSettings, SecretsAreNeitherShownNorTakenFromTheNsdb) {
    config::Settings settings;
    const ApiSettings api(settings);
    ASSERT_TRUE(settings.apply({.file = {}, .fileRequired = false, .environment = {}, .set = {{"keystone.admin_token", "hidden1"}, {"keystone.user_password", "hidden2"}}}));
    EXPECT_EQ(settings.effectiveText().find("hidden"), std::string::npos);
    for (const auto& info : settings.list()) {
        if (info.key.starts_with("keystone.") && (info.secret || info.key == "keystone.url" || info.key == "keystone.host")) EXPECT_TRUE(info.local) << info.key;
    }
}

TEST(ApiSettings, WhatThisBuildLacksIsNamed) {
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
