#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "config/toml_file.h"

namespace midonet::conf {

/// A setting as it is shown.
struct Entry {
    std::string key;
    std::string text;
    bool bare = false;  ///< Without quotes.
    std::string source;
    const config::SettingInfo* info = nullptr;  ///< nullptr: no program of this version declares it.
};

/// The leaves of a text: JSON when it begins with '{', else TOML. Errors name the place.
Result<std::vector<config::FileValue>> parseText(std::string_view text, std::string_view name);

enum class Comments : bool { Without, With };

/// One line `key = value` each, which is TOML, and HOCON too. Comments: what it is for, its kind, and where the value is from.
std::string toToml(const std::vector<Entry>& entries, Comments comments = Comments::Without);
/// One object, nested by the dots of the keys. Comments: beside `key` stand `key_description` and `key_type`.
std::string toJson(const std::vector<Entry>& entries, Comments comments = Comments::Without);

}  // namespace midonet::conf
