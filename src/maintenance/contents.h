#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/uuid.h"
#include "maintenance/image.h"
#include "model/schema.h"
#include "nsdb/store.h"

namespace midonet::maintenance {

/// Names an object; ordered as dumps are.
struct ObjectName {
    std::string type;
    Uuid id;
    std::string toString() const { return type + " " + id.toString(); }
    friend auto operator<=>(const ObjectName&, const ObjectName&) = default;
};

/// What a store holds that outlives every session, free of how it is kept: objects, persistent entries of state tables,
/// counters. Indexes and unique keys follow from the objects. A plain value.
struct Contents {
    /// `line`: of the dump it was read from; 0: of none.
    struct Object {
        std::shared_ptr<const model::Message> message;
        std::size_t line = 0;
    };
    struct Entry {
        std::string value;
        std::size_t line = 0;
    };
    using EntryName = std::pair<std::string, std::string>;  ///< Table and key.

    std::map<ObjectName, Object> objects;
    std::map<EntryName, Entry> entries;
    std::map<std::string, std::uint64_t> counters;  ///< The next free number of each.
};

/// Of an image of at least kPersistentRoots. Unsupported when it holds what only a newer program knows, Malformed when
/// an object cannot be decoded, Conflict when a load did not come to its end: a dump of it would look whole.
Result<Contents> contentsOf(const Image& image, const model::Schema& schema);

/// Roots of the directories (nsdb/layout.h): of those that hold contents, of all but what follows from the objects, of all.
inline constexpr std::string_view kPersistentRoots[] = {"o", "t", "c"};
inline constexpr std::string_view kRootsWithoutIndexes[] = {"o", "s", "t", "c", "e"};
inline constexpr std::string_view kAllRoots[] = {"o", "i", "u", "s", "t", "c", "e"};

}  // namespace midonet::maintenance
