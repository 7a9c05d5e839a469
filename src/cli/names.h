#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/aliases.h"
#include "cli/objects.h"
#include "cli/values.h"

namespace midonet::cli {

/// What objects are called in this session: by aliases where people type, by UUIDs in scripts.
class Names {
public:
    Names(Objects& objects, bool withAliases) : objects_(objects), withAliases_(withAliases) {}

    bool withAliases() const { return withAliases_; }

    /// The id that a word stands for among the children of `owner`.
    std::optional<std::string> idAmong(const Object& owner, std::string_view word) const;
    /// The id that a word stands for as the value of a reference.
    std::optional<std::string> idOf(std::string_view word) const;
    IdOf reader() const;
    /// The aliases given to children of `owner` in a collection, for completion.
    std::vector<std::string> known(const Object& owner, const Collection& collection) const;

    /// An object's name among those of its owner.
    std::string nameOf(const Object& object);
    /// Its name from the root: "bridge0:port0".
    std::string fullNameOf(const Object& object);
    /// The full name of the object that a field refers to; the id where there is no such object.
    std::string nameOf(const Field& field, std::string_view id);
    NameOf writer();

private:
    Objects& objects_;
    bool withAliases_;
    Aliases aliases_;
};

}  // namespace midonet::cli
