// The authenticator with a small Keystone, in virtual time.
#include "rest/keystone.h"

#include <gtest/gtest.h>

#include <future>

#include "fake_keystone.h"
#include "rest/keystone_authenticator.h"

namespace midonet::rest::testing {
namespace {

using namespace std::chrono_literals;

class KeystoneTest : public ::testing::TestWithParam<int> {
protected:
    KeystoneTest() {
        keystone_.addUser("midonet", "our secret", "service", {"admin"});
        keystone_.addUser("ann", "ann's", "red", {"member", "admin"});
        keystone_.addUser("bob", "bob's", "blue", {"member"});
        keystone_.addUser("eve", "eve's", "red", {});
        keystone_.tokensEndAt(clock_.wall() + 1h);
        restart();
    }
    void restart(event::Duration timeout = 30s) {
        auto keystone = connectKeystone({.version = GetParam(), .url = keystone_.url(), .timeout = timeout});
        authenticator_ = makeKeystoneAuthenticator(std::move(keystone), options_, clock_);
    }

    std::string login(const std::string& user, const std::string& project) {
        const auto token = authenticator_->login(user, user + "'s", project);
        EXPECT_TRUE(token) << token.error().message;
        return token ? token->key : "";
    }
    /// Of a request with this token: 200 when it is let in.
    int status(std::string_view token) {
        auto answer = authenticator_->known(token);
        if (!answer) answer = authenticator_->check(token);
        return *answer ? 200 : (*answer).error().status;
    }
    int loginStatus(const std::string& user, const std::string& password, std::optional<std::string_view> project) {
        const auto token = authenticator_->login(user, password, project);
        return token ? 200 : token.error().status;
    }

    event::VirtualClock clock_;
    FakeKeystone keystone_;
    KeystoneOptions options_{.user = "midonet", .password = "our secret", .project = "service"};
    std::unique_ptr<Authenticator> authenticator_;
};
INSTANTIATE_TEST_SUITE_P(Versions, KeystoneTest, ::testing::Values(2, 3), [](const auto& info) { return fmt::format("v{}", info.param); });

TEST_P(KeystoneTest, LogsIn) {
    const auto token = authenticator_->login("ann", "ann's", "red");
    ASSERT_TRUE(token) << token.error().message;
    EXPECT_FALSE(token->key.empty());
    const auto end = std::chrono::system_clock::to_time_t(clock_.wall() + 1h);
    char expected[64];
    std::strftime(expected, sizeof expected, "%a, %d-%m-%Y %H:%M:%S UTC", std::gmtime(&end));
    EXPECT_EQ(token->expires, expected);
}

TEST_P(KeystoneTest, RefusesLogins) {
    EXPECT_EQ(loginStatus("ann", "wrong", "red"), 401);
    EXPECT_EQ(loginStatus("nobody", "x", "red"), 401);
    EXPECT_EQ(loginStatus("ann", "ann's", "blue"), 401);
    EXPECT_EQ(loginStatus("", "", "red"), 401);
}

TEST_P(KeystoneTest, ALoginWithoutAProjectIsToOurs) {
    EXPECT_EQ(loginStatus("midonet", "our secret", std::nullopt), 200);
    EXPECT_EQ(loginStatus("midonet", "our secret", ""), 200);
    options_.project.clear();
    options_.adminToken = "given";
    restart();
    EXPECT_EQ(loginStatus("midonet", "our secret", std::nullopt), 401);
}

TEST_P(KeystoneTest, OnlyAdministratorsAreLetIn) {
    const auto who = authenticator_->check(login("ann", "red"));
    ASSERT_TRUE(who) << who.error().message;
    EXPECT_EQ(who->user, "ann");
    EXPECT_EQ(who->tenant, "id-red");
    EXPECT_EQ(status(login("bob", "blue")), 401);
    EXPECT_EQ(status(login("eve", "red")), 401);
    EXPECT_EQ(status("made up"), 401);
    EXPECT_EQ(status(""), 401);
    const auto none = authenticator_->known(std::nullopt);
    ASSERT_TRUE(none);
    EXPECT_EQ((*none).error().status, 401);
}

TEST_P(KeystoneTest, TenantsAreLetInWhereTheirRolesAreNamed) {
    options_.tenantAdminRole = "Tenant_Admin";
    options_.tenantUserRole = "tenant_user";
    restart();
    keystone_.addUser("carl", "carl's", "blue", {"tenant_user", "TENANT_ADMIN"});
    keystone_.addUser("dora", "dora's", "blue", {"member", "tenant_user"});
    keystone_.addUser("fred", "fred's", "blue", {"admin", "tenant_user"});
    const auto roleOf = [&](const std::string& user, const std::string& project) {
        const auto who = authenticator_->check(login(user, project));
        return who ? std::optional{who->role} : std::nullopt;
    };
    EXPECT_EQ(roleOf("carl", "blue"), Role::TenantAdmin);
    EXPECT_EQ(roleOf("dora", "blue"), Role::TenantUser);
    EXPECT_EQ(roleOf("fred", "blue"), Role::Administrator) << "the strongest counts";
    EXPECT_EQ(roleOf("ann", "red"), Role::Administrator);
    EXPECT_EQ(roleOf("bob", "blue"), std::nullopt) << "a member is not named";
    EXPECT_EQ(authenticator_->check(login("carl", "blue"))->tenant, "id-blue");
    options_.tenantAdminRole.clear();
    restart();
    EXPECT_EQ(roleOf("carl", "blue"), Role::TenantUser) << "nobody has an empty role";
}

TEST_P(KeystoneTest, ANameThatCannotBeLookedUpIsNotWaitedForLonger) {
    const auto released = std::make_shared<std::promise<void>>();
    std::promise<void> ended;
    auto keystone = connectKeystone({.version = GetParam(), .url = "http://keystone.example:5000", .timeout = 50ms,
                                     .lookUp = [released, &ended](const std::string&) -> Result<std::vector<std::string>> {
                                         released->get_future().wait();
                                         ended.set_value();
                                         return std::vector<std::string>{"127.0.0.1"};
                                     }});
    authenticator_ = makeKeystoneAuthenticator(std::move(keystone), options_, clock_);
    EXPECT_EQ(loginStatus("ann", "ann's", "red"), 503);
    released->set_value();
    EXPECT_EQ(ended.get_future().wait_for(10s), std::future_status::ready);
}

TEST_P(KeystoneTest, RolesAreComparedInLowerCase) {
    options_.adminRole = "MidoNet_Admin";
    restart();
    keystone_.addUser("carl", "carl's", "red", {"MIDONET_admin"});
    EXPECT_EQ(status(login("carl", "red")), 200);
    EXPECT_EQ(status(login("ann", "red")), 401) << "administrator of Keystone, not of MidoNet";
}

TEST_P(KeystoneTest, AsksAgainWhenTheTimeIsUp) {
    const auto token = login("ann", "red");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(status(token), 200);
    EXPECT_EQ(keystone_.checks(), 1);
    keystone_.revokeTokens();
    clock_.advance(59s);
    EXPECT_EQ(status(token), 200) << "remembered";
    clock_.advance(1s);
    EXPECT_EQ(status(token), 401);
}

TEST_P(KeystoneTest, RemembersNoLongerThanTheTokenLives) {
    ASSERT_EQ(status(login("ann", "red")), 200);  // our own token is there, and lives on
    keystone_.tokensEndAt(clock_.wall() + 10s);
    const auto brief = login("ann", "red");
    ASSERT_EQ(status(brief), 200);
    clock_.advance(10s);
    EXPECT_EQ(status(brief), 401) << "Keystone still says it is there, but over";
}

TEST_P(KeystoneTest, RefusalsAreRememberedForAMoment) {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(status("unknown"), 401);
    EXPECT_EQ(keystone_.checks(), 1);
    clock_.advance(5s);
    EXPECT_EQ(status("unknown"), 401);
    EXPECT_EQ(keystone_.checks(), 2);
}

TEST_P(KeystoneTest, AFloodOfBadTokensDisplacesNoGoodOne) {
    options_.remembered = 4;
    restart();
    const auto token = login("ann", "red");
    EXPECT_EQ(status(token), 200);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(status(fmt::format("bad {}", i)), 401);
    EXPECT_TRUE(authenticator_->known(token));
    EXPECT_FALSE(authenticator_->known("bad 0"));
}

TEST_P(KeystoneTest, OurOwnTokenIsRenewedBeforeItsEnd) {
    status("a");
    status("b");
    EXPECT_EQ(keystone_.logins(), 1);
    clock_.advance(59min);
    keystone_.tokensEndAt(clock_.wall() + 1h);
    status("c");
    EXPECT_EQ(keystone_.logins(), 2);
}

TEST_P(KeystoneTest, OurOwnTokenIsRenewedOnceWhenRefused) {
    EXPECT_EQ(status("a"), 401);
    keystone_.revokeTokens();
    const auto token = login("ann", "red");
    EXPECT_EQ(status(token), 200);
    EXPECT_EQ(keystone_.logins(), 3) << "ours, Ann's, ours again";
}

TEST_P(KeystoneTest, WhoMayNotAskKeystoneLetsNobodyIn) {
    const auto token = login("ann", "red");
    options_.password = "outdated";
    restart();
    EXPECT_EQ(status(token), 503);
    options_ = {.user = "bob", .password = "bob's", .project = "blue"};
    restart();
    const auto before = keystone_.requests();
    EXPECT_EQ(status(token), 503) << "bob may not ask";
    EXPECT_EQ(keystone_.requests() - before, 4) << "login, check, and both once more";
    options_ = {.adminToken = "none of Keystone's"};
    restart();
    EXPECT_EQ(status(token), 503);
}

TEST_P(KeystoneTest, AGivenTokenAsksWithoutLogin) {
    const auto ours = authenticator_->login("midonet", "our secret", "service");
    ASSERT_TRUE(ours);
    options_ = {.adminToken = ours->key};
    restart();
    const auto token = login("ann", "red");
    const auto before = keystone_.logins();
    EXPECT_EQ(status(token), 200);
    EXPECT_EQ(keystone_.logins(), before);
}

TEST_P(KeystoneTest, WithoutKeystoneWhoIsKnownStaysIn) {
    const auto known = login("ann", "red");
    const auto fresh = login("ann", "red");
    ASSERT_EQ(status(known), 200);
    keystone_.stop();
    EXPECT_EQ(status(known), 200);
    EXPECT_EQ(status(fresh), 503);
    EXPECT_EQ(status("unknown"), 503);
    EXPECT_EQ(loginStatus("ann", "ann's", "red"), 503);
    const auto tenants = authenticator_->tenants({});
    ASSERT_FALSE(tenants);
    EXPECT_EQ(tenants.error().status, 503);
    clock_.advance(1min);
    EXPECT_EQ(status(known), 503);
}

TEST_P(KeystoneTest, ASilentKeystoneIsWaitedForOnce) {
    const auto token = login("ann", "red");
    keystone_.beSilent();
    restart(50ms);
    const auto before = keystone_.requests();
    EXPECT_EQ(status(token), 503);
    EXPECT_EQ(keystone_.requests(), before + 1);
    EXPECT_EQ(status("another"), 503);
    EXPECT_EQ(loginStatus("ann", "ann's", "red"), 503);
    EXPECT_EQ(keystone_.requests(), before + 1) << "the others were told at once";
    clock_.advance(1s);
    EXPECT_EQ(status(token), 503);
    EXPECT_EQ(keystone_.requests(), before + 2) << "asked again";
}

TEST_P(KeystoneTest, GarbageLetsNobodyIn) {
    const auto token = login("ann", "red");
    ASSERT_EQ(status("makes us log in"), 401);
    const std::vector<std::string> bodies{
        "", "{}", "[]", "null", "\"token\"", "<html>", std::string(100'000, '['), "{\"token\":",
        R"({"token":{"expires_at":"2999-01-01T00:00:00Z","roles":[{"name":"admin"}]}})",
        R"({"token":{"expires_at":"soon","user":{"name":"x"},"roles":[{"name":"admin"}]}})",
        R"({"token":{"expires_at":7,"user":{"name":"x"},"roles":[{"name":"admin"}]}})",
        R"({"token":{"expires_at":"2999-01-01T00:00:00Z","user":{"name":"x"},"roles":["admin"]}})",
        R"({"access":{"token":{"id":"t","expires":"soon"},"user":{"name":"x","roles":[{"name":"admin"}]}}})",
        R"({"access":{"token":{"expires":"2999-01-01T00:00:00Z"},"user":{"name":"x","roles":[{"name":"admin"}]}}})",
        R"({"access":{"token":{"id":"t","expires":"2999-01-01T00:00:00Z"},"user":{"name":"x","roles":["admin"]}}})"};
    for (const auto& body : bodies)
        for (const int code : {200, 201, 203}) {
            keystone_.answerAll(http::Response::text(code, "application/json", body));
            EXPECT_EQ(status(token), 503) << body.substr(0, 100);
            EXPECT_EQ(loginStatus("ann", "ann's", "red"), 503) << body.substr(0, 100);
            EXPECT_FALSE(authenticator_->tenants({}));
        }
    for (const int code : {204, 206, 300, 302, 500, 502, 503}) {
        keystone_.answerAll(http::Response::text(code, "application/json", "{}"));
        EXPECT_EQ(status(token), 503) << code;
        EXPECT_EQ(loginStatus("ann", "ann's", "red"), 503) << code;
    }
    keystone_.answerAll(std::nullopt);
    EXPECT_EQ(status(token), 200) << "none of it was remembered";
}

TEST_P(KeystoneTest, ProjectsAreTheTenants) {
    const auto all = authenticator_->tenants({});
    ASSERT_TRUE(all) << all.error().message;
    std::vector<std::string> names;
    for (const auto& tenant : *all) names.push_back(tenant.name);
    EXPECT_EQ(names, (std::vector<std::string>{"red", "blue", "service"}));
    const auto red = authenticator_->tenant("id-red");
    ASSERT_TRUE(red) << red.error().message;
    EXPECT_EQ(red->name + red->description, "redthe red");
    EXPECT_TRUE(red->enabled);
    EXPECT_EQ(authenticator_->tenant("id-green").error().status, 404);
    EXPECT_EQ(authenticator_->tenant("a/../b?c").error().status, 404);
    if (GetParam() == 2) EXPECT_TRUE(authenticator_->tenants({.marker = "id-blue", .limit = "0"})->empty());
}

TEST(KeystoneTime, IsReadAsKeystoneWritesIt) {
    const auto noon = event::WallTime{std::chrono::sys_days{std::chrono::year{2026} / 1 / 31} + 12h};
    EXPECT_EQ(parseKeystoneTime("2026-01-31T12:00:00Z"), noon);
    EXPECT_EQ(parseKeystoneTime("2026-01-31T12:00:00.000000Z"), noon);
    EXPECT_EQ(parseKeystoneTime("2026-01-31T12:00:59.999999Z"), noon + 59s);
    for (const auto* wrong : {"", "soon", "Z", "2026-01-31T12:00:00", "2026-01-31T12:00:00+01:00", "2026-02-31T12:00:00Z", "2026-01-31 12:00:00Z",
                              "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T-1:00:00Z", "2026-01-31T12:00:00.x0Z", "2026-01-31T12:00:00..Z"})
        EXPECT_FALSE(parseKeystoneTime(wrong)) << wrong;
}

}  // namespace
}  // namespace midonet::rest::testing
