#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace midonet::cli {

/// Short names of an interactive session: `bridge0` for the first bridge it saw. Each object is a name space for its
/// children, the root for all others ("" as scope). Names live as long as the session and are never used again.
class Aliases {
public:
    /// The alias of an object in the name space of `scope`, an id; given at the first time.
    const std::string& aliasOf(const std::string& scope, std::string_view word, const std::string& id);
    /// The id that an alias stands for there.
    std::optional<std::string> idOf(const std::string& scope, std::string_view alias) const;
    /// Follows "bridge0:port0" from the root.
    std::optional<std::string> resolve(std::string_view path) const;
    /// The aliases of a name space that were given to a type word, in the order of their numbers.
    std::vector<std::string> of(const std::string& scope, std::string_view word) const;

private:
    struct Space {
        std::map<std::string, std::string, std::less<>> aliases;  ///< By id and word.
        std::map<std::string, std::string, std::less<>> ids;      ///< By alias.
        std::map<std::string, std::size_t, std::less<>> next;     ///< By word.
    };
    std::map<std::string, Space, std::less<>> spaces_;
};

}  // namespace midonet::cli
