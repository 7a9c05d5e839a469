#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace midonet {

using Sha256 = std::array<std::uint8_t, 32>;

/// The digest of FIPS 180-4. For names and fingerprints: short texts.
Sha256 sha256(std::string_view text);
std::string hexOf(const Sha256& digest);

}  // namespace midonet
