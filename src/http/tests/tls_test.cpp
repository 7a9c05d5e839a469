// https, from both ends.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <future>
#include <thread>

#include "http/client.h"
#include "http/server.h"
#include "http/testing/certificate.h"
#include "http/testing/client.h"

namespace midonet::http {
namespace {

using namespace std::chrono_literals;
using testing::makeCertificate;

/// A server that echoes, on a thread of its own; its certificate is `server.pem` of the folder.
class TlsTest : public ::testing::Test {
protected:
    void SetUp() override { makeCertificate(folder_); }
    ~TlsTest() override {
        loop_->stop();
        if (thread_.joinable()) thread_.join();
        server_.reset();
    }

    Result<void> tryStart(std::string listen = "127.0.0.1:0") {
        ServerOptions options;
        options.listen = std::move(listen);
        options.limits = limits_;
        options.tls = TlsFiles{folder_.file("server.pem"), folder_.file("server.key")};
        TRY(server, Server::listen({loop_.get()}, options, [](const RequestPtr& request, const Responder& answer) {
                answer(Response::text(200, "text/plain", request->secure ? "secure " + request->body : "plain"));
            }));
        server_ = std::move(server);
        thread_ = std::thread([this] { loop_->run(); });
        return {};
    }
    void start() {
        const auto started = tryStart();
        ASSERT_TRUE(started) << started.error().message;
    }

    Result<Response> ask(Client& client, std::string body = {}, std::string_view host = "127.0.0.1") const {
        return client.send(request(std::move(body), host));
    }
    Request request(std::string body, std::string_view host = "127.0.0.1") const {
        const auto& address = server_->address();
        Request request;
        request.method = Method::Post;
        request.target = fmt::format("https://{}{}/", host, address.substr(address.rfind(':')));
        request.body = std::move(body);
        return request;
    }
    ClientOptions believing(std::string_view certificate) const { return {.timeout = 10s, .trust = {.authorities = folder_.file(certificate)}}; }
    Result<void> renew() {
        std::promise<Result<void>> done;
        loop_->post([&] { done.set_value(server_->renewTls()); });
        return done.get_future().get();
    }

    testing::Folder folder_;
    Limits limits_;
    std::unique_ptr<event::Loop> loop_ = event::Loop::create("http");
    std::unique_ptr<Server> server_;
    std::thread thread_;
};

TEST_F(TlsTest, TakesAndGivesWhatPlainHttpDoes) {
    limits_.bodyBytes = 8 << 20;
    start();
    Client client{believing("server.pem")};
    for (const std::size_t size : {0U, 1U, 100'000U, 5'000'000U, 3U}) {
        const std::string body(size, 'x');
        const auto response = ask(client, body);
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->body, "secure " + body);
    }
    EXPECT_EQ(ask(client, "", "localhost")->status, 200);
}

TEST_F(TlsTest, AnswersMayBeReadAsTheyCome) {
    limits_.bodyBytes = 8 << 20;
    start();
    Client client(believing("server.pem"));
    const std::string body(1 << 20, 'x');
    const auto head = client.open(request(body));
    ASSERT_TRUE(head) << head.error().message;
    std::string all;
    while (true) {
        const auto piece = client.more(10s);
        ASSERT_TRUE(piece) << piece.error().message;
        if (!*piece) break;
        all += **piece;
    }
    EXPECT_EQ(all, "secure " + body);
}

TEST_F(TlsTest, OnlyServersThatAreVouchedForAreBelieved) {
    makeCertificate(folder_, "other");
    makeCertificate(folder_, "elsewhere", "DNS:elsewhere");
    start();
    Client knowsOther{believing("other.pem")};
    const auto unknown = ask(knowsOther);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::PermissionDenied) << unknown.error().message;
    Client knowsSystem{{.timeout = 10s}};
    EXPECT_EQ(ask(knowsSystem).error().code, ErrorCode::PermissionDenied);
    Client trusting{{.timeout = 10s, .trust = {.anybody = true}}};
    EXPECT_TRUE(ask(trusting));
    Client withoutFile{believing("missing.pem")};
    EXPECT_EQ(ask(withoutFile).error().code, ErrorCode::Invalid);
}

TEST_F(TlsTest, ACertificateOfAnotherNameIsNotBelieved) {
    makeCertificate(folder_, "server", "DNS:elsewhere");
    start();
    Client client{believing("server.pem")};
    for (const auto* host : {"127.0.0.1", "localhost"}) {
        const auto response = ask(client, {}, host);
        ASSERT_FALSE(response) << host;
        EXPECT_EQ(response.error().code, ErrorCode::PermissionDenied) << response.error().message;
    }
}

TEST_F(TlsTest, PlainHttpIsNoTls) {
    start();
    testing::Client plain{server_->address()};
    plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_FALSE(plain.read());
}

TEST_F(TlsTest, AHandshakeThatDoesNotComeIsCutOff) {
    limits_.header = 50ms;
    start();
    testing::Client silent{server_->address()};
    EXPECT_TRUE(silent.atEnd());
    testing::Client slow{server_->address()};
    slow.send(std::string_view{"\x16\x03\x01\x02\x00\x01", 6});
    EXPECT_FALSE(slow.read());
}

TEST_F(TlsTest, ANewCertificateIsForNewConnections) {
    start();
    Client before{believing("server.pem")};
    ASSERT_TRUE(ask(before));
    makeCertificate(folder_, "old");
    std::filesystem::copy_file(folder_.file("server.pem"), folder_.file("old.pem"), std::filesystem::copy_options::overwrite_existing);
    makeCertificate(folder_);
    ASSERT_TRUE(renew());
    Client after{believing("server.pem")};
    EXPECT_TRUE(ask(after));
    Client outdated{believing("old.pem")};
    EXPECT_FALSE(ask(outdated));
    EXPECT_TRUE(ask(before)) << "its connection is still there";
}

TEST_F(TlsTest, AMistakeInTheFilesChangesNothing) {
    start();
    std::ofstream(folder_.file("server.key")) << "nonsense";
    const auto renewed = renew();
    ASSERT_FALSE(renewed);
    EXPECT_NE(renewed.error().message.find("server.key"), std::string::npos) << renewed.error().message;
    Client client{believing("server.pem")};
    EXPECT_TRUE(ask(client));
}

TEST_F(TlsTest, FilesThatCannotServeKeepTheServerFromStarting) {
    makeCertificate(folder_, "other");
    std::filesystem::rename(folder_.file("other.key"), folder_.file("server.key"));
    EXPECT_FALSE(tryStart()) << "the key of another certificate";
    std::filesystem::remove(folder_.file("server.key"));
    EXPECT_FALSE(tryStart());
    std::filesystem::remove(folder_.file("server.pem"));
    const auto started = tryStart();
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().message.find("server.pem"), std::string::npos) << started.error().message;
}

TEST_F(TlsTest, DrainsConnectionsThatWait) {
    start();
    Client client{believing("server.pem")};
    ASSERT_TRUE(ask(client));
    std::promise<void> drained;
    loop_->post([&] { server_->drain([&] { drained.set_value(); }); });
    drained.get_future().wait();
    EXPECT_FALSE(ask(client));
}

}  // namespace
}  // namespace midonet::http
