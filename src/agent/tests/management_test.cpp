#include "agent/management.h"

#include <gmock/gmock.h>

#include "agent/testing/live_agent.h"
#include "http/client.h"

namespace midonet::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class ManagementTest : public ::testing::Test {
protected:
    http::Response ask(http::Client& client, http::Method method, const std::string& url, std::string body = {}) const {
        http::Request request;
        request.method = method;
        request.target = url;
        request.body = std::move(body);
        auto response = client.send(request);
        EXPECT_TRUE(response) << response.error().message;
        return response ? std::move(*response) : http::Response{};
    }
    http::Response onSocket(http::Method method, const std::string& path, std::string body = {}) {
        return ask(socket_, method, "http://localhost" + path, std::move(body));
    }
    http::Response onPage(http::Method method, const std::string& path, std::string body = {}) {
        return ask(page_, method, live_.page() + path, std::move(body));
    }
    std::string bindingOf(std::size_t port) const { return "/binding/" + live_.ports[port].toString(); }

    testing::LiveAgent live_;
    http::Client socket_{{.socketPath = live_.socket()}};
    http::Client page_{};
};

TEST_F(ManagementTest, BothServeThePages) {
    for (const auto* path : {"/status", "/metrics", "/meters"}) {
        EXPECT_EQ(onSocket(http::Method::Get, path).status, 200) << path;
        EXPECT_EQ(onPage(http::Method::Get, path).status, 200) << path;
        EXPECT_EQ(onPage(http::Method::Delete, path).status, 405) << path;
    }
    EXPECT_EQ(onPage(http::Method::Post, "/flows/flush").status, 202);
    EXPECT_EQ(onSocket(http::Method::Get, "/nowhere").status, 404);
}

TEST_F(ManagementTest, BindingsAreForTheOwnerOfTheSocket) {
    const auto body = R"({"interfaceName": "tap0"})";
    EXPECT_EQ(onPage(http::Method::Put, bindingOf(0), body).status, 404);
    const auto bound = onSocket(http::Method::Put, bindingOf(0), body);
    EXPECT_EQ(bound.status, 200);
    EXPECT_EQ(bound.body, "{\"interfaceName\":\"tap0\"}\n");
    EXPECT_EQ(live_.port(0).interface_name(), "tap0");
    EXPECT_EQ(onSocket(http::Method::Delete, bindingOf(0)).status, 204);
    EXPECT_EQ(live_.port(0).interface_name(), "");
}

TEST_F(ManagementTest, BadBindingsAreNamed) {
    EXPECT_EQ(onSocket(http::Method::Put, "/binding/no-uuid", R"({"interfaceName": "tap0"})").status, 400);
    for (const auto* body : {"", "[]", "{}", R"({"interfaceName": 1})", R"({"interfaceName": ""})"})
        EXPECT_EQ(onSocket(http::Method::Put, bindingOf(0), body).status, 400) << body;
    EXPECT_EQ(onSocket(http::Method::Put, "/binding/" + Uuid::random().toString(), R"({"interfaceName": "tap0"})").status, 404);
    ASSERT_EQ(onSocket(http::Method::Put, bindingOf(0), R"({"interfaceName": "tap0"})").status, 200);
    const auto taken = onSocket(http::Method::Put, bindingOf(1), R"({"interfaceName": "tap0"})");
    EXPECT_EQ(taken.status, 409);
    EXPECT_THAT(taken.body, HasSubstr(live_.ports[0].toString()));
}

}  // namespace
}  // namespace midonet::agent
