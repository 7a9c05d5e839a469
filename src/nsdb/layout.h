#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"
#include "model/schema.h"
#include "nsdb/backend.h"

namespace midonet::nsdb {

/// What this program writes, and the newest it can read. Raised when an older program would misread
/// or damage what a newer one writes; docs/design/nsdb.md says how.
inline constexpr std::uint64_t kSchemaVersion = 1;

/// Where things are, in every backend (docs/design/nsdb.md):
///   o/<Class>                                   objects: name = id, value = the message
///   i/<Target>/<target id>/<Holder>.<field>     index: name = id of the holder
///   u/<Class>.<field>                           unique values: name = value, value = id of its holder
///   s/<Class>/<id>                              state keys: name = key
///   t/<table>                                   tables: name = L<key> learned, P<key> persistent
///   c                                           counters
///   e/<name>                                    elections: name = candidate
///   l                                           log of the changes of objects, where records keep it (ZooKeeper)
std::string objectDirectory(const model::ClassSchema& type);
/// Of the class whose objects are there; nullptr when there is none.
const model::ClassSchema* classOfDirectory(const model::Schema& schema, std::string_view directory);
RecordKey objectKey(const model::ClassSchema& type, const Uuid& id);
/// Of all references to an object; they end with it.
std::string indexesOf(const model::ClassSchema& type, const Uuid& id);
std::string indexDirectory(const model::ClassSchema& target, const Uuid& id,
                           const model::ClassSchema& holder, const model::ReferencePath& reference);
RecordKey uniqueKey(const model::ClassSchema& type, const model::UniquePath& unique,
                    std::string_view value);
std::string stateDirectory(const model::ClassSchema& type, const Uuid& id);
std::string tableDirectory(std::string_view table);
/// Of all tables of an object; they end with it.
std::string tablesOf(const model::ClassSchema& type, const Uuid& id);
/// The object a table belongs to: of `<Class>/<id>/...`; none for other tables.
std::optional<RecordKey> ownerOfTable(const model::Schema& schema, std::string_view table);
std::string electionDirectory(std::string_view name);
RecordKey counterKey(std::string_view name);

enum class TableSlot : char { Learned = 'L', Persistent = 'P' };
std::string tableRecordName(TableSlot slot, std::string_view key);

/// A persistent entry that says: a load of the whole store has begun, and not ended.
inline constexpr std::string_view kLoadTable = "load";
inline constexpr std::string_view kUnfinished = "unfinished";
RecordKey unfinishedLoadMark();

/// Any text as a record name: what a name cannot hold is written as %XX.
std::string encodeName(std::string_view text);
std::string decodeName(std::string_view name);

/// Names in the store are made of it: it must be the same in all programs of all versions.
std::uint64_t hashOf(std::string_view text, std::uint64_t seed);

}  // namespace midonet::nsdb
