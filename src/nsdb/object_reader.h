#pragma once

#include "model/schema.h"
#include "nsdb/backend.h"
#include "nsdb/layout.h"
#include "nsdb/store.h"

namespace midonet::nsdb {

/// Objects, indexes and state as read from the records of a snapshot. For one snapshot; one thread.
class ObjectReader {
public:
    ObjectReader(const model::Schema& schema, Snapshot& snapshot)
        : schema_(schema), snapshot_(snapshot) {}

    Result<Stored<Message>> get(Class type, const Uuid& id);
    Result<std::vector<Stored<Message>>> list(Class type);
    Result<std::vector<Uuid>> ids(Class type);
    Result<std::vector<Uuid>> referrers(Class type, std::string_view field, const Uuid& target);
    Result<std::optional<Uuid>> findUnique(Class type, std::string_view field, std::string_view value);
    Result<std::optional<std::string>> state(Class type, const Uuid& id, std::string_view key);
    Result<std::optional<std::string>> persistent(std::string_view table, std::string_view key);
    Result<void> readAhead(Class type, const std::vector<Uuid>& ids);
    Result<void> readStatesAhead(Class type, const std::vector<Uuid>& ids, std::string_view key);

private:
    const model::Schema& schema_;
    Snapshot& snapshot_;
};

/// The message in a record's value.
Result<std::unique_ptr<Message>> decodeObject(const model::ClassSchema& type, std::string_view value);
/// Ids that are the names of a directory's records.
Result<std::vector<Uuid>> listIds(Snapshot& snapshot, std::string_view directory);
/// A table's winners, of the records of its directory.
Result<std::vector<TableEntry>> readTableEntries(Snapshot& snapshot, std::string_view table);

}  // namespace midonet::nsdb
