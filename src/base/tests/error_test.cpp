#include <memory>

#include <gtest/gtest.h>

#include "base/result.h"

namespace midonet {
namespace {

Result<int> half(int v) {
    if (v % 2) return fail(ErrorCode::Invalid, "{} is odd", v);
    return v / 2;
}

Result<int> quarter(int v) {
    TRY(once, half(v));
    TRY(twice, half(once));
    return twice;
}

Result<void> check(int v) {
    TRY_VOID(half(v));
    return {};
}

Result<std::unique_ptr<int>> boxed(int v) {
    TRY(box, [&]() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(v); }());
    return box;
}

TEST(Result, TryHandsOnTheValueOrTheError) {
    EXPECT_EQ(quarter(8).value(), 2);
    const auto failed = quarter(6);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error(), (Error{ErrorCode::Invalid, "3 is odd"}));
    EXPECT_TRUE(check(2));
    EXPECT_FALSE(check(3));
}

TEST(Result, TryMovesWhatCannotBeCopied) { EXPECT_EQ(*boxed(5).value(), 5); }

TEST(Error, ContextGoesBeforeTheMessageAndKeepsTheCode) {
    const Error error{ErrorCode::Exhausted, "disk is full"};
    EXPECT_EQ(error.withContext("commit"), (Error{ErrorCode::Exhausted, "commit: disk is full"}));
}

TEST(Error, EveryCodeHasAName) {
    for (int i = 0; i <= static_cast<int>(ErrorCode::Internal); ++i)
        EXPECT_FALSE(toString(static_cast<ErrorCode>(i)).empty());
    EXPECT_EQ(toString(ErrorCode::PermissionDenied), "permission denied");
}

}  // namespace
}  // namespace midonet
