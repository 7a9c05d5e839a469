#include "cli/aliases.h"

#include "cli/values.h"

namespace midonet::cli {

const std::string& Aliases::aliasOf(const std::string& scope, std::string_view word, const std::string& id) {
    auto& space = spaces_[scope];
    const auto [entry, isNew] = space.aliases.try_emplace(std::string{word} + ' ' + id);
    if (isNew) {
        entry->second = std::string{word} + std::to_string(space.next[std::string{word}]++);
        space.ids.emplace(entry->second, id);
    }
    return entry->second;
}

std::optional<std::string> Aliases::idOf(const std::string& scope, std::string_view alias) const {
    const auto space = spaces_.find(scope);
    if (space == spaces_.end()) return std::nullopt;
    const auto found = space->second.ids.find(alias);
    return found == space->second.ids.end() ? std::nullopt : std::optional{found->second};
}

std::optional<std::string> Aliases::resolve(std::string_view path) const {
    std::optional<std::string> id;
    for (const auto alias : splitAt(path, ':')) {
        id = idOf(id.value_or(""), alias);
        if (!id) return std::nullopt;
    }
    return id;
}

std::vector<std::string> Aliases::of(const std::string& scope, std::string_view word) const {
    std::vector<std::string> out;
    const auto space = spaces_.find(scope);
    if (space == spaces_.end()) return out;
    const auto count = space->second.next.find(word);
    const auto end = count == space->second.next.end() ? 0 : count->second;
    for (std::size_t i = 0; i < end; ++i) out.push_back(std::string{word} + std::to_string(i));
    return out;
}

}  // namespace midonet::cli
