#include "config/units.h"

#include <gtest/gtest.h>

namespace midonet::config {
namespace {

using namespace std::chrono_literals;

TEST(Units, DurationsAreReadAndWritten) {
    EXPECT_EQ(parseDuration("30s").value(), 30s);
    EXPECT_EQ(parseDuration("250ms").value(), 250ms);
    EXPECT_EQ(parseDuration("2d").value(), 48h);
    EXPECT_EQ(parseDuration("0").value(), 0s);
    for (const auto value : {0ns, 1ns, 1500ns, std::chrono::nanoseconds{90s}, std::chrono::nanoseconds{36h}})
        EXPECT_EQ(parseDuration(formatDuration(value)).value(), value);
    EXPECT_EQ(formatDuration(90s), "90s");
    EXPECT_EQ(formatDuration(120s), "2m");
}

TEST(Units, BadDurationsAreRefused) {
    for (const auto* text : {"", "s", "30", "-1s", "1.5s", "30 s", "30S", "30sec", "99999999999d",
                             "99999999999999999999s"})
        EXPECT_FALSE(parseDuration(text).has_value()) << text;
    EXPECT_NE(parseDuration("30").error().message.find("d, h, m, s, ms, us, ns"), std::string::npos);
}

TEST(Units, SizesAreReadAndWritten) {
    EXPECT_EQ(parseSize("8MiB").value(), 8 * kMiB);
    EXPECT_EQ(parseSize("4096").value(), 4096U);
    EXPECT_EQ(parseSize("1GiB").value(), kGiB);
    EXPECT_EQ(formatSize(4096), "4KiB");
    EXPECT_EQ(formatSize(4097), "4097B");
    EXPECT_FALSE(parseSize("8MB").has_value());
    EXPECT_FALSE(parseSize("").has_value());
    EXPECT_FALSE(parseSize("-1").has_value());
    EXPECT_FALSE(parseSize("99999999999999GiB").has_value());
}

}  // namespace
}  // namespace midonet::config
