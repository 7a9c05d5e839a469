#include "nsdb/object_reader.h"

#include <google/protobuf/message.h>

#include "base/assert.h"
#include "nsdb/table_merge.h"

namespace midonet::nsdb {

Result<Stored<Message>> ObjectReader::get(Class type, const Uuid& id) {
    const auto& schema = schema_.of(type);
    TRY(record, snapshot_.get(objectDirectory(schema), id.toString()));
    if (!record) return fail(ErrorCode::NotFound, "no {} has the id {}", schema.name, id);
    TRY(object, decodeObject(schema, record->value));
    return Stored<Message>{std::move(object), record->version};
}

Result<std::vector<Stored<Message>>> ObjectReader::list(Class type) {
    const auto& schema = schema_.of(type);
    std::vector<Stored<Message>> out;
    Result<void> decoded;
    const auto listed = snapshot_.list(objectDirectory(schema), [&](const Record& record) {
        if (!decoded) return;
        auto object = decodeObject(schema, record.value);
        if (object)
            out.push_back({std::move(*object), record.version});
        else
            decoded = Unexpected{object.error()};
    });
    if (!listed) return Unexpected{listed.error()};
    if (!decoded) return Unexpected{decoded.error()};
    return out;
}

Result<std::vector<Uuid>> ObjectReader::ids(Class type) { return listIds(snapshot_, objectDirectory(schema_.of(type))); }

Result<std::vector<Uuid>> ObjectReader::referrers(Class type, std::string_view field,
                                                  const Uuid& target) {
    const auto& holder = schema_.of(type);
    const auto* reference = holder.reference(field);
    MIDONET_ASSERT(reference != nullptr, "the field is a reference in the schema");
    return listIds(snapshot_,
                   indexDirectory(schema_.of(reference->rules.target), target, holder, *reference));
}

Result<std::optional<Uuid>> ObjectReader::findUnique(Class type, std::string_view field,
                                                     std::string_view value) {
    const auto& schema = schema_.of(type);
    const auto* unique = schema.unique(field);
    MIDONET_ASSERT(unique != nullptr, "the field is unique in the schema");
    const auto key = uniqueKey(schema, *unique, value);
    TRY(record, snapshot_.get(key.directory, key.name));
    if (!record) return std::optional<Uuid>{};
    TRY(id, Uuid::parse(record->value));
    return std::optional<Uuid>{id};
}

Result<std::optional<std::string>> ObjectReader::state(Class type, const Uuid& id,
                                                       std::string_view key) {
    TRY(record, snapshot_.get(stateDirectory(schema_.of(type), id), encodeName(key)));
    if (!record) return std::optional<std::string>{};
    return std::optional<std::string>{std::string(record->value)};
}

Result<std::optional<std::string>> ObjectReader::persistent(std::string_view table, std::string_view key) {
    TRY(record, snapshot_.get(tableDirectory(table), tableRecordName(TableSlot::Persistent, key)));
    if (!record) return std::optional<std::string>{};
    return std::optional<std::string>{std::string(record->value)};
}

Result<void> ObjectReader::readAhead(Class type, const std::vector<Uuid>& ids) {
    std::vector<RecordKey> keys;
    for (const auto& id : ids) keys.push_back(objectKey(schema_.of(type), id));
    return snapshot_.readAhead(keys);
}

Result<void> ObjectReader::readStatesAhead(Class type, const std::vector<Uuid>& ids, std::string_view key) {
    std::vector<RecordKey> keys;
    for (const auto& id : ids) keys.push_back({stateDirectory(schema_.of(type), id), encodeName(key)});
    return snapshot_.readAhead(keys);
}

Result<std::unique_ptr<Message>> decodeObject(const model::ClassSchema& type,
                                              std::string_view value) {
    auto object = type.make();
    if (!object->ParseFromArray(value.data(), static_cast<int>(value.size())))
        return fail(ErrorCode::Malformed,
                    "a stored {} cannot be decoded: the store is damaged, restore a backup",
                    type.name);
    return object;
}

Result<std::vector<Uuid>> listIds(Snapshot& snapshot, std::string_view directory) {
    std::vector<Uuid> out;
    TRY(version, snapshot.list(directory, [&](const Record& record) {
        if (const auto id = Uuid::parse(record.name)) out.push_back(*id);
    }));
    static_cast<void>(version);
    return out;
}

Result<std::vector<TableEntry>> readTableEntries(Snapshot& snapshot, std::string_view table) {
    DirectoryChange all;
    all.reset = true;
    TRY(version, snapshot.list(tableDirectory(table), [&](const Record& record) {
        all.updated.push_back({std::string(record.name), std::string(record.value), record.version,
                               record.lease});
    }));
    static_cast<void>(version);
    return TableMerge{}.apply(all).updated;
}

}  // namespace midonet::nsdb
