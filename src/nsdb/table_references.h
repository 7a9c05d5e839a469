#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"
#include "model/schema.h"
#include "nsdb/tracking_snapshot.h"

namespace midonet::nsdb {

/// Entries of tables that name objects of another class than their table's: of the MAC tables of a bridge, whose values are its ports.
/// The schema knows references of objects only. What a session learned goes with the session; persistent entries go with what they name.

/// What the values of a table name; nullptr where they name nothing.
const model::ClassSchema* classNamedIn(const model::Schema& schema, std::string_view table);

/// The tables of others whose entries may name the object: what all their names begin with, and the object they are of.
struct TablesNaming {
    std::string prefix;
    Uuid owner;
    /// Always looked at, so that its first entry is noticed too.
    std::string first;
};
std::optional<TablesNaming> tablesNaming(const model::Message& object);
/// Removes the persistent entries of these tables that name it. That nobody adds one meanwhile is checked at commit, but for
/// tables that were not there yet.
Result<void> removeEntriesNaming(TrackingSnapshot& records, const TablesNaming& tables, const Uuid& id);

}  // namespace midonet::nsdb
