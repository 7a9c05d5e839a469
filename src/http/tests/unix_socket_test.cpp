#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <future>
#include <thread>

#include "http/client.h"
#include "http/server.h"
#include "http/testing/certificate.h"
#include "http/testing/client.h"

namespace midonet::http {
namespace {

using testing::Client;

Request localRequest() {
    Request request;
    request.target = "http://localhost/status";
    return request;
}

/// Servers that say who asks, on one thread.
class UnixSocket : public ::testing::Test {
protected:
    ~UnixSocket() override {
        loop_->stop();
        if (thread_.joinable()) thread_.join();
        server_.reset();
    }
    Result<std::unique_ptr<Server>> listen(const std::string& where, unsigned mode = 0660) {
        ServerOptions options;
        options.listen = where;
        options.socketMode = mode;
        return Server::listen({loop_.get()}, options, [](const RequestPtr& request, const Responder& answer) {
            answer(Response::text(200, "text/plain", request->peer));
        });
    }
    void start(const std::string& where, unsigned mode = 0660) {
        auto server = listen(where, mode);
        ASSERT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
        thread_ = std::thread([this] { loop_->run(); });
    }

    testing::Folder folder_;
    std::string path_ = folder_.file("api.sock");
    std::string address_ = "unix:" + path_;
    std::unique_ptr<event::Loop> loop_ = event::Loop::create("http");
    std::unique_ptr<Server> server_;
    std::thread thread_;
};

TEST_F(UnixSocket, IsServedBesideOtherAddresses) {
    start(address_ + ",127.0.0.1:0,[::1]:0");
    ASSERT_EQ(server_->addresses().size(), 3U);
    EXPECT_EQ(server_->addresses()[0], address_);
    EXPECT_EQ(Client{address_}.ask("GET", "/")->body, fmt::format("unix:uid={}", ::getuid()));
    EXPECT_TRUE(Client{server_->addresses()[1]}.ask("GET", "/")->body.starts_with("127.0.0.1:"));
}

TEST_F(UnixSocket, HasThePermissionsAskedFor) {
    start(address_, 0600);
    struct stat found {};
    ASSERT_EQ(::stat(path_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600U);
}

TEST_F(UnixSocket, GoesWithTheServer) {
    start(address_);
    Client client{address_};
    ASSERT_TRUE(client.ask("GET", "/"));
    std::promise<void> drained;
    loop_->post([&] { server_->drain([&] { drained.set_value(); }); });
    drained.get_future().wait();
    EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocket, OneThatAKilledServerLeftIsTaken) {
    {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        path_.copy(name.sun_path, sizeof name.sun_path - 1);
        const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
        ASSERT_EQ(::bind(left, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
        ::close(left);
    }
    start(address_);
    EXPECT_TRUE(Client{address_}.ask("GET", "/"));
}

TEST_F(UnixSocket, OneThatIsServedAndWhatIsNoneStay) {
    start(address_);
    const auto second = listen(address_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists) << second.error().message;
    EXPECT_TRUE(Client{address_}.ask("GET", "/"));
    std::ofstream(folder_.file("file")) << "mine";
    EXPECT_FALSE(listen("unix:" + folder_.file("file")));
    EXPECT_TRUE(std::filesystem::exists(folder_.file("file")));
    for (const auto& wrong : {std::string{"unix:"}, std::string{"unix:here"}, "unix:/" + std::string(200, 'x'), "unix:" + folder_.file("none/s")})
        EXPECT_FALSE(listen(wrong)) << wrong;
}

TEST_F(UnixSocket, IsAskedByClientsWhateverHostTheyName) {
    start(address_);
    http::Client client{{.socketPath = path_}};
    const auto response = client.send(localRequest());
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, fmt::format("unix:uid={}", ::getuid()));
}

TEST_F(UnixSocket, ClientsSayWhyTheyGetNoAnswer) {
    http::Client nobody{{.socketPath = path_}};
    const auto missing = nobody.send(localRequest());
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::Unavailable);
    EXPECT_NE(missing.error().message.find(path_), std::string::npos) << missing.error().message;
    http::Client tooLong{{.socketPath = std::string(200, 'x')}};
    EXPECT_EQ(tooLong.send(localRequest()).error().code, ErrorCode::Malformed);
}

}  // namespace
}  // namespace midonet::http
