#include <set>

#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

using namespace std::chrono_literals;

/// A connection that reads /changes.
class Follower {
public:
    Follower(const std::string& address, const std::string& query) : client_(address) {
        client_.send("GET /midonet-api/changes" + query + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        const auto head = client_.read(true);
        EXPECT_TRUE(head);
        if (head) status_ = head->status;
    }
    int status() const { return status_; }
    /// The next line; null when the answer has ended.
    json::value next() {
        while (text_.find('\n') == text_.npos) {
            const auto chunk = client_.readChunk();
            if (!chunk || chunk->empty()) return nullptr;
            text_ += *chunk;
        }
        const auto line = text_.substr(0, text_.find('\n'));
        text_.erase(0, line.size() + 1);
        return json::parse(line);
    }

private:
    http::testing::Client client_;
    std::string text_;
    int status_ = 0;
};

/// "created Bridge <id>" of each change.
std::set<std::string> changesOf(const json::value& line) {
    std::set<std::string> out;
    for (const auto& change : line.at("changes").as_array())
        out.insert(text(change, "change") + ' ' + text(change, "type") + ' ' + text(change, "id"));
    return out;
}
std::uint64_t revisionOf(const json::value& line) { return line.at("revision").to_number<std::uint64_t>(); }

using Words = std::set<std::string>;

class ChangesApi : public ApiTest {
protected:
    std::vector<json::value> poll(const std::string& query) {
        const auto response = get("/changes?wait=false" + query);
        EXPECT_EQ(response.status, 200) << response.body;
        EXPECT_EQ(response.headers.find("Content-Type"), "application/x-ndjson");
        std::vector<json::value> out;
        for (std::string_view rest = response.body; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1))
            out.push_back(json::parse(std::string{rest.substr(0, rest.find('\n'))}));
        return out;
    }
    std::string now() { return std::to_string(revisionOf(poll("").at(0))); }
    Follower follow(const std::string& query = "") { return Follower(server_->address(), query); }
    void restart(const ChangeFeedOptions& options) {
        stopServer();
        ApiOptions all;
        all.changes = options;
        startServer(all);
    }
};

TEST_F(ChangesApi, PollsGoOnWhereTheLastLineSays) {
    const auto begin = poll("");
    ASSERT_EQ(begin.size(), 1U);
    EXPECT_TRUE(begin[0].at("changes").as_array().empty());
    const auto bridge = createBridge();
    const auto port = createPort(bridge);
    const auto lines = poll("&since=" + std::to_string(revisionOf(begin[0])));
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_TRUE(changesOf(lines[0]).contains("created Bridge " + bridge));
    EXPECT_TRUE(changesOf(lines[1]).contains("created Port " + port));
    EXPECT_GT(revisionOf(lines[1]), revisionOf(lines[0]));
    const auto rest = poll("&since=" + std::to_string(revisionOf(lines[0])));
    ASSERT_EQ(rest.size(), 1U);
    EXPECT_EQ(rest[0], lines[1]);
    const auto none = poll("&since=" + std::to_string(revisionOf(lines[1])));
    EXPECT_TRUE(none.empty() || none.at(0).at("changes").as_array().empty());
}

TEST_F(ChangesApi, TypesAreChosen) {
    const auto begin = now();
    const auto bridge = createBridge();
    const auto port = createPort(bridge);
    del("/ports/" + port);
    const auto lines = poll("&types=Port,Chain&since=" + begin);
    ASSERT_GE(lines.size(), 2U);
    EXPECT_EQ(changesOf(lines[0]), Words{"created Port " + port});
    EXPECT_EQ(changesOf(lines[1]), Words{"deleted Port " + port});
    put("/bridges/" + bridge, R"({"name":"other"})");
    const auto none = poll("&types=Port&since=" + std::to_string(revisionOf(lines.back())));
    ASSERT_EQ(none.size(), 1U) << "how far that was";
    EXPECT_TRUE(none[0].at("changes").as_array().empty());
    EXPECT_GT(revisionOf(none[0]), revisionOf(lines.back()));
}

TEST_F(ChangesApi, LongAnswersComeInPieces) {
    const auto begin = now();
    for (int i = 0; i < 700; ++i)
        ASSERT_TRUE(store_->transact([&](nsdb::Transaction& t) {
            model::Chain chain;
            model::setId(chain, Uuid::random());
            return t.create(chain);
        }));
    EXPECT_EQ(poll("&since=" + begin).size(), 700U);
}

TEST_F(ChangesApi, AFollowerHearsOfChangesAsTheyHappen) {
    auto follower = follow();
    const auto first = follower.next();
    EXPECT_TRUE(first.at("changes").as_array().empty());
    std::uint64_t last = revisionOf(first);
    for (int i = 0; i < 20; ++i) {
        const auto bridge = createBridge();
        const auto line = follower.next();
        EXPECT_TRUE(changesOf(line).contains("created Bridge " + bridge));
        EXPECT_GT(revisionOf(line), last);
        last = revisionOf(line);
    }
}

TEST_F(ChangesApi, AFollowerGoesOnWhereItWas) {
    const auto begin = now();
    const auto bridge = createBridge();
    auto follower = follow("?types=Bridge&since=" + begin);
    const auto line = follower.next();
    EXPECT_EQ(changesOf(line), Words{"created Bridge " + bridge});
    createChain();  // not asked for
    del("/bridges/" + bridge);
    EXPECT_EQ(changesOf(follower.next()), Words{"deleted Bridge " + bridge});
    auto again = follow("?types=Bridge&since=" + std::to_string(revisionOf(line)));
    EXPECT_EQ(changesOf(again.next()), Words{"deleted Bridge " + bridge});
}

TEST_F(ChangesApi, SilenceIsBrokenByAHeartbeat) {
    restart({.heartbeat = 100ms});
    auto follower = follow();
    const auto first = revisionOf(follower.next());
    const auto session = addHost();  // while it waits
    EXPECT_EQ(changesOf(follower.next()), Words{"created Host " + session});
    for (int i = 0; i < 3; ++i) {
        const auto line = follower.next();
        EXPECT_TRUE(line.at("changes").as_array().empty());
        EXPECT_GT(revisionOf(line), first);
    }
}

TEST_F(ChangesApi, WhatIsForgottenIsGone) {
    stopServer();
    store_ = nsdb::openMemory(nsdb::makeSharedMemory(4));
    startServer();
    const auto begin = now();
    for (int i = 0; i < 6; ++i) createChain();
    for (const auto* wait : {"true", "false"}) {
        const auto response = get("/changes?since=" + begin + "&wait=" + wait);
        EXPECT_EQ(response.status, 410);
        EXPECT_NE(text(parsed(response), "message").find("read everything anew"), std::string::npos) << response.body;
    }
    EXPECT_EQ(get("/changes?wait=false&since=999999999").status, 410) << "of another store";
}

TEST_F(ChangesApi, WhatIsNoQuestionIsRefused) {
    for (const auto* query : {"since=x", "since=-1", "since=", "since=1x", "types=Nothing", "types=", "types=Port,", "wait=perhaps",
                              "since=99999999999999999999"})
        EXPECT_EQ(get(std::string{"/changes?wait=false&"} + query).status == 400 ||
                      get(std::string{"/changes?"} + query).status == 400, true) << query;
    EXPECT_EQ(ask("HEAD", "/changes").status, 200);
    EXPECT_EQ(status("POST", "/changes"), 405);
}

TEST_F(ChangesApi, FollowersAreCounted) {
    restart({.readers = 2});
    auto first = follow();
    {
        auto second = follow();
        EXPECT_EQ(second.status(), 200);
        EXPECT_EQ(follow().status(), 503);
        EXPECT_EQ(get("/changes?wait=false").status, 200) << "who does not wait";
    }
    // The server learns of an end when it looks, once a second.
    bool free = false;
    for (const auto deadline = std::chrono::steady_clock::now() + 10s; !free && std::chrono::steady_clock::now() < deadline;)
        free = follow().status() == 200;
    EXPECT_TRUE(free);
    createChain();
    EXPECT_TRUE(first.next().at("changes").as_array().empty());
    EXPECT_EQ(first.next().at("changes").as_array().size(), 1U);
}

TEST_F(ChangesApi, FollowersAreInTheMetrics) {
    restart({.readers = 1});
    const auto figure = [this](const std::string& name) { return registry_.value("midonet_rest_change_" + name).value_or(-1); };
    EXPECT_EQ(figure("readers"), 0);
    {
        auto follower = follow();
        follower.next();
        EXPECT_EQ(figure("readers"), 1);
        EXPECT_EQ(follow().status(), 503);
        createChain();
        follower.next();
        EXPECT_EQ(figure("lines_total"), 2) << "the one to begin with counts, too";
        EXPECT_EQ(figure("readers_refused_total"), 1);
    }
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (figure("readers") != 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_EQ(figure("readers"), 0);
    EXPECT_EQ(figure("readers_unread_total"), 0) << "it went by itself";
}

TEST_F(ChangesApi, FollowersThatDoNotReadAreCounted) {
    stopServer();
    ApiOptions options;
    options.limits.write = 50ms;
    startServer(options);
    const auto figure = [this] { return registry_.value("midonet_rest_change_readers_unread_total").value_or(-1); };
    http::testing::Client silent(server_->address());
    silent.send("GET /midonet-api/changes?since=0 HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    for (int i = 0; figure() == 0 && std::chrono::steady_clock::now() < deadline; ++i)
        ASSERT_TRUE(store_->transact([&](nsdb::Transaction& t) -> Result<void> {
            for (int n = 0; n < 1000; ++n) {
                model::Chain chain;
                model::setId(chain, Uuid::random());
                TRY_VOID(t.create(chain));
            }
            return {};
        }));
    EXPECT_EQ(figure(), 1);
}

TEST_F(ChangesApi, TheStoreIsWatchedWhileThereAreFollowers) {
    restart({.heartbeat = 100ms});
    {
        auto follower = follow();
        follower.next();
        createChain();
        follower.next();
        EXPECT_EQ(store_->watchCount(), 1U);
    }
    bool idle = false;
    for (const auto deadline = std::chrono::steady_clock::now() + 10s; !idle && std::chrono::steady_clock::now() < deadline;)
        onLoop([&] { idle = store_->watchCount() == 0; });
    EXPECT_TRUE(idle);
}

TEST_F(ChangesApi, ManyFollowersHearTheSame) {
    restart({});
    std::vector<std::unique_ptr<Follower>> followers;
    for (int i = 0; i < 50; ++i) followers.push_back(std::make_unique<Follower>(server_->address(), ""));
    for (auto& follower : followers) follower->next();
    std::vector<std::string> chains;
    for (int i = 0; i < 10; ++i) chains.push_back(createChain());
    for (auto& follower : followers)
        for (const auto& chain : chains) EXPECT_EQ(changesOf(follower->next()), Words{"created Chain " + chain});
}

TEST_F(ChangesApi, DrainEndsFollowersInOrder) {
    auto follower = follow();
    follower.next();
    std::promise<void> drained;
    onLoop([&] { server_->drain([&] { drained.set_value(); }); });
    EXPECT_TRUE(follower.next().is_null());
    EXPECT_EQ(drained.get_future().wait_for(5s), std::future_status::ready);
}

TEST_F(ChangesApi, AServerMayEndBeforeItsFollowers) {
    auto follower = follow();
    follower.next();
    stopServer();
}

}  // namespace
}  // namespace midonet::rest::testing
