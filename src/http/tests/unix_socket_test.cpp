#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "http/client.h"
#include "http/server.h"

namespace midonet::http {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class UnixSocketTest : public ::testing::Test {
protected:
    UnixSocketTest() {
        char folder[] = "/tmp/midonet-http-XXXXXX";
        folder_ = ::mkdtemp(folder);
        path_ = folder_ + "/below/agent.sock";
    }
    ~UnixSocketTest() override { std::filesystem::remove_all(folder_); }

    Result<std::unique_ptr<Server>> listen(event::Loop& loop) const {
        ServerOptions options;
        options.listen = "unix:" + path_;
        return Server::listen({&loop}, options, [](const RequestPtr& request, const Responder& answer) {
            answer(Response::text(200, "text/plain", fmt::format("{} of {}", request->target, request->peer)));
        });
    }
    /// What the server answers to one request.
    Result<Response> ask() const {
        const auto loop = event::Loop::create("http");
        auto server = listen(*loop);
        if (!server) return Unexpected{server.error()};
        std::thread thread([&] { loop->run(); });
        Client client{path_, 10s};
        auto response = client.send({.target = "http://localhost/status"});
        loop->stop();
        thread.join();
        return response;
    }

    std::string folder_;
    std::string path_;
};

TEST_F(UnixSocketTest, ServesItsOwnerAlone) {
    const auto response = ask();
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "/status of local");
    const auto loop = event::Loop::create("http");
    const auto server = listen(*loop);
    ASSERT_TRUE(server) << server.error().message;
    struct stat found {};
    ASSERT_EQ(::stat(path_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(UnixSocketTest, LeavesNothingBehindAndTakesWhatAKilledOneLeft) {
    ASSERT_TRUE(ask());
    EXPECT_FALSE(std::filesystem::exists(path_));
    const auto loop = event::Loop::create("http");
    {
        const auto killed = listen(*loop);
        ASSERT_TRUE(killed);
        std::filesystem::rename(path_, path_ + ".kept");
    }
    std::filesystem::rename(path_ + ".kept", path_);
    const auto next = listen(*loop);
    EXPECT_TRUE(next) << next.error().message;
}

TEST_F(UnixSocketTest, ASecondServerAndAFileInTheWayAreNamed) {
    const auto loop = event::Loop::create("http");
    auto first = listen(*loop);
    ASSERT_TRUE(first);
    const auto second = listen(*loop);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::AlreadyExists);
    EXPECT_THAT(second.error().message, HasSubstr(path_));
    first->reset();
    std::ofstream{path_} << "not a socket";
    const auto blocked = listen(*loop);
    ASSERT_FALSE(blocked);
    EXPECT_THAT(blocked.error().message, HasSubstr("a file is there"));
    EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, ClientsSayWhyTheyGetNoAnswer) {
    Client nobody{path_, 1s};
    const auto missing = nobody.send({.target = "http://localhost/"});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::Unavailable);
    EXPECT_THAT(missing.error().message, HasSubstr(path_));
    Client tooLong{std::string(200, 'x'), 1s};
    EXPECT_EQ(tooLong.send({.target = "http://localhost/"}).error().code, ErrorCode::Malformed);
}

}  // namespace
}  // namespace midonet::http
