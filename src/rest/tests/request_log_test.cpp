#include "rest/request_log.h"

#include "api_fixture.h"
#include "nsdb/memory.h"

namespace midonet::rest::testing {
namespace {

using http::Method;

TEST(RequestLog, EachLevelHasThoseOfTheOneBefore) {
    struct Case {
        Method method;
        int status;
        RequestLogLevel from;
    };
    constexpr std::array kLevels{RequestLogLevel::None, RequestLogLevel::Failures, RequestLogLevel::Writes, RequestLogLevel::All};
    for (const auto& [method, status, from] : {Case{Method::Get, 200, RequestLogLevel::All}, Case{Method::Head, 200, RequestLogLevel::All},
                                               Case{Method::Options, 200, RequestLogLevel::All}, Case{Method::Get, 404, RequestLogLevel::Failures},
                                               Case{Method::Post, 201, RequestLogLevel::Writes}, Case{Method::Delete, 204, RequestLogLevel::Writes},
                                               Case{Method::Put, 503, RequestLogLevel::Failures}})
        for (const auto level : kLevels) {
            const auto logged = status >= 500 ? LogLevel::Warn : LogLevel::Info;
            EXPECT_EQ(severityOf(level, method, status), level >= from ? logged : LogLevel::Debug) << http::toString(method) << status;
        }
}

class RequestLines : public ApiTest {};

TEST_F(RequestLines, SayWhoAskedWhatAndFindTheirAnswer) {
    stopServer();
    startServer({.requestLog = RequestLogLevel::Writes});
    ::testing::internal::CaptureStderr();
    const auto made = post("/bridges", "{}");
    const auto missing = get("/bridges/" + kNobody);
    get("/bridges");
    stopServer();
    const auto lines = ::testing::internal::GetCapturedStderr();
    const auto written = lines.find(fmt::format("id={} method=POST target=/midonet-api/bridges status=201 bytes=0 us=", *made.headers.find("X-Request-Id")));
    ASSERT_NE(written, std::string::npos) << lines;
    EXPECT_NE(lines.find("user=admin@admin client=127.0.0.1:", written), std::string::npos) << lines;
    EXPECT_NE(lines.find(fmt::format("id={} method=GET", *missing.headers.find("X-Request-Id"))), std::string::npos) << lines;
    EXPECT_EQ(lines.find("target=/midonet-api/bridges status=200"), std::string::npos) << lines;
}

TEST_F(RequestLines, OfALongListAllIsCounted) {
    for (int i = 0; i < 600; ++i)
        ASSERT_TRUE(store_->transact([&](nsdb::Transaction& t) {
            model::Chain chain;
            model::setId(chain, Uuid::random());
            return t.create(chain);
        }));
    stopServer();
    startServer({.requestLog = RequestLogLevel::All});
    ::testing::internal::CaptureStderr();
    const auto all = get("/chains");
    get("/chains?limit=1");  // on the same connection: what was before has ended
    stopServer();
    const auto lines = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(all.headers.find("Transfer-Encoding"), "chunked");
    EXPECT_NE(lines.find(fmt::format("target=/midonet-api/chains status=200 bytes={} us=", all.body.size())), std::string::npos) << lines;
}

TEST_F(RequestLines, WhatIsNoRequestHasALineToo) {
    ::testing::internal::CaptureStderr();
    client_->send("nonsense\r\n\r\n");
    EXPECT_EQ(client_->read()->status, 400);
    stopServer();
    const auto lines = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(lines.find("method=- target=- status=400"), std::string::npos) << lines;
}

TEST_F(RequestLines, HealthIsThatOfTheStore) {
    EXPECT_EQ(ask("GET", "/healthz/").body, "ok\n");
    nsdb::setReachable(*store_, false);
    const auto ill = ask("GET", "/healthz");
    EXPECT_EQ(ill.status, 503);
    EXPECT_EQ(ill.headers.find("Retry-After"), "3");
    nsdb::setReachable(*store_, true);
    EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

}  // namespace
}  // namespace midonet::rest::testing
