#include "server_fixture.h"

namespace midonet::http {
namespace {

/// Responses that end when somebody goes.
class Streams : public ServerTest {
protected:
    void begin(Client& client) {
        client.send("GET /stream HTTP/1.1\r\nHost: here\r\n\r\n");
        const auto head = client.read(true);
        ASSERT_TRUE(head);
        EXPECT_EQ(head->headers.find("Transfer-Encoding"), "chunked");
        EXPECT_EQ(client.readChunk(), "begun;");
    }
    bool isForgotten() { return forgotten_.get_future().wait_for(10s) == std::future_status::ready; }
    std::future<void> drain() {
        onLoop([this] { server_->drain([this] { drained_.set_value(); }); });
        return drained_.get_future();
    }
    std::promise<void> drained_;
};

TEST_F(Streams, PiecesComeWhenThereAreAny) {
    Limits limits;
    limits.request = 200ms;
    start(limits);
    Client client{server_->address()};
    begin(client);
    Client other{server_->address()};
    EXPECT_EQ(other.ask("GET", "/hold")->status, 503) << "longer than a request may take";
    give("1;");
    EXPECT_EQ(client.readChunk(), "1;");
    give("2;");
    EXPECT_EQ(client.readChunk(), "2;");
    give("");
    EXPECT_EQ(client.readChunk(), "");
    EXPECT_TRUE(isForgotten());
    EXPECT_EQ(client.ask("GET", "/after")->body, "/after") << "the connection is kept";
}

TEST_F(Streams, WhatCannotGoOnIsCut) {
    start();
    Client client{server_->address()};
    begin(client);
    give(std::nullopt);
    EXPECT_EQ(client.readChunk(), std::nullopt);
    EXPECT_TRUE(isForgotten());
}

TEST_F(Streams, AClientThatGoesIsForgotten) {
    start();
    {
        Client client{server_->address()};
        begin(client);
    }
    EXPECT_TRUE(isForgotten());
}

TEST_F(Streams, DrainEndsThemInOrder) {
    start();
    Client client{server_->address()};
    begin(client);
    auto drained = drain();
    EXPECT_EQ(client.readChunk(), "") << "the last chunk";
    EXPECT_TRUE(client.atEnd());
    EXPECT_TRUE(isForgotten());
    EXPECT_EQ(drained.wait_for(5s), std::future_status::ready) << "less than a drain may take";
}

TEST_F(Streams, OneThatBeginsWhileTheServerDrainsEndsAtOnce) {
    start();
    Client client{server_->address()};
    ASSERT_EQ(client.ask("GET", "/first")->body, "/first");
    auto drained = drain();
    client.send("GET /stream HTTP/1.1\r\nHost: here\r\n\r\n");
    const auto response = client.read();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->body, "begun;");
    EXPECT_TRUE(client.atEnd());
    EXPECT_EQ(drained.wait_for(5s), std::future_status::ready);
}

/// What is told of the one exchange.
class Finish : public Streams {
protected:
    struct Seen {
        std::uint64_t bytes;
        Delivery delivery;
    };
    Finish() {
        onFinished_ = [this](const Finished& finished) { seen_.set_value({finished.bytes, finished.delivery}); };
    }
    Seen seen() {
        auto future = seen_.get_future();
        EXPECT_EQ(future.wait_for(10s), std::future_status::ready);
        return future.wait_for(0s) == std::future_status::ready ? future.get() : Seen{};
    }
    std::promise<Seen> seen_;
};

TEST_F(Finish, AllPiecesAreCounted) {
    start();
    Client client{server_->address()};
    EXPECT_EQ(client.ask("GET", "/pieces")->body, "0;1;2;3;");
    const auto [bytes, delivery] = seen();
    EXPECT_EQ(bytes, 8U);
    EXPECT_EQ(delivery, Delivery::Whole);
}

TEST_F(Finish, WhatIsCutIsCountedAsFarAsItCame) {
    start();
    Client client{server_->address()};
    EXPECT_FALSE(client.ask("GET", "/broken"));
    const auto [bytes, delivery] = seen();
    EXPECT_EQ(bytes, 4U);
    EXPECT_EQ(delivery, Delivery::Cut);
}

TEST_F(Finish, AStreamIsToldOfAtItsEnd) {
    start();
    auto future = seen_.get_future();
    {
        Client client{server_->address()};
        begin(client);
        give("1;");
        EXPECT_EQ(client.readChunk(), "1;");
        EXPECT_EQ(future.wait_for(0s), std::future_status::timeout) << "not yet";
    }
    ASSERT_EQ(future.wait_for(10s), std::future_status::ready);
    const auto [bytes, delivery] = future.get();
    EXPECT_EQ(bytes, 8U);
    EXPECT_EQ(delivery, Delivery::Gone);
}

TEST_F(Finish, WhoDoesNotReadIsToldFromWhoGoes) {
    Limits limits;
    limits.write = 50ms;
    start(limits);
    Client client{server_->address()};
    client.send("GET /endless HTTP/1.1\r\n\r\n");
    EXPECT_EQ(seen().delivery, Delivery::NotTaken);
}

TEST_F(Finish, OneBodyIsCountedAtOnce) {
    start();
    Client client{server_->address()};
    client.ask("HEAD", "/pieces");
    EXPECT_EQ(seen().bytes, 0U);
    seen_ = {};
    client.ask("GET", "/four");
    EXPECT_EQ(seen().bytes, 5U);
}

TEST_F(Streams, AServerMayGoBeforeThem) {
    start();
    Client client{server_->address()};
    begin(client);
}

}  // namespace
}  // namespace midonet::http
