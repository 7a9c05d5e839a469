#pragma once

#include <functional>
#include <map>

#include "nsdb/object_reader.h"
#include "nsdb/tracking_snapshot.h"

namespace midonet::nsdb {

/// Keeps references, unique keys and indexes right, driven by the schema alone, and the entries of tables that name objects
/// (table_references.h). One attempt of
/// Store::transact; the tracking snapshot then holds what to check and to write.
class ObjectTransaction final : public Transaction {
public:
    using NextOf = std::function<Result<std::uint64_t>(std::string_view counter)>;
    ObjectTransaction(const model::Schema& schema, Snapshot& snapshot, TrackingSnapshot::Presence presence, NextOf nextOf)
        : schema_(schema), records_(snapshot, presence), reader_(schema, records_), nextOf_(std::move(nextOf)) {}

    TrackingSnapshot& records() { return records_; }

    Revision revision() const override { return records_.revision(); }
    using View::get;
    using View::list;
    using View::referrers;
    using View::state;
    Result<Stored<Message>> get(Class type, const Uuid& id) override { return reader_.get(type, id); }
    Result<std::vector<Stored<Message>>> list(Class type) override { return reader_.list(type); }
    Result<std::vector<Uuid>> ids(Class type) override { return reader_.ids(type); }
    Result<std::vector<Uuid>> referrers(Class type, std::string_view field,
                                        const Uuid& target) override {
        return reader_.referrers(type, field, target);
    }
    Result<std::optional<Uuid>> findUnique(Class type, std::string_view field,
                                           std::string_view value) override {
        return reader_.findUnique(type, field, value);
    }
    Result<std::optional<std::string>> state(Class type, const Uuid& id,
                                             std::string_view key) override {
        return reader_.state(type, id, key);
    }
    Result<std::optional<std::string>> persistent(std::string_view table, std::string_view key) override { return reader_.persistent(table, key); }
    Result<void> readAhead(Class type, const std::vector<Uuid>& ids) override { return reader_.readAhead(type, ids); }
    Result<void> readStatesAhead(Class type, const std::vector<Uuid>& ids, std::string_view key) override {
        return reader_.readStatesAhead(type, ids, key);
    }

    Result<void> create(const Message& object) override;
    Result<void> update(const Message& object) override;
    Result<void> remove(Class type, const Uuid& id) override;
    Result<void> putPersistent(std::string_view table, std::string_view key,
                               std::string_view value) override;
    Result<void> removePersistent(std::string_view table, std::string_view key) override;
    Result<std::uint64_t> next(std::string_view counter) override { return nextOf_(counter); }

private:
    /// An object with what the schema says of its class.
    struct Known {
        const model::ClassSchema* type = nullptr;
        Uuid id;
        std::shared_ptr<const Message> object;
    };
    using DoomedKey = std::pair<Class, Uuid>;
    using Doomed = std::map<DoomedKey, Known>;

    /// `before` is nullptr for a new object.
    Result<void> save(const model::ClassSchema& type, const Uuid& id, const Message* before,
                      const Message& after);
    Result<void> changeReferences(const model::ClassSchema& type, const Uuid& id,
                                  const Message* before, const Message& after);
    Result<void> link(const model::ClassSchema& type, const Uuid& id,
                      const model::ReferencePath& reference, const Uuid& target);
    void unlink(const model::ClassSchema& type, const Uuid& id,
                const model::ReferencePath& reference, const Uuid& target);
    Result<void> changeUniqueKeys(const model::ClassSchema& type, const Uuid& id,
                                  const Message* before, const Message& after);
    /// The object and all that goes with it by CASCADE.
    Result<void> doom(const model::ClassSchema& type, const Uuid& id, Doomed& doomed);
    Result<void> releaseHolders(const Known& target, const Doomed& doomed);
    Result<void> clearHolder(const model::ClassSchema& type, const Uuid& id,
                             const model::ReferencePath& reference, const Uuid& target);
    Result<void> releaseEntries(const Known& target, const Doomed& doomed);
    void erase(const Known& known);

    const model::Schema& schema_;
    TrackingSnapshot records_;
    ObjectReader reader_;
    NextOf nextOf_;
};

}  // namespace midonet::nsdb
