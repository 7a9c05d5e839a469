// Where a request ends, and what is refused because nobody can be sure of it.
#include <gtest/gtest.h>

#include "server_fixture.h"

namespace midonet::http {
namespace {

class Framing : public ServerTest {
protected:
    /// What the server answers to these bytes, on a connection of their own.
    std::optional<Response> answerTo(std::string_view bytes) {
        Client client{server_->address()};
        client.send(bytes);
        return client.read();
    }
};

TEST_F(Framing, TrailersOfChunkedBodiesAreReadAndTheNextRequestIsWhole) {
    start();
    Client client{server_->address()};
    client.send("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5;ext=1\r\nabcde\r\n0\r\nX-Sum: 1\r\n\r\n"
                "GET /b HTTP/1.1\r\n\r\n");
    EXPECT_EQ(client.read()->body, "abcde");
    EXPECT_EQ(client.read()->body, "/b");
}

TEST_F(Framing, ChunksMayComeByteByByte) {
    start();
    Client client{server_->address()};
    for (const char c : std::string_view{"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"})
        client.send({&c, 1});
    EXPECT_EQ(client.read()->body, "abcd");
}

TEST_F(Framing, BytesInABodyAreJustBytes) {
    start();
    Client client{server_->address()};
    const std::string body{"a\0b\r\n\r\nGET /x HTTP/1.1\r\n\r\n\0", 27};
    EXPECT_EQ(client.ask("POST", "/", body)->body, body);
    EXPECT_EQ(client.ask("GET", "/next")->body, "/next");
}

TEST_F(Framing, TwoReadersCouldDisagreeSoItIsRefused) {
    start();
    const std::string smuggled = "\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n";
    for (const char* fields : {"Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5",
                               "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5, 6", "Content-Length: -5", "Content-Length: +5",
                               "Content-Length: 0x5", "Content-Length: 5 5", "Content-Length:", "Content-Length: 99999999999999999999",
                               "Content-Length : 5", " Content-Length: 5", "Transfer-Encoding : chunked",
                               "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Host: a\r\nHost: b"}) {
        Client client{server_->address()};
        client.send("POST / HTTP/1.1\r\n" + std::string{fields} + smuggled);
        const auto response = client.read();
        ASSERT_TRUE(response) << fields;
        EXPECT_EQ(response->status, 400) << fields;
        EXPECT_TRUE(client.atEnd()) << fields << ": what follows must not be taken for a request";
    }
}

TEST_F(Framing, CodingsThatAreNotUnderstoodAreRefused) {
    start();
    for (const char* coding : {"gzip", "identity", "gzip, chunked", "chunked, gzip", "xchunked", "chunkedx", "\"chunked\"", "chunked;q=1"}) {
        Client client{server_->address()};
        client.send("POST / HTTP/1.1\r\nTransfer-Encoding: " + std::string{coding} + "\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n");
        const auto response = client.read();
        ASSERT_TRUE(response) << coding;
        EXPECT_EQ(response->status, 501) << coding;
        EXPECT_TRUE(client.atEnd()) << coding;
    }
    EXPECT_EQ(answerTo("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")->status, 400);
    EXPECT_EQ(answerTo("POST /x HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n")->status, 200);
}

TEST_F(Framing, BadChunksAre400) {
    start();
    for (const char* chunks : {"x\r\n", "-1\r\n", "0x1\r\n\r\n", "1\r\nab\r\n", "fffffffffffffffff\r\n", "\r\n", "1 1\r\na\r\n"}) {
        Client client{server_->address()};
        client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string{chunks} + "\r\n0\r\n\r\n");
        const auto response = client.read();
        ASSERT_TRUE(response) << chunks;
        EXPECT_GE(response->status, 400) << chunks;
        EXPECT_LE(response->status, 413) << chunks;
        EXPECT_TRUE(client.atEnd()) << chunks;
    }
}

TEST_F(Framing, LinesThatAreNoneAre400) {
    start();
    for (const char* bytes : {"GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n", "GET /\r\n\r\n", "GET / http/1.1\r\n\r\n", "GET / HTTP/1.1\n\n",
                              "G\x01T / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nA\x01: b\r\n\r\n", "GET / HTTP/1.1\r\nA: b\x01\r\n\r\n",
                              "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/0.9\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
        const auto response = answerTo(bytes);
        ASSERT_TRUE(response) << bytes;
        EXPECT_EQ(response->status, 400) << bytes;
    }
    EXPECT_EQ(answerTo(std::string_view{"GET /a\0b HTTP/1.1\r\n\r\n", 21})->status, 400);
    EXPECT_EQ(answerTo(std::string_view{"GET / HTTP/1.1\r\nA: \0\r\n\r\n", 24})->status, 400);
}

TEST_F(Framing, OlderClientsMayKeepTheConnection) {
    start();
    Client client{server_->address()};
    client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto response = client.read();
    EXPECT_EQ(response->headers.find("Connection"), "keep-alive");
    EXPECT_EQ(client.ask("GET", "/b")->body, "/b");
}

TEST_F(Framing, WhoAsksBeforeSendingIsToldOnlyOnce) {
    start();
    Client whole{server_->address()};  // does not wait
    whole.send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT_EQ(whole.read()->body, "hi");
    Client old{server_->address()};
    old.send("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT_EQ(old.read()->body, "hi");
    Client large{server_->address()};
    large.send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 99000000\r\n\r\n");
    EXPECT_EQ(large.read()->status, 413) << "instead of being told to send";
}

TEST_F(Framing, TargetsComeThroughAsTheyAre) {
    start();
    Client client{server_->address()};
    for (const char* target : {"/a/../b", "/a/%2e%2e/b", "/%00", "/a%2Fb", "//a", "/?a=/../b", "*", "/a;b=c"})
        EXPECT_EQ(client.ask("GET", target)->body, target);
    EXPECT_EQ(client.ask("GET", "http://here")->body, "/");
    EXPECT_EQ(client.ask("GET", "HTTPS://here:1/x?y")->body, "/x?y");
}

TEST_F(Framing, DripsDoNotProlongTheTimeOfAHead) {
    Limits limits;
    limits.header = 80ms;
    start(limits);
    Client client{server_->address()};
    client.send("GET / HTTP/1.1\r\nX: ");
    pollfd answered{client.descriptor(), POLLIN, 0};
    while (::poll(&answered, 1, 5) == 0) client.send("x");
    EXPECT_EQ(client.read()->status, 408);
}

TEST_F(Framing, LongBodiesComeInChunks) {
    start();
    Client client{server_->address()};
    for (int i = 0; i < 2; ++i) {  // the connection is kept
        const auto response = client.ask("GET", "/pieces");
        ASSERT_TRUE(response);
        EXPECT_EQ(response->headers.find("Transfer-Encoding"), "chunked");
        EXPECT_FALSE(response->headers.find("Content-Length"));
        EXPECT_EQ(response->body, "0;1;2;3;");
    }
    EXPECT_EQ(client.ask("HEAD", "/pieces")->headers.find("Transfer-Encoding"), "chunked");
    EXPECT_EQ(client.ask("GET", "/after")->body, "/after");
}

TEST_F(Framing, OlderClientsGetLongBodiesUntilTheConnectionEnds) {
    start();
    Client client{server_->address()};
    client.send("GET /pieces HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto text = client.readToEnd();
    EXPECT_TRUE(text.ends_with("\r\n\r\n0;1;2;3;")) << text;
    EXPECT_EQ(text.find("Transfer-Encoding"), text.npos);
    EXPECT_NE(text.find("Connection: close"), text.npos);
}

TEST_F(Framing, ABodyThatCannotBeGoneOnWithIsSeenAsBroken) {
    start();
    Client client{server_->address()};
    EXPECT_FALSE(client.ask("GET", "/broken")) << "no last chunk";
}

TEST_F(Framing, PiecesWaitForTheClient) {
    Limits limits;
    limits.write = 100ms;
    start(limits);
    Client client{server_->address()};
    client.send("GET /endless HTTP/1.1\r\n\r\n");
    std::promise<void> gone;
    const std::function<void()> poll = [&] { asked_ > 0 && server_->connections() == 0 ? gone.set_value() : onLoop(poll); };
    onLoop(poll);
    EXPECT_EQ(gone.get_future().wait_for(10s), std::future_status::ready);
    EXPECT_LT(asked_, 64) << "only what the kernel took, and one piece ahead";
}

}  // namespace
}  // namespace midonet::http
