#include <gtest/gtest.h>

#include <set>

#include "server_fixture.h"

namespace midonet::http {
namespace {

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
    start();
    Client client{server_->address()};
    for (int i = 0; i < 3; ++i) {
        const auto response = client.ask("GET", "/a?b=" + std::to_string(i));
        ASSERT_TRUE(response);
        EXPECT_EQ(response->status, 200);
        EXPECT_EQ(response->body, "/a?b=" + std::to_string(i));
        EXPECT_FALSE(response->headers.find("Connection"));
        EXPECT_TRUE(response->headers.find("Date"));
    }
}

TEST_F(ServerTest, EveryRequestHasAnIdOfItsOwn) {
    start();
    Client client{server_->address()};
    std::set<std::string> ids;
    for (int i = 0; i < 3; ++i) ids.emplace(client.ask("GET", "/")->headers.find("X-Request-Id").value_or(""));
    client.send("no request at all\r\n\r\n");
    ids.emplace(client.read()->headers.find("X-Request-Id").value_or(""));
    EXPECT_EQ(ids.size(), 4U);
    EXPECT_FALSE(ids.contains(""));
}

TEST_F(ServerTest, SpellsHeaderNamesAsGiven) {
    start();
    Client client{server_->address()};
    const auto response = client.ask("GET", "/");
    ASSERT_TRUE(response);
    bool found = false;
    for (const auto& field : response->headers.fields()) found = found || field.name == "Location";
    EXPECT_TRUE(found);
}

TEST_F(ServerTest, AHeaderValueCannotEndItsLine) {
    start();
    Client client{server_->address()};
    const auto response = client.ask("GET", "/split");
    ASSERT_TRUE(response);
    EXPECT_FALSE(response->headers.find("Evil"));
}

TEST_F(ServerTest, ServesPipelinedRequestsInOrder) {
    start();
    Client client{server_->address()};
    std::string bytes;
    for (int i = 0; i < 200; ++i) bytes += "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n" + std::to_string(100 + i);
    ASSERT_TRUE(client.send(bytes));
    for (int i = 0; i < 200; ++i) {
        const auto response = client.read();
        ASSERT_TRUE(response);
        EXPECT_EQ(response->body, std::to_string(100 + i));
    }
}

TEST_F(ServerTest, AcceptsBodiesOfEveryMethodAndEveryForm) {
    start();
    Client client{server_->address()};
    EXPECT_EQ(client.ask("GET", "/", "{}")->body, "{}");
    EXPECT_EQ(client.ask("DELETE", "/", "{}")->body, "{}");
    EXPECT_EQ(client.ask("PUT", "/", std::string_view{"{}\0", 3})->body, (std::string{"{}\0", 3}));
    client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    EXPECT_EQ(client.read()->body, "abcde");
    client.send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(client.read()->status, 100);
    client.send("hi");
    EXPECT_EQ(client.read()->body, "hi");
}

TEST_F(ServerTest, HeadHasTheLengthButNoBody) {
    start();
    Client client{server_->address()};
    const auto head = client.ask("HEAD", "/abc");
    ASSERT_TRUE(head);
    EXPECT_EQ(head->headers.find("Content-Length"), "4");
    EXPECT_EQ(client.ask("GET", "/abc")->body, "/abc");
}

TEST_F(ServerTest, OldAndClosingClients) {
    start();
    Client old{server_->address()};
    old.send("GET /x HTTP/1.0\r\n\r\n");
    EXPECT_EQ(old.read()->headers.find("Connection"), "close");
    EXPECT_TRUE(old.atEnd());
    Client closing{server_->address()};
    Headers headers;
    headers.add("Connection", "close");
    EXPECT_EQ(closing.ask("GET", "/", {}, headers)->headers.find("Connection"), "close");
    EXPECT_TRUE(closing.atEnd());
    Client half{server_->address()};
    half.send("GET /x HTTP/1.1\r\n\r\n");
    half.halfClose();
    EXPECT_EQ(half.read()->body, "/x");
    EXPECT_TRUE(half.atEnd());
}

TEST_F(ServerTest, AbsoluteFormIsServedLikeItsPath) {
    start();
    Client client{server_->address()};
    EXPECT_EQ(client.ask("GET", "http://elsewhere:80/a/b")->body, "/a/b");
}

TEST_F(ServerTest, MalformedRequestsGet400AndAreClosed) {
    start();
    for (const char* bytes : {"nonsense\r\n\r\n", "GET / HTTP/3.7\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                              "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                              "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
        Client client{server_->address()};
        client.send(bytes);
        const auto response = client.read();
        ASSERT_TRUE(response) << bytes;
        EXPECT_EQ(response->status, 400) << bytes;
        EXPECT_TRUE(client.atEnd()) << bytes;
    }
}

TEST_F(ServerTest, OversizedHeadersGet431) {
    Limits limits;
    limits.headerBytes = 1024;
    start(limits);
    Client client{server_->address()};
    client.send("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
    EXPECT_EQ(client.read()->status, 431);
    Client endless{server_->address()};
    endless.send("GET /" + std::string(4096, 'x'));
    EXPECT_EQ(endless.read()->status, 431);
    EXPECT_EQ(Client{server_->address()}.ask("GET", "/")->status, 200);
}

TEST_F(ServerTest, OversizedBodiesGet413AlsoWhileTheyAreStillSent) {
    Limits limits;
    limits.bodyBytes = 1000;
    start(limits);
    EXPECT_EQ(Client{server_->address()}.ask("POST", "/", std::string(1000, 'x'))->status, 200);
    Client announced{server_->address()};
    EXPECT_EQ(announced.ask("POST", "/", std::string(500'000, 'x'))->status, 413);
    EXPECT_TRUE(announced.atEnd());
    Client chunked{server_->address()};
    chunked.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, 'x') + "\r\n0\r\n\r\n");
    EXPECT_EQ(chunked.read()->status, 413);
}

TEST_F(ServerTest, SlowAndSilentClientsAreCutOff) {
    Limits limits;
    limits.idle = 60ms;
    limits.header = 60ms;
    limits.request = 120ms;
    start(limits);
    Client silent{server_->address()};
    EXPECT_TRUE(silent.atEnd());
    Client slowHeader{server_->address()};
    slowHeader.send("GET / HT");
    EXPECT_EQ(slowHeader.read()->status, 408);
    Client slowBody{server_->address()};
    slowBody.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_EQ(slowBody.read()->status, 408);
    EXPECT_TRUE(slowBody.atEnd());
}

TEST_F(ServerTest, AClientThatDoesNotReadIsCutOff) {
    Limits limits;
    limits.write = 50ms;
    start(limits);
    Client client{server_->address()};
    ASSERT_EQ(client.ask("GET", "/")->status, 200);
    client.send("GET /big HTTP/1.1\r\n\r\n");
    std::promise<void> gone;
    const std::function<void()> poll = [&] {
        server_->connections() == 0 ? gone.set_value() : onLoop(poll);
    };
    onLoop(poll);
    EXPECT_EQ(gone.get_future().wait_for(10s), std::future_status::ready);
    EXPECT_FALSE(client.read());
}

TEST_F(ServerTest, AHandlerThatTakesTooLongOrForgetsIsAnsweredFor) {
    Limits limits;
    limits.request = 80ms;
    start(limits);
    Client client{server_->address()};
    EXPECT_EQ(client.ask("GET", "/hold")->status, 503);
    held_.front()(Response::text(200, "text/plain", "late"));
    EXPECT_EQ(client.ask("GET", "/again")->body, "/again");
    EXPECT_EQ(client.ask("GET", "/forget")->status, 500);
}

TEST_F(ServerTest, AnswersMayComeFromOtherThreads) {
    start({}, 2);
    Client client{server_->address()};
    client.send("GET /hold HTTP/1.1\r\n\r\n");
    arrived_.get_future().wait();
    held_.front()(Response::text(200, "text/plain", "from afar"));
    EXPECT_EQ(client.read()->body, "from afar");
}

TEST_F(ServerTest, TooManyConnectionsGet503) {
    Limits limits;
    limits.connections = 2;
    start(limits);
    Client first{server_->address()};
    auto second = std::make_unique<Client>(server_->address());
    ASSERT_EQ(first.ask("GET", "/")->status, 200);
    ASSERT_EQ(second->ask("GET", "/")->status, 200);
    Client third{server_->address()};
    EXPECT_EQ(third.read()->status, 503);
    EXPECT_TRUE(third.atEnd());
    EXPECT_EQ(first.ask("GET", "/")->status, 200);
}

TEST_F(ServerTest, DrainDropsNoRequest) {
    start({}, 2);
    const auto address = server_->address();
    Client idle{address};
    ASSERT_EQ(idle.ask("GET", "/")->status, 200);
    Client running{address};
    running.send("GET /hold HTTP/1.1\r\n\r\n");
    arrived_.get_future().wait();
    Client late{address};  // connected, its request comes while draining

    std::promise<void> drained;
    onLoop([&] { server_->drain([&] { drained.set_value(); }); });
    late.send("GET /late HTTP/1.1\r\n\r\n");
    const auto lateResponse = late.read();
    ASSERT_TRUE(lateResponse);
    EXPECT_EQ(lateResponse->body, "/late");
    EXPECT_TRUE(idle.atEnd());
    auto done = drained.get_future();
    EXPECT_EQ(done.wait_for(0s), std::future_status::timeout);
    held_.front()(Response::text(200, "text/plain", "finished"));
    const auto response = running.read();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, "finished");
    EXPECT_EQ(response->headers.find("Connection"), "close");
    running.halfClose();
    late.halfClose();
    EXPECT_EQ(done.wait_for(10s), std::future_status::ready);
    EXPECT_FALSE(Client{address}.connected());
}

TEST_F(ServerTest, DrainIsBounded) {
    Limits limits;
    limits.drain = 400ms;
    start(limits);
    Client running{server_->address()};
    running.send("GET /hold HTTP/1.1\r\n\r\n");
    arrived_.get_future().wait();
    std::promise<void> drained;
    onLoop([&] { server_->drain([&] { drained.set_value(); }); });
    EXPECT_EQ(drained.get_future().wait_for(10s), std::future_status::ready);
}

/// Clients that ask without pause see every request answered, and then a clean refusal.
TEST_F(ServerTest, DrainUnderLoadDropsNoRequest) {
    start({}, 2);
    const auto address = server_->address();
    std::atomic<int> broken{0};
    std::atomic<int> answered{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i)
        clients.emplace_back([&] {
            for (;;) {
                Client client{address};
                if (!client.connected()) return;
                for (;;) {
                    const auto response = client.ask("GET", "/x");
                    if (!response) {
                        ++broken;
                        return;
                    }
                    ++answered;
                    if (response->headers.find("Connection")) break;
                }
            }
        });
    while (answered < 200) std::this_thread::yield();
    std::promise<void> drained;
    onLoop([&] { server_->drain([&] { drained.set_value(); }); });
    drained.get_future().wait();
    for (auto& client : clients) client.join();
    EXPECT_EQ(broken, 0);
}

TEST(Listen, ErrorsNameTheAddressAndTheReason) {
    const auto loop = event::Loop::create("http");
    const auto handler = [](const RequestPtr&, const Responder&) {};
    for (const char* bad : {"127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000", "nowhere:80", ":", ""}) {
        ServerOptions options;
        options.listen = bad;
        const auto server = Server::listen({loop.get()}, options, handler);
        ASSERT_FALSE(server) << bad;
        EXPECT_EQ(server.error().code, ErrorCode::Malformed);
    }
    const auto first = Server::listen({loop.get()}, {}, handler);
    ASSERT_TRUE(first);
    ServerOptions same;
    same.listen = (*first)->address();
    const auto second = Server::listen({loop.get()}, same, handler);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find(same.listen), std::string::npos);
}

TEST(Listen, KnowsLoopback) {
    EXPECT_EQ(isLoopback("127.0.0.1:8181"), true);
    EXPECT_EQ(isLoopback("localhost:0"), true);
    EXPECT_EQ(isLoopback("[::1]:0"), true);
    EXPECT_EQ(isLoopback("0.0.0.0:8181"), false);
    EXPECT_EQ(isLoopback("[::]:8181"), false);
    EXPECT_EQ(isLoopback("unix:/run/api.sock,127.0.0.1:80"), true);
    EXPECT_EQ(isLoopback("127.0.0.1:80,0.0.0.0:80"), false);
    EXPECT_FALSE(isLoopback("127.0.0.1:80,"));
    EXPECT_FALSE(isLoopback("localhost"));
}

}  // namespace
}  // namespace midonet::http
