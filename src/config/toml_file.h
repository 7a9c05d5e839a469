#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace midonet::config {

/// One leaf of a TOML text, or of another one that says the same.
struct FileValue {
    enum class Type : std::uint8_t { String, Integer, Boolean, Other };
    std::string key;  ///< Dotted.
    Type type = Type::Other;
    std::string text;
    unsigned line = 0;
};

/// The leaves of a TOML text, in no particular order. Errors: "NAME:LINE:COLUMN: what".
Result<std::vector<FileValue>> parseToml(std::string_view text, std::string_view name);
/// NotFound when there is no such file.
Result<std::string> readFile(const std::string& path);
/// A text in quotes, as TOML and JSON write it.
std::string quoted(std::string_view text);

}  // namespace midonet::config
