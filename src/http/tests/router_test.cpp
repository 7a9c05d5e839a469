#include "http/router.h"

#include <gtest/gtest.h>

namespace midonet::http {
namespace {

Router sample() {
    Router router;
    router.add(Method::Get, "/api", 1);
    router.add(Method::Get, "/api/bridges", 2);
    router.add(Method::Post, "/api/bridges", 3);
    router.add(Method::Get, "/api/bridges/{id}", 4);
    router.add(Method::Delete, "/api/bridges/{bridge}", 5);
    router.add(Method::Get, "/api/bridges/{id}/ports/{port}", 6);
    router.add(Method::Get, "/api/bridges/special/ports", 7);
    return router;
}

TEST(Router, FindsLiteralsAndParameters) {
    const auto router = sample();
    const auto match = router.find(Method::Get, "/api/bridges/b1/ports/p%2F1");
    ASSERT_EQ(match.outcome, Router::Outcome::Found);
    EXPECT_EQ(match.route, 6U);
    EXPECT_EQ(match.parameters["id"], "b1");
    EXPECT_EQ(match.parameters["port"], "p/1");
}

TEST(Router, ParameterNamesBelongToTheRoute) {
    const auto match = sample().find(Method::Delete, "/api/bridges/b1");
    ASSERT_EQ(match.route, 5U);
    EXPECT_EQ(match.parameters["bridge"], "b1");
}

TEST(Router, ToleratesTrailingAndDoubledSlashes) {
    const auto router = sample();
    EXPECT_EQ(router.find(Method::Get, "/api/").route, 1U);
    EXPECT_EQ(router.find(Method::Get, "//api//bridges/").route, 2U);
    EXPECT_EQ(router.find(Method::Get, "/api/bridges/b1/").route, 4U);
}

TEST(Router, TellsMissingPathFromMissingMethod) {
    const auto router = sample();
    EXPECT_EQ(router.find(Method::Get, "/api/routers").outcome, Router::Outcome::NoSuchPath);
    EXPECT_EQ(router.find(Method::Get, "/").outcome, Router::Outcome::NoSuchPath);
    EXPECT_EQ(router.find(Method::Get, "/api/bridges/b1/ports").outcome, Router::Outcome::NoSuchPath);
    const auto match = router.find(Method::Put, "/api/bridges");
    EXPECT_EQ(match.outcome, Router::Outcome::NoSuchMethod);
    EXPECT_EQ(match.allow, "GET, HEAD, POST");
}

TEST(Router, GoesBackFromALiteralThatLeadsNowhere) {
    const auto router = sample();
    EXPECT_EQ(router.find(Method::Get, "/api/bridges/special/ports").route, 7U);
    const auto match = router.find(Method::Get, "/api/bridges/special/ports/p1");
    ASSERT_EQ(match.outcome, Router::Outcome::Found);
    EXPECT_EQ(match.parameters["id"], "special");
    EXPECT_EQ(router.find(Method::Get, "/api/bridges/special").route, 4U);
}

TEST(Router, HeadIsServedByGet) {
    EXPECT_EQ(sample().find(Method::Head, "/api/bridges").route, 2U);
}

TEST(Router, RefusesBadEscapesAndEndlessPaths) {
    const auto router = sample();
    EXPECT_EQ(router.find(Method::Get, "/api/bridges/%4").outcome, Router::Outcome::NoSuchPath);
    EXPECT_EQ(router.find(Method::Get, "/api/bridges/%zz").outcome, Router::Outcome::NoSuchPath);
    std::string path = "/api/bridges";
    for (int i = 0; i < 5000; ++i) path += "/x";
    EXPECT_EQ(router.find(Method::Get, path).outcome, Router::Outcome::NoSuchPath);
}

}  // namespace
}  // namespace midonet::http
