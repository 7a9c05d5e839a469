#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace midonet::cli {

/// The words of a line by the rules of the POSIX shell: blanks separate, '...' is literal, in "..." a backslash
/// escapes `"` and itself, elsewhere whatever follows. No comments, no expansions. nullopt: a quote without its partner.
std::optional<std::vector<std::string>> tokenise(std::string_view line);

/// A line that is still being typed.
struct Typed {
    std::vector<std::string> words;  ///< Those that are complete.
    std::string prefix;              ///< What there is of the last; empty behind a blank.
};
/// An open quote counts as closed at the end.
Typed tokeniseTyped(std::string_view line);

/// Words, each followed by the next with one blank between.
std::string join(const std::vector<std::string>& words, std::size_t first = 0);

}  // namespace midonet::cli
