// The API with a small Keystone behind it: from login to refusal, and no request waits for another's token.
#include "api_fixture.h"
#include "fake_keystone.h"
#include "rest/keystone_authenticator.h"

namespace midonet::rest::testing {
namespace {

using namespace std::chrono_literals;

class KeystoneApi : public ApiTest {
protected:
    KeystoneApi() {
        keystone_.addUser("midonet", "our secret", "service", {"admin"});
        keystone_.addUser("ann", "secret", "red", {"admin"});
        keystone_.addUser("bob", "secret", "red", {"member"});
    }
    std::unique_ptr<Authenticator> makeAuthenticator() override {
        return makeKeystoneAuthenticator(connectKeystone({.url = keystone_.url(), .timeout = 5s}),
                                         {.user = "midonet", .password = "our secret", .project = "service"}, clock_);
    }
    Response login(const std::string& basic, const std::string& project) {
        Headers headers;
        headers.add("Authorization", "Basic " + basic);
        headers.add("X-Auth-Project", project);
        return ask("POST", "/login", "{}", headers);
    }
    static Headers with(const std::string& token) {
        Headers headers;
        headers.add("X-Auth-Token", token);
        return headers;
    }
    std::string tokenOf(const std::string& basic) {
        const auto response = login(basic, "red");
        EXPECT_EQ(response.status, 200) << response.body;
        const auto cookie = std::string{response.headers.find("Set-Cookie").value_or("=;")};
        return cookie.substr(cookie.find('=') + 1, cookie.find(';') - cookie.find('=') - 1);
    }
    int status(const std::string& token) { return ask("GET", "/bridges", {}, with(token)).status; }

    const event::SteadyClock clock_;
    FakeKeystone keystone_;
    const std::string ann_ = "YW5uOnNlY3JldA==";
    const std::string bob_ = "Ym9iOnNlY3JldA==";
};

TEST_F(KeystoneApi, FromLoginToTheObjects) {
    const auto response = login(ann_, "red");
    ASSERT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.headers.find("Content-Type"), vnd("Token-v1"));
    const auto key = text(parsed(response), "key");
    const auto expires = text(parsed(response), "expires");
    EXPECT_EQ(response.headers.find("Set-Cookie"), "sessionId=" + key + "; Expires=" + expires);
    EXPECT_EQ(status(key), 200);
    const auto red = ask("GET", "/tenants/id-red", {}, with(key));
    EXPECT_EQ(text(parsed(red), "name"), "red");
    EXPECT_EQ(ask("GET", "/tenants/id-none", {}, with(key)).status, 404);
}

TEST_F(KeystoneApi, WhoIsNoAdministratorGetsNothing) {
    for (const auto& token : {tokenOf(bob_), std::string{"made up"}, std::string{}})
        for (const auto* path : {"/bridges", "/midonet-api", "/tenants", "/conf/schemas", "/system_state"}) {
            const auto response = ask("GET", path, {}, with(token));
            EXPECT_EQ(response.status, 401) << path;
            EXPECT_EQ(response.headers.find("Content-Type"), vnd("Error-v1"));
            EXPECT_EQ(response.headers.find("WWW-Authenticate"), "Basic  realm=\"BASIC_AUTH_REALM\"");
        }
    EXPECT_EQ(get("/bridges").status, 401);
    Headers cookie;
    cookie.add("Cookie", "sessionId=" + tokenOf(ann_));
    cookie.add("Authorization", "Basic " + ann_);
    EXPECT_EQ(ask("GET", "/bridges", {}, cookie).status, 401) << "neither cookies nor passwords count here";
    EXPECT_EQ(ask("POST", "/bridges", "{}", with(tokenOf(bob_))).status, 401);
    EXPECT_EQ(parsed(ask("GET", "/bridges", {}, with(tokenOf(ann_)))).as_array().size(), 0U);
}

TEST_F(KeystoneApi, WhatNeedsNoTokenNeedsNone) {
    keystone_.stop();
    EXPECT_EQ(ask("OPTIONS", "/bridges").status, 200);
    EXPECT_EQ(ask("GET", "/metrics").status, 200);
    EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(KeystoneApi, WithoutKeystoneClientsAreToldToTryAgain) {
    keystone_.stop();
    for (const auto& response : {login(ann_, "red"), ask("GET", "/bridges", {}, with("unknown"))}) {
        EXPECT_EQ(response.status, 503);
        EXPECT_EQ(response.headers.find("Retry-After"), "3");
        EXPECT_EQ(response.body.find(keystone_.url().substr(7)), std::string::npos) << "nothing of our network is told";
    }
}

TEST_F(KeystoneApi, OneWhoWaitsHoldsUpNobodyElse) {
    const auto known = tokenOf(ann_);
    const auto fresh = tokenOf(ann_);
    ASSERT_EQ(status(known), 200);
    keystone_.beSilent();
    http::testing::Client waiting{server_->address()};
    ASSERT_TRUE(waiting.send("GET /midonet-api/bridges HTTP/1.1\r\nHost: a\r\nX-Auth-Token: " + fresh + "\r\n\r\n"));
    keystone_.waitForQuestion();
    EXPECT_EQ(status(known), 200);
    EXPECT_EQ(ask("GET", "/system_state", {}, with(known)).status, 200);
    EXPECT_EQ(ask("GET", "/metrics").status, 200);
    keystone_.speakAgain();
    EXPECT_EQ(waiting.read()->status, 200);
}

TEST_F(KeystoneApi, LogsNameTheUserButNoSecret) {
    ::testing::internal::CaptureStderr();
    const auto token = tokenOf(ann_);
    EXPECT_EQ(ask("POST", "/bridges", "{}", with(token)).status, 201);
    keystone_.stop();
    EXPECT_EQ(status("stolen"), 503);
    stopServer();
    const auto lines = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(lines.find("user=ann@id-red"), std::string::npos) << lines;
    EXPECT_NE(lines.find("cannot ask Keystone"), std::string::npos) << lines;
    for (const auto& secret : {token, ann_, std::string{"secret"}, std::string{"stolen"}}) EXPECT_EQ(lines.find(secret), std::string::npos) << lines;
}

}  // namespace
}  // namespace midonet::rest::testing
