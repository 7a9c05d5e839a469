#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace midonet::rest {

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kErrorType = "application/vnd.org.midonet.Error-v1+json";

/// "application/vnd.org.midonet.Bridge-v4+json"
std::string itemType(std::string_view name, std::uint32_t version);
/// "application/vnd.org.midonet.collection.Bridge-v4+json"
std::string collectionType(std::string_view name, std::uint32_t version);

/// The Content-Type of the answer: the type of `accept` that is offered, the best by weight, then by
/// order; application/json for wildcards and for no Accept at all; nullopt when nothing fits (406).
std::optional<std::string> negotiate(std::optional<std::string_view> accept, const std::vector<std::string>& offered);
/// True when a body of this Content-Type is read; none given counts as JSON.
bool understands(std::optional<std::string_view> contentType, const std::vector<std::string>& consumed);

}  // namespace midonet::rest
