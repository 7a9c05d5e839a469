// Many requests, many servers, many objects; the end of a server; a store that is away.
#include <atomic>
#include <set>

#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class Concurrency : public ApiTest {};

TEST_F(Concurrency, TenThousandPortsAreCreatedAndListed) {
    const auto bridge = createBridge();
    constexpr std::size_t kPorts = 10'000;
    constexpr std::size_t kBatch = 200;  // pipelined
    const std::string body = R"({"type":"Bridge"})";
    const std::string request = "POST /midonet-api/bridges/" + bridge + "/ports HTTP/1.1\r\nHost: h\r\nContent-Length: " +
                                std::to_string(body.size()) + "\r\n\r\n" + body;
    for (std::size_t done = 0; done < kPorts; done += kBatch) {
        std::string batch;
        for (std::size_t i = 0; i < kBatch; ++i) batch += request;
        ASSERT_TRUE(client_->send(batch));
        for (std::size_t i = 0; i < kBatch; ++i) {
            const auto response = client_->read();
            ASSERT_TRUE(response);
            ASSERT_EQ(response->status, 201);
        }
    }
    std::set<std::string> keys;
    const auto list = listed("/bridges/" + bridge + "/ports");
    for (const auto& port : list) keys.insert(text(port, "tunnelKey"));
    EXPECT_EQ(keys.size(), kPorts);
    EXPECT_EQ(get("/ports/" + text(list[kPorts / 2], "id")).status, 200);
}

/// Writers on one object through several connections and threads: each sees its own writes, all keys differ,
/// the name is claimed once.
TEST_F(Concurrency, ParallelClientsOnTwoServers) {
    stopServer();
    ApiOptions options;
    options.threads = 2;
    startServer(options);
    const auto secondLoop = event::Loop::create("second");
    options.listen = "127.0.0.1:0";
    metrics::Registry secondRegistry;
    auto second = ApiServer::start(*secondLoop, *store_, secondRegistry, makeMockAuthenticator(), options);
    ASSERT_TRUE(second);
    std::thread secondThread([&] { secondLoop->run(); });

    const auto bridge = createBridge();
    std::atomic<int> zonesMade{0};
    std::atomic<int> wrong{0};
    std::vector<std::thread> clients;
    for (int c = 0; c < 4; ++c)
        clients.emplace_back([&, c] {
            http::testing::Client client{c % 2 == 0 ? server_->address() : (*second)->address()};
            for (int i = 0; i < 25; ++i) {
                const auto zone = client.ask("POST", "/midonet-api/tunnel_zones", R"({"name":"z)" + std::to_string(i) + R"(","type":"gre"})");
                if (zone && zone->status == 201) ++zonesMade;
                if (!zone || (zone->status != 201 && zone->status != 409)) ++wrong;
                const auto port = client.ask("POST", "/midonet-api/bridges/" + bridge + "/ports", R"({"type":"Bridge"})");
                if (!port || port->status != 201) {
                    ++wrong;
                    continue;
                }
                const std::string location{*port->headers.find("Location")};
                const auto read = client.ask("GET", location.substr(location.find('/', 8)));
                if (!read || read->status != 200) ++wrong;
            }
        });
    for (auto& client : clients) client.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(zonesMade, 25);
    std::set<std::string> keys;
    for (const auto& port : listed("/ports")) keys.insert(text(port, "tunnelKey"));
    EXPECT_EQ(keys.size(), 100U);
    secondLoop->stop();
    secondThread.join();
}

TEST_F(Concurrency, DrainAnswersEveryRequest) {
    const auto bridge = createBridge();
    std::atomic<int> lost{0};
    std::atomic<int> made{0};
    std::vector<std::thread> clients;
    for (int c = 0; c < 3; ++c)
        clients.emplace_back([&] {
            for (;;) {
                http::testing::Client client{server_->address()};
                if (!client.connected()) return;
                for (;;) {
                    const auto response = client.ask("POST", "/midonet-api/bridges/" + bridge + "/ports", R"({"type":"Bridge"})");
                    if (!response) {
                        ++lost;
                        return;
                    }
                    if (response->status == 201) ++made;
                    if (response->headers.find("Connection")) break;
                }
            }
        });
    while (made < 100) std::this_thread::yield();
    client_.reset();
    std::promise<void> drained;
    loop_->post([&] { server_->drain([&] { drained.set_value(); }); });
    drained.get_future().wait();
    for (auto& client : clients) client.join();
    EXPECT_EQ(lost, 0);
    const auto view = store_->view();
    EXPECT_EQ((*view)->list<model::Port>()->size(), static_cast<std::size_t>(made)) << "what was answered is stored, and nothing else";
}

/// Without drain: what waits on the pool still finds all it needs.
TEST_F(Concurrency, MayEndWhileRequestsWait) {
    std::vector<std::unique_ptr<http::testing::Client>> clients;
    const std::string request = "POST /midonet-api/bridges HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}";
    for (int i = 0; i < 64; ++i) {
        clients.push_back(std::make_unique<http::testing::Client>(server_->address()));
        std::string batch;
        for (int n = 0; n < 20; ++n) batch += request;
        ASSERT_TRUE(clients.back()->send(batch));
    }
    ASSERT_TRUE(clients.front()->read());
    stopServer();
    const auto view = store_->view();
    EXPECT_GE((*view)->list<model::Bridge>()->size(), 1U);
}

/// A store that cannot be reached.
class UnreachableStore final : public nsdb::Store {
public:
    bool readsBlock() const override { return true; }
    Result<std::unique_ptr<nsdb::View>> view() override { return error(); }
    Result<nsdb::Revision> transact(const std::function<Result<void>(nsdb::Transaction&)>&) override { return error(); }
    Result<nsdb::ChangesPart> changesSince(std::optional<nsdb::Revision>) override { return error(); }
    event::HandlePtr watchChanges(event::Loop&, event::Callback) override { return nullptr; }
    event::HandlePtr watchObject(event::Loop&, nsdb::Class, const Uuid&, ObjectCallback) override { return nullptr; }
    event::HandlePtr watchReferrers(event::Loop&, nsdb::Class, std::string_view, const Uuid&, IndexCallback) override { return nullptr; }
    event::HandlePtr watchState(event::Loop&, nsdb::Class, const Uuid&, std::string_view, StateCallback) override { return nullptr; }
    event::HandlePtr watchTable(event::Loop&, std::string_view, TableCallback) override { return nullptr; }
    Result<std::vector<nsdb::TableEntry>> readTable(std::string_view) override { return error(); }
    Result<std::vector<std::string>> listTables(std::string_view) override { return error(); }
    std::unique_ptr<nsdb::Session> openSession(event::Loop&, const nsdb::SessionOptions&) override { return nullptr; }
    std::size_t watchCount() const override { return 0; }
    event::HandlePtr elect(nsdb::Session&, std::string_view, std::function<void(bool)>) override { return nullptr; }
    Unexpected error() const { return Unexpected{Error{code, "the store is away"}}; }
    ErrorCode code = ErrorCode::Unavailable;
};

TEST_F(Concurrency, AStoreThatIsAwayGives503AndARetryHint) {
    stopServer();
    auto unreachable = std::make_unique<UnreachableStore>();
    auto& code = unreachable->code;
    store_ = std::move(unreachable);
    startServer();
    for (const auto& response : {get("/bridges"), get("/bridges/" + kNobody), post("/bridges", "{}"), del("/ports/" + kNobody)}) {
        EXPECT_EQ(response.status, 503);
        EXPECT_EQ(response.headers.find("RetryAfter"), "3");
        EXPECT_EQ(response.headers.find("Retry-After"), "3");
        EXPECT_EQ(text(parsed(response), "message"), "the store is away");
    }
    EXPECT_EQ(get("/system_state").status, 200);
    EXPECT_EQ(get("/midonet-api").status, 200);
    for (const auto& [kind, expected] : std::vector<std::pair<ErrorCode, int>>{
             {ErrorCode::Malformed, 400}, {ErrorCode::Invalid, 400}, {ErrorCode::PermissionDenied, 403}, {ErrorCode::NotFound, 404},
             {ErrorCode::AlreadyExists, 409}, {ErrorCode::Conflict, 409}, {ErrorCode::Stale, 409}, {ErrorCode::Exhausted, 503},
             {ErrorCode::Timeout, 503}, {ErrorCode::Internal, 500}}) {
        code = kind;
        EXPECT_EQ(post("/bridges", "{}").status, expected);
    }
}

}  // namespace
}  // namespace midonet::rest::testing
