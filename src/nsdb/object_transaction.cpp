#include "nsdb/object_transaction.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <set>

#include "base/assert.h"
#include "nsdb/table_references.h"

namespace midonet::nsdb {
namespace {

std::set<Uuid> distinctTargets(const Message* object, const model::ReferencePath& reference) {
    if (object == nullptr) return {};
    const auto targets = model::targetsOf(*object, reference);
    return {targets.begin(), targets.end()};
}

std::set<std::string> distinctTexts(const Message& object, const model::UniquePath& unique) {
    const auto texts = model::textsOf(object, unique);
    return {texts.begin(), texts.end()};
}

}  // namespace

Result<void> ObjectTransaction::create(const Message& object) {
    const auto& type = schema_.of(object);
    const auto id = model::idOf(object);
    if (id.isNil()) return fail(ErrorCode::Invalid, "a {} needs an id", type.name);
    TRY(taken, records_.present(objectKey(type, id), false));
    if (taken) return fail(ErrorCode::AlreadyExists, "{} {} exists already", type.name, id);
    return save(type, id, nullptr, object);
}

Result<void> ObjectTransaction::update(const Message& object) {
    const auto& type = schema_.of(object);
    const auto id = model::idOf(object);
    TRY(before, get(type.type, id));
    return save(type, id, before.object.get(), object);
}

Result<void> ObjectTransaction::save(const model::ClassSchema& type, const Uuid& id,
                                     const Message* before, const Message& after) {
    auto bytes = after.SerializeAsString();
    if (before != nullptr && before->SerializeAsString() == bytes) return {};
    records_.put(objectKey(type, id), std::move(bytes));
    TRY_VOID(changeReferences(type, id, before, after));
    return changeUniqueKeys(type, id, before, after);
}

Result<void> ObjectTransaction::changeReferences(const model::ClassSchema& type, const Uuid& id,
                                                 const Message* before, const Message& after) {
    for (const auto& reference : type.references) {
        const auto old = distinctTargets(before, reference);
        const auto now = distinctTargets(&after, reference);
        for (const auto& target : old)
            if (!now.contains(target)) unlink(type, id, reference, target);
        for (const auto& target : now)
            if (!old.contains(target)) TRY_VOID(link(type, id, reference, target));
    }
    return {};
}

Result<void> ObjectTransaction::link(const model::ClassSchema& type, const Uuid& id,
                                     const model::ReferencePath& reference, const Uuid& target) {
    const auto& targetType = schema_.of(reference.rules.target);
    TRY(exists, records_.present(objectKey(targetType, target), true));
    if (!exists)
        return fail(ErrorCode::NotFound, "{} of {} {} names {} {}, which does not exist",
                    reference.name, type.name, id, targetType.name, target);
    const auto index = indexDirectory(targetType, target, type, reference);
    if (reference.rules.exclusive) {
        TRY(holders, listIds(records_, index));
        if (!holders.empty())
            return fail(ErrorCode::Conflict, "{} {} is taken: {} {} has it as its {}",
                        targetType.name, target, type.name, holders.front(), reference.name);
    }
    records_.put({index, id.toString()}, {});
    return {};
}

void ObjectTransaction::unlink(const model::ClassSchema& type, const Uuid& id,
                               const model::ReferencePath& reference, const Uuid& target) {
    const auto& targetType = schema_.of(reference.rules.target);
    records_.remove({indexDirectory(targetType, target, type, reference), id.toString()});
}

Result<void> ObjectTransaction::changeUniqueKeys(const model::ClassSchema& type, const Uuid& id,
                                                 const Message* before, const Message& after) {
    for (const auto& unique : type.uniqueFields) {
        const auto old = before == nullptr ? std::set<std::string>{} : distinctTexts(*before, unique);
        const auto values = model::textsOf(after, unique);
        const auto now = distinctTexts(after, unique);
        if (now.size() != values.size())
            return fail(ErrorCode::AlreadyExists, "{} {} has two equal values of {}", type.name, id, unique.name);
        for (const auto& value : old)
            if (!now.contains(value)) records_.remove(uniqueKey(type, unique, value));
        for (const auto& value : now) {
            if (old.contains(value)) continue;
            const auto key = uniqueKey(type, unique, value);
            TRY(taken, records_.present(key, false));
            if (taken) {
                TRY(holder, findUnique(type.type, unique.name, value));
                return fail(ErrorCode::AlreadyExists, "the {} '{}' is taken by {} {}", unique.name, value, type.name,
                            holder.value_or(Uuid{}));
            }
            records_.put(key, id.toString());
        }
    }
    return {};
}

Result<void> ObjectTransaction::remove(Class type, const Uuid& id) {
    Doomed doomed;
    TRY_VOID(doom(schema_.of(type), id, doomed));
    for (const auto& [key, known] : doomed) TRY_VOID(releaseHolders(known, doomed));
    for (const auto& [key, known] : doomed) TRY_VOID(releaseEntries(known, doomed));
    for (const auto& [key, known] : doomed) erase(known);
    return {};
}

Result<void> ObjectTransaction::doom(const model::ClassSchema& type, const Uuid& id,
                                     Doomed& doomed) {
    if (doomed.contains({type.type, id})) return {};
    TRY(stored, get(type.type, id));
    doomed.emplace(DoomedKey{type.type, id}, Known{&type, id, stored.object});
    for (const auto& incoming : type.referencedBy) {
        if (incoming.reference->rules.onDelete != model::OnDelete::Cascade) continue;
        TRY(holders, listIds(records_, indexDirectory(type, id, *incoming.holder, *incoming.reference)));
        for (const auto& holder : holders) TRY_VOID(doom(*incoming.holder, holder, doomed));
    }
    return {};
}

Result<void> ObjectTransaction::releaseHolders(const Known& target, const Doomed& doomed) {
    for (const auto& incoming : target.type->referencedBy) {
        const auto& holderType = *incoming.holder;
        const auto& reference = *incoming.reference;
        TRY(holders, listIds(records_, indexDirectory(*target.type, target.id, holderType, reference)));
        for (const auto& holder : holders) {
            if (doomed.contains({holderType.type, holder})) continue;
            if (reference.rules.onDelete == model::OnDelete::Error)
                return fail(ErrorCode::Conflict, "{} {} is in use: {} {} has it as its {}",
                            target.type->name, target.id, holderType.name, holder, reference.name);
            TRY_VOID(clearHolder(holderType, holder, reference, target.id));
        }
    }
    return {};
}

Result<void> ObjectTransaction::clearHolder(const model::ClassSchema& type, const Uuid& id,
                                            const model::ReferencePath& reference,
                                            const Uuid& target) {
    TRY(stored, get(type.type, id));
    auto changed = type.make();
    changed->CopyFrom(*stored.object);
    model::clearReference(*changed, reference, target);
    return save(type, id, stored.object.get(), *changed);
}

/// Tables of what goes too go as a whole.
Result<void> ObjectTransaction::releaseEntries(const Known& target, const Doomed& doomed) {
    const auto tables = tablesNaming(*target.object);
    if (!tables) return {};
    const bool ownerGoes = std::any_of(doomed.begin(), doomed.end(), [&](const auto& one) { return one.first.second == tables->owner; });
    return ownerGoes ? Result<void>{} : removeEntriesNaming(records_, *tables, target.id);
}

void ObjectTransaction::erase(const Known& known) {
    const auto& type = *known.type;
    for (const auto& reference : type.references)
        for (const auto& target : distinctTargets(known.object.get(), reference))
            unlink(type, known.id, reference, target);
    for (const auto& unique : type.uniqueFields)
        for (const auto& value : model::textsOf(*known.object, unique)) records_.remove(uniqueKey(type, unique, value));
    records_.remove(objectKey(type, known.id));
    records_.removeTree(indexesOf(type, known.id));
    records_.removeTree(stateDirectory(type, known.id));
    records_.removeTree(tablesOf(type, known.id));
}

Result<void> ObjectTransaction::putPersistent(std::string_view table, std::string_view key,
                                              std::string_view value) {
    if (const auto owner = ownerOfTable(schema_, table)) {
        TRY(exists, records_.present(*owner, true));
        if (!exists) return fail(ErrorCode::NotFound, "the table {} is of no object", table);
    }
    records_.put({tableDirectory(table), tableRecordName(TableSlot::Persistent, key)},
                 std::string(value));
    return {};
}

Result<void> ObjectTransaction::removePersistent(std::string_view table, std::string_view key) {
    records_.remove({tableDirectory(table), tableRecordName(TableSlot::Persistent, key)});
    return {};
}

}  // namespace midonet::nsdb
