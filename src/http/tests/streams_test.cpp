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

TEST_F(Streams, AServerMayGoBeforeThem) {
    start();
    Client client{server_->address()};
    begin(client);
}

}  // namespace
}  // namespace midonet::http
