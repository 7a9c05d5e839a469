#include "http/client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
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
            if (request->path() == "/stream") return answer(stream());
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

    /// "begun;", and then what give() gives.
    Response stream() {
        auto response = Response::text(200, "text/plain", "begun;");
        response.endless = true;
        response.more = [this](TakePiece take) { asking_.set_value(std::move(take)); };
        return response;
    }
    void give(std::optional<std::string> piece) {
        auto asked = asking_.get_future();
        ASSERT_EQ(asked.wait_for(10s), std::future_status::ready);
        const auto take = asked.get();
        asking_ = {};
        take(std::move(piece));
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
    std::promise<TakePiece> asking_;  ///< Of a stream.
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

TEST_F(ClientTest, ALookUpThatDoesNotComeToAnEndIsGivenUp) {
    auto opened = std::make_shared<std::promise<void>>();
    std::promise<void> looked;
    Client client{{.timeout = 50ms, .lookUp = [opened, &looked](const std::string& host) -> Result<std::vector<std::string>> {
        EXPECT_EQ(host, "keystone.example");
        opened->get_future().wait();
        looked.set_value();
        return fail(ErrorCode::Unavailable, "too late");
    }}};
    Request asked;
    asked.target = "http://keystone.example:5000/v3";
    const auto response = client.send(asked);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::Timeout);
    EXPECT_NE(response.error().message.find("keystone.example"), std::string::npos) << response.error().message;
    opened->set_value();
    EXPECT_EQ(looked.get_future().wait_for(10s), std::future_status::ready);
}

TEST_F(ClientTest, AllAddressesOfAHostAreTried) {
    const auto port = server_->address().substr(server_->address().rfind(':'));
    Client client{{.timeout = 10s, .lookUp = [](const std::string&) -> Result<std::vector<std::string>> {
        return std::vector<std::string>{"no address", "127.0.0.2", "127.0.0.1"};
    }}};
    Request asked;
    asked.target = "http://api.example" + port + "/found";
    const auto response = client.send(asked);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "GET /found - ");
    Client none{{.lookUp = [](const std::string&) -> Result<std::vector<std::string>> { return fail(ErrorCode::Unavailable, "there is no such name"); }}};
    EXPECT_EQ(none.send(asked).error().message, "there is no such name");
    Client system{{.timeout = 10s}};
    asked.target = "http://localhost" + port + "/found";
    EXPECT_TRUE(system.send(asked));
}

/// Listens and takes nobody: who asks for a connection hears nothing.
class SilentListener {
public:
    SilentListener(const char* address, std::uint16_t port) {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(port);
        EXPECT_EQ(::inet_pton(AF_INET, address, &at.sin_addr), 1);
        const auto* to = reinterpret_cast<const sockaddr*>(&at);
        EXPECT_EQ(::bind(add(), to, sizeof(at)), 0);
        EXPECT_EQ(::listen(sockets_.front(), 0), 0);
        for (int i = 0; i < 3; ++i) ::connect(add(), to, sizeof(at));
    }
    ~SilentListener() {
        for (const int one : sockets_) ::close(one);
    }
    SilentListener(const SilentListener&) = delete;
    SilentListener& operator=(const SilentListener&) = delete;

private:
    int add() { return sockets_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }
    std::vector<int> sockets_;
};

TEST_F(ClientTest, AnAddressThatSaysNothingLeavesTimeForTheNext) {
    const auto port = server_->address().substr(server_->address().rfind(':') + 1);
    const SilentListener silent("127.0.0.2", static_cast<std::uint16_t>(std::stoi(port)));
    Client client{{.timeout = 2s, .lookUp = [](const std::string&) -> Result<std::vector<std::string>> {
        return std::vector<std::string>{"127.0.0.2", "127.0.0.1"};
    }}};
    Request asked;
    asked.target = "http://api.example:" + port + "/found";
    const auto response = client.send(asked);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "GET /found - ");
}

/// An answer without end.
class ClientStreamTest : public ClientTest {
protected:
    void begin() {
        const auto head = client_.open(request(Method::Get, "/stream"));
        ASSERT_TRUE(head) << head.error().message;
        EXPECT_EQ(head->status, 200);
        EXPECT_EQ(head->headers.find("Content-Type"), "text/plain");
        EXPECT_EQ(head->body, "");
        EXPECT_EQ(client_.more(10s).value(), "begun;");
    }
    Client client_{{.timeout = 10s}};
};

TEST_F(ClientStreamTest, PiecesComeAsTheyAreMade) {
    begin();
    EXPECT_EQ(client_.more(0s).value(), "") << "nothing yet";
    EXPECT_EQ(client_.more(20ms).value(), "") << "the read that brought nothing goes on";
    give("1;");
    EXPECT_EQ(client_.more(10s).value(), "1;");
    give(std::string(1 << 20, 'x'));
    std::string all;
    while (all.size() < 1 << 20) all += client_.more(10s).value().value();
    EXPECT_EQ(all, std::string(1 << 20, 'x'));
    give("");
    EXPECT_EQ(client_.more(10s).value(), std::nullopt);
    EXPECT_EQ(client_.more(10s).value(), std::nullopt) << "and it stays at its end";
}

TEST_F(ClientStreamTest, OneThatIsCutIsNotAtItsEnd) {
    begin();
    give(std::nullopt);
    const auto piece = client_.more(10s);
    ASSERT_FALSE(piece);
    EXPECT_EQ(piece.error().code, ErrorCode::Unavailable);
}

TEST_F(ClientStreamTest, AnswersWithAnEndMayBeReadSoToo) {
    const auto head = client_.open(request(Method::Post, "/missing", "body"));
    ASSERT_TRUE(head);
    EXPECT_EQ(head->status, 404);
    EXPECT_EQ(client_.more(10s).value(), "POST /missing text/plain body");
    EXPECT_EQ(client_.more(10s).value(), std::nullopt);
}

TEST_F(ClientStreamTest, WhateverIsSentNextGivesUpTheRest) {
    begin();
    EXPECT_EQ(client_.send(request(Method::Get, "/after"))->body, "GET /after text/plain ");
    EXPECT_EQ(client_.more(10s).value(), std::nullopt);
    asking_.get_future().get()(std::nullopt);
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
