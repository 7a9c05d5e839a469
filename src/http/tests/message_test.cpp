#include "http/message.h"

#include <gtest/gtest.h>

namespace midonet::http {
namespace {

TEST(Headers, LookUpIgnoresCaseAndSpellingIsKept) {
    Headers headers;
    headers.add("Location", "http://a/b");
    EXPECT_EQ(headers.find("location"), "http://a/b");
    EXPECT_EQ(headers.fields().front().name, "Location");
    headers.set("LOCATION", "c");
    EXPECT_EQ(headers.fields().size(), 1U);
    EXPECT_FALSE(headers.find("Accept"));
}

TEST(PercentEncoding, RoundTripsEveryByte) {
    std::string all;
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
    const auto encoded = percentEncode(all);
    EXPECT_EQ(encoded.find_first_of("/ ?#\n"), std::string::npos);
    EXPECT_EQ(percentDecode(encoded), all);
}

TEST(PercentEncoding, RefusesCutAndWrongEscapes) {
    EXPECT_FALSE(percentDecode("a%"));
    EXPECT_FALSE(percentDecode("a%4"));
    EXPECT_FALSE(percentDecode("a%4g"));
    EXPECT_EQ(percentDecode("a+b"), "a+b");
    EXPECT_EQ(percentDecode("a+b", true), "a b");
}

TEST(Request, SplitsPathAndQuery) {
    Request request;
    request.target = "/bridges/?x=1&tenant_id=a%26b+c&tenant_id=second&flag&bad=%4";
    EXPECT_EQ(request.path(), "/bridges/");
    EXPECT_EQ(request.query("tenant_id"), "a&b c");
    EXPECT_EQ(request.query("flag"), "");
    EXPECT_FALSE(request.query("bad"));
    EXPECT_FALSE(request.query("y"));
    request.target = "/bridges";
    EXPECT_FALSE(request.query("x"));
}

TEST(Method, TextForms) {
    for (const auto m : {Method::Get, Method::Head, Method::Post, Method::Put, Method::Delete, Method::Options})
        EXPECT_EQ(parseMethod(toString(m)), m);
    EXPECT_EQ(parseMethod("get"), Method::Other);
    EXPECT_EQ(parseMethod("BREW"), Method::Other);
}

}  // namespace
}  // namespace midonet::http
