#pragma once

#include <fmt/format.h>

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace midonet {

/// A 128-bit identifier (RFC 4122). Text is the lower-case canonical form of 36 characters; the 16
/// bytes are in the order of the text.
class Uuid {
public:
    constexpr Uuid() = default;
    constexpr Uuid(std::uint64_t high, std::uint64_t low) : high_(high), low_(low) {}

    /// Accepts upper and lower case; refuses anything but the canonical form.
    static Result<Uuid> parse(std::string_view text);
    static Result<Uuid> fromBytes(std::string_view bytes);
    /// Version 4, from the kernel's random source.
    static Uuid random();

    constexpr bool isNil() const { return high_ == 0 && low_ == 0; }
    constexpr std::uint64_t high() const { return high_; }
    constexpr std::uint64_t low() const { return low_; }
    std::string toString() const;
    std::string toBytes() const;

    friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;

private:
    std::uint64_t high_ = 0;
    std::uint64_t low_ = 0;
};

}  // namespace midonet

template <>
struct std::hash<midonet::Uuid> {
    std::size_t operator()(const midonet::Uuid& id) const noexcept {
        return midonet::combineHash(id.high(), id.low());
    }
};

template <>
struct fmt::formatter<midonet::Uuid> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(const midonet::Uuid& id, Context& context) const {
        return fmt::formatter<std::string_view>::format(id.toString(), context);
    }
};
