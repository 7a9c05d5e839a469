#include "http/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "http/server.h"

namespace midonet::http {
namespace {

using namespace std::chrono_literals;

/// A server that echoes method, target, one header and body, on a thread of its own.
class ClientTest : public ::testing::Test {
protected:
    ClientTest() : loop_(event::Loop::create("http")) { restart("127.0.0.1:0"); }
    ~ClientTest() override {
        loop_->stop();
        if (thread_.joinable()) thread_.join();
        held_.clear();
        server_.reset();
    }

    void restart(std::string listen) {
        if (thread_.joinable()) {
            loop_->stop();
            thread_.join();
            server_.reset();
            loop_ = event::Loop::create("http");
        }
        ServerOptions options;
        options.listen = listen;
        options.onConnections = [this](std::size_t open) { mostConnections_ = std::max(mostConnections_.load(), open); };
        auto server = Server::listen({loop_.get()}, options, [this](const RequestPtr& request, const Responder& answer) {
            if (request->path() == "/hold") return held_.push_back(answer);
            auto response = Response::text(request->path() == "/missing" ? 404 : 200, "text/plain",
                                           fmt::format("{} {} {} {}", toString(request->method), request->target,
                                                       request->headers.find("Accept").value_or("-"), request->body));
            response.headers.add("Location", "http://here/there");
            answer(std::move(response));
        });
        ASSERT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
        thread_ = std::thread([this] { loop_->run(); });
    }

    Request request(Method method, std::string_view path, std::string body = {}) const {
        Request out;
        out.method = method;
        out.target = fmt::format("http://{}{}", server_->address(), path);
        out.headers.add("Accept", "text/plain");
        out.body = std::move(body);
        return out;
    }

    std::atomic<std::size_t> mostConnections_ = 0;
    std::vector<Responder> held_;
    std::unique_ptr<event::Loop> loop_;
    std::thread thread_;
    std::unique_ptr<Server> server_;
};

TEST_F(ClientTest, SendsWhatItIsGivenAndGivesWhatComes) {
    Client client;
    const auto response = client.send(request(Method::Post, "/a/b?c=d", "body"));
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "POST /a/b?c=d text/plain body");
    EXPECT_EQ(response->headers.find("location"), "http://here/there");
    EXPECT_EQ(client.send(request(Method::Get, "/missing"))->status, 404) << "an answer like any other";
    EXPECT_EQ(client.send(request(Method::Delete, ""))->body, "DELETE / text/plain ");
}

TEST_F(ClientTest, KeepsOneConnectionAndOpensAnotherWhenTheServerHasGone) {
    Client client;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(client.send(request(Method::Get, "/")));
    EXPECT_EQ(mostConnections_, 1U);
    restart(server_->address());
    EXPECT_TRUE(client.send(request(Method::Post, "/", "again")));
}

TEST_F(ClientTest, AnswersThatDoNotComeEnd) {
    Client client{{.timeout = 50ms}};
    const auto response = client.send(request(Method::Get, "/hold"));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::Timeout) << response.error().message;
}

TEST_F(ClientTest, NobodyListens) {
    const auto nowhere = request(Method::Get, "/");
    loop_->stop();
    thread_.join();
    server_.reset();
    Client client;
    const auto response = client.send(nowhere);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::Unavailable) << response.error().message;
}

TEST(AddressTest, Parts) {
    const auto plain = Address::parse("http://example.com/midonet-api?x=1");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->authority(), "example.com:80");
    EXPECT_EQ(plain->target, "/midonet-api?x=1");
    const auto v6 = Address::parse("HTTP://[::1]:8181");
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->host, "::1");
    EXPECT_EQ(v6->authority(), "[::1]:8181");
    EXPECT_EQ(v6->target, "/");
    for (const auto* wrong : {"", "127.0.0.1:8181", "http://", "http://:80/", "http://a:b/", "ftp://a/", "http://[::1]:x"})
        EXPECT_FALSE(Address::parse(wrong)) << wrong;
    const auto secure = Address::parse("https://a/b");
    ASSERT_TRUE(secure);
    EXPECT_TRUE(secure->secure);
    EXPECT_EQ(secure->authority(), "a:443");
    EXPECT_FALSE(plain->secure);
}

}  // namespace
}  // namespace midonet::http
