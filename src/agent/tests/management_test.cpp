#include "agent/management.h"

#include <gmock/gmock.h>

#include "agent/testing/live_agent.h"
#include "http/client.h"

namespace midonet::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

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
    for (const auto* path : {"/status", "/metrics", "/meters", "/device_stats"}) {
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

/// Filters what comes in through the first port by a rule with a meter, and sends `frames` of 60 bytes there.
void countFrames(testing::LiveAgent& live, const std::string& meter, int frames) {
    const Uuid chainId{7, 1};
    EXPECT_TRUE(live.store->transact([&](nsdb::Transaction& t) -> Result<void> {
        model::Chain chain;
        chain.set_id(model::bytesOf(chainId));
        auto& rule = *chain.add_rules();
        rule.set_id(model::bytesOf(Uuid{7, 2}));
        rule.set_type(model::Rule::ACCEPT);
        rule.set_meter_name(meter);
        TRY_VOID(t.create(chain));
        TRY(stored, t.get<model::Port>(live.ports[0].uuid()));
        auto port = *stored.object;
        port.set_inbound_filter_id(model::bytesOf(chainId));
        return t.update(port);
    }));
    live.bindPorts();
    live.waitUntil([&] { return live.agent().snapshot()->port(live.ports[0])->inboundFilter.uuid() == chainId; });
    std::vector<std::uint8_t> frame(60, 0);
    frame[5] = 1, frame[11] = 2;
    for (int i = 0; i < frames; ++i) live.send("tap0", frame);
}

TEST_F(ManagementTest, MetersAreServedForEachWorkerAndSummedUp) {
    countFrames(live_, R"(a "b"\c)", 3);
    const auto metrics = onPage(http::Method::Get, "/metrics").body;
    const auto rx = "meters:port:rx:" + live_.ports[0].toString();
    for (const auto& key : {R"(meters:user:a \"b\"\\c)" + std::string{}, rx}) {
        EXPECT_THAT(metrics, HasSubstr("\nmidonet_packets_total{key=\"" + key + "\",registry=\"0\"} 3\n"));
        EXPECT_THAT(metrics, HasSubstr("\nmidonet_packets_bytes{key=\"" + key + "\",registry=\"0\"} 180\n"));
    }
    EXPECT_THAT(metrics, HasSubstr("\n# TYPE midonet_packets_total counter\n"));
    EXPECT_THAT(onPage(http::Method::Get, "/device_stats").body, HasSubstr("meters:user:a \"b\"\\c\t3\t180\n"));
    EXPECT_THAT(onPage(http::Method::Get, "/device_stats").body, HasSubstr(rx + "\t3\t180\n"));
}

TEST(ManagementMetersTest, MetricsHaveTheMetersThatAreWanted) {
    http::Client client{};
    for (const auto shown : {Management::MetersShown::User, Management::MetersShown::None}) {
        testing::LiveAgent live{2, shown};
        countFrames(live, "web", 1);
        http::Request request;
        request.target = live.page() + "/metrics";
        const auto metrics = client.send(request)->body;
        EXPECT_THAT(metrics, Not(HasSubstr("meters:port:")));
        EXPECT_EQ(metrics.find("meters:user:web") != metrics.npos, shown == Management::MetersShown::User);
        request.target = live.page() + "/device_stats";
        EXPECT_THAT(client.send(request)->body, HasSubstr("meters:port:"));
    }
}

}  // namespace
}  // namespace midonet::agent
