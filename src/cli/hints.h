#pragma once

#include <set>
#include <string>
#include <string_view>

namespace midonet::cli {

/// The known word that `word` is probably meant to be: at most two letters differ, and not most of them. Empty: none.
std::string nearest(std::string_view word, const std::set<std::string>& known);

/// What to say about a line that could not be read: "did you mean 'bridge'?", or what may stand there. Empty: nothing.
/// `word` is what stands there; empty behind the end of the line.
std::string hint(std::string_view word, const std::set<std::string>& expected);

}  // namespace midonet::cli
