#include "cli/hints.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace midonet::cli {
namespace {

constexpr std::size_t kMostNamed = 20;

/// Insertions, deletions and replacements that make one of the other.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t i = 0; i <= b.size(); ++i) row[i] = i;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::set<std::string>& known) {
    std::string best;
    std::size_t least = std::min<std::size_t>(2, (word.size() - std::min<std::size_t>(word.size(), 1)) / 2) + 1;
    for (const auto& candidate : known) {
        const auto away = candidate.starts_with('<') ? least : distance(word, candidate);
        if (away >= least) continue;
        least = away;
        best = candidate;
    }
    return best;
}

std::string hint(std::string_view word, const std::set<std::string>& expected) {
    if (!word.empty())
        if (const auto meant = nearest(word, expected); !meant.empty()) return fmt::format("did you mean '{}'?", meant);
    if (expected.empty()) return {};
    if (expected.size() > kMostNamed) return "'help' lists the commands, 'describe' what they work on";
    return fmt::format("here may stand: {}", fmt::join(expected, " "));
}

}  // namespace midonet::cli
