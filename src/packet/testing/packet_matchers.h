#pragma once

#include <string>
#include <utility>

#include <gmock/gmock.h>

#include "packet/builder.h"
#include "packet/describe.h"

/// For tests only: needs gmock, so it is no header of the library.
namespace midonet::packet::testing {

/// `EXPECT_THAT(frame, EqualsPacket(eth(a, b) / ipv4(x, y) / udp(1, 2) / "hi"));`
/// The value tested is a range of bytes (Frame, ByteView). A mismatch prints decoded headers.
class EqualsPacketMatcher {
public:
    using is_gtest_matcher = void;
    explicit EqualsPacketMatcher(Frame expected) : expected_(std::move(expected)) {}

    bool MatchAndExplain(ByteView actual, ::testing::MatchResultListener* listener) const {
        const std::string difference = describeDifference(expected_, actual);
        if (difference.empty()) return true;
        *listener << "\n" << difference;
        return false;
    }
    void DescribeTo(std::ostream* out) const { *out << "is the packet\n" << describe(expected_); }
    void DescribeNegationTo(std::ostream* out) const {
        *out << "is not the packet\n" << describe(expected_);
    }

private:
    Frame expected_;
};

inline EqualsPacketMatcher EqualsPacket(const Packet& expected) {
    return EqualsPacketMatcher{expected.toBytes()};
}
inline EqualsPacketMatcher EqualsPacket(Frame expected) {
    return EqualsPacketMatcher{std::move(expected)};
}

}  // namespace midonet::packet::testing
