#include "cli/names.h"

namespace midonet::cli {
namespace {

std::string scopeOf(const Object& owner) { return owner.isRoot() ? std::string{} : owner.id(); }

}  // namespace

std::optional<std::string> Names::idAmong(const Object& owner, std::string_view word) const {
    if (auto id = uuidOnly(word)) return id;
    return withAliases_ ? aliases_.idOf(scopeOf(owner), word) : std::nullopt;
}

std::optional<std::string> Names::idOf(std::string_view word) const {
    if (auto id = uuidOnly(word)) return id;
    return withAliases_ ? aliases_.resolve(word) : std::nullopt;
}

IdOf Names::reader() const {
    return [this](std::string_view word) { return idOf(word); };
}

std::vector<std::string> Names::known(const Object& owner, const Collection& collection) const {
    return aliases_.of(scopeOf(owner), objects_.model().type(collection.type).word);
}

std::string Names::nameOf(const Object& object) {
    const auto id = object.id();
    if (!withAliases_ || id.empty() || !object.owner) return id;
    return aliases_.aliasOf(scopeOf(*object.owner), object.type->word, id);
}

std::string Names::fullNameOf(const Object& object) {
    const auto name = nameOf(object);
    if (!withAliases_ || !object.owner || object.owner->isRoot()) return name;
    return fullNameOf(*object.owner) + ":" + name;
}

std::string Names::nameOf(const Field& field, std::string_view id) {
    if (!withAliases_) return std::string{id};
    const auto object = objects_.byId(field.target, std::string{id});
    return object ? fullNameOf(**object) : std::string{id};
}

NameOf Names::writer() {
    return [this](const Field& field, std::string_view id) { return nameOf(field, id); };
}

}  // namespace midonet::cli
