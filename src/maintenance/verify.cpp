#include "maintenance/verify.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "maintenance/contents.h"
#include "nsdb/layout.h"
#include "nsdb/object_reader.h"
#include "nsdb/object_store.h"
#include "nsdb/table_references.h"

namespace midonet::maintenance {
namespace {

using model::ClassSchema;
using model::OnDelete;
using model::ReferencePath;
using nsdb::Batch;
using nsdb::RecordKey;
using nsdb::Transaction;
using Expect = Batch::RecordCheck::Expect;
using Check = Batch::RecordCheck;
using Mend = std::function<Result<void>(nsdb::Store&)>;

constexpr std::string_view kRestore = "restore a backup, or remove what is damaged from a dump of it and load that";
constexpr std::string_view kNewerProgram = "a newer program wrote this: use that program's midonet-nsdb";

Mend commits(Batch batch) {
    return [batch = std::move(batch)](nsdb::Store& store) -> Result<void> {
        const auto committed = nsdb::backendOf(store).commit(batch);
        if (!committed) return Unexpected{committed.error()};
        return {};
    };
}

Mend transacts(std::function<Result<void>(Transaction&)> body) {
    return [body = std::move(body)](nsdb::Store& store) -> Result<void> {
        const auto committed = store.transact(body);
        if (!committed) return Unexpected{committed.error()};
        return {};
    };
}

/// The parts of "i/Port/ID/Port.peer_id" between slashes.
std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> out;
    for (auto slash = path.find('/'); slash != path.npos; slash = path.find('/')) {
        out.push_back(path.substr(0, slash));
        path.remove_prefix(slash + 1);
    }
    out.push_back(path);
    return out;
}

class Verifier {
public:
    Verifier(const Image& image, const model::Schema& schema) : image_(image), schema_(schema) {}

    std::vector<Finding> run() {
        readObjects();
        for (const auto& object : objects_) {
            expectIndexes(object);
            expectUniqueKeys(object);
        }
        checkIndexes();
        checkUniqueKeys();
        checkState();
        checkTables();
        checkLeases();
        checkCounters();
        checkMark();
        // Last: what deletes objects relies on the indexes.
        for (auto& finding : dangling_) findings_.push_back(std::move(finding));
        return std::move(findings_);
    }

private:
    struct Known {
        const ClassSchema* type;
        Uuid id;
        RecordKey key;
        nsdb::Revision version;
        std::shared_ptr<const model::Message> message;
        std::string name() const { return fmt::format("{} {}", type->name, id); }
    };
    using Holders = std::vector<const Known*>;

    void find(std::string what, std::string_view fix, Mend mend = {}) {
        findings_.push_back({std::move(what), std::string(fix), std::move(mend)});
    }
    /// As it was when the image was read.
    static Check unchanged(const Known& object) { return {object.key, Expect::Version, object.version}; }
    static Check unchanged(const RecordKey& key, const ImageRecord& record) { return {key, Expect::Version, record.version}; }
    bool present(const RecordKey& key) const { return image_.find(key) != nullptr; }

    void readObjects() {
        image_.forEachBelow("o", [this](const std::string& path, const Image::Directory& records) {
            const auto* type = schema_.byName(path.substr(2));
            if (type == nullptr)
                return find(fmt::format("{} objects are of the unknown class {}", records.size(), path.substr(2)), kNewerProgram);
            for (const auto& [name, record] : records) readObject(*type, {path, name}, record);
        });
    }

    void readObject(const ClassSchema& type, const RecordKey& key, const ImageRecord& record) {
        const auto id = Uuid::parse(key.name);
        auto object = nsdb::decodeObject(type, record.value);
        if (id && object && model::idOf(**object) == *id)
            return objects_.push_back({&type, *id, key, record.version, std::move(*object)});
        unreadable_.insert(key);
        find(fmt::format("the {} in the record {} cannot be read, or has another id than its record", type.name, key.name), kRestore);
    }

    void expectIndexes(const Known& object) {
        for (const auto& reference : object.type->references) {
            const auto targets = model::targetsOf(*object.message, reference);
            for (const auto& target : std::set<Uuid>{targets.begin(), targets.end()}) expectIndex(object, reference, target);
        }
    }

    void expectIndex(const Known& object, const ReferencePath& reference, const Uuid& target) {
        const auto& type = schema_.of(reference.rules.target);
        const auto targetKey = nsdb::objectKey(type, target);
        const auto entry = RecordKey{nsdb::indexDirectory(type, target, *object.type, reference), object.id.toString()};
        indexes_.insert(entry);
        if (!present(targetKey)) return dangling(object, reference, type, target);
        if (reference.rules.exclusive) {
            const auto [first, only] = exclusive_.emplace(entry.directory, &object);
            if (!only)
                find(fmt::format("{} and {} both have {} {} as their {}, which is for one alone", first->second->name(), object.name(),
                                 type.name, target, reference.name),
                     fmt::format("clear {} of one of them through the API", reference.name));
        }
        if (present(entry)) return;
        find(fmt::format("{} is not in the index of {} {} although its {} names it", object.name(), type.name, target, reference.name),
             "the entry is added",
             commits({{unchanged(object), {targetKey, Expect::Present, 0}, {entry, Expect::Absent, 0}}, {}, {}, {{entry, ""}}}));
    }

    /// What the deletion of the target should have done.
    void dangling(const Known& object, const ReferencePath& reference, const ClassSchema& targetType, const Uuid& target) {
        Finding finding;
        finding.what = fmt::format("{} of {} names {} {}, which does not exist", reference.name, object.name(), targetType.name, target);
        const auto targetClass = targetType.type;
        switch (reference.rules.onDelete) {
            case OnDelete::Error: finding.fix = kRestore; break;
            case OnDelete::Cascade:
                finding.fix = "the object is deleted, with what goes with it";
                finding.mend = transacts([type = object.type, id = object.id, targetClass, target](Transaction& t) -> Result<void> {
                    if (t.get(targetClass, target) || !t.get(type->type, id)) return {};
                    return t.remove(type->type, id);
                });
                break;
            case OnDelete::Clear:
            case OnDelete::Remove:
                finding.fix = "the reference is cleared";
                finding.mend = transacts([type = object.type, id = object.id, targetClass, target,
                                          &reference](Transaction& t) -> Result<void> {
                    const auto stored = t.get(type->type, id);
                    if (t.get(targetClass, target) || !stored) return {};
                    const auto cleared = type->make();
                    cleared->CopyFrom(*stored->object);
                    model::clearReference(*cleared, reference, target);
                    return t.update(*cleared);
                });
                break;
        }
        dangling_.push_back(std::move(finding));
    }

    void expectUniqueKeys(const Known& object) {
        for (const auto& unique : object.type->uniqueFields)
            for (const auto& value : model::textsOf(*object.message, unique)) {
                auto& claim = unique_[nsdb::uniqueKey(*object.type, unique, value)];
                claim.what = fmt::format("{} '{}'", unique.name, value);
                claim.holders.push_back(&object);
            }
    }

    void checkIndexes() {
        image_.forEachBelow("i", [this](const std::string& path, const Image::Directory& records) {
            const auto parts = split(path);
            const auto dot = parts.back().find('.');
            const auto* holder = schema_.byName(parts.back().substr(0, dot));
            if (parts.size() != 4 || schema_.byName(parts[1]) == nullptr || holder == nullptr || dot == std::string::npos ||
                holder->reference(parts.back().substr(dot + 1)) == nullptr)
                return find(fmt::format("{} is the index of an unknown reference", path), kNewerProgram);
            for (const auto& [name, record] : records) checkIndex(*holder, {path, name}, record);
        });
    }

    void checkIndex(const ClassSchema& type, const RecordKey& entry, const ImageRecord& record) {
        const RecordKey holder{nsdb::objectDirectory(type), entry.name};
        if (indexes_.contains(entry) || unreadable_.contains(holder)) return;
        find(fmt::format("the index {} has an entry for {} {}, which {}", entry.directory, type.name, entry.name,
                         present(holder) ? "does not name it" : "does not exist"),
             "the entry is removed", commits({{unchanged(entry, record), asRead(holder)}, {}, {}, {{entry, std::nullopt}}}));
    }

    Check asRead(const RecordKey& key) const {
        const auto* record = image_.find(key);
        return record == nullptr ? Check{key, Expect::Absent, 0} : unchanged(key, *record);
    }

    void checkUniqueKeys() {
        for (const auto& [key, claim] : unique_) checkClaim(key, claim.what, claim.holders);
        image_.forEachBelow("u", [this](const std::string& path, const Image::Directory& records) {
            const auto dot = path.find('.');
            const auto* type = schema_.byName(path.substr(2, dot - 2));
            if (type == nullptr || dot == path.npos || type->unique(path.substr(dot + 1)) == nullptr)
                return find(fmt::format("{} holds values of an unknown field", path), kNewerProgram);
            for (const auto& [name, record] : records) checkUniqueKey(*type, {path, name}, record);
        });
    }

    void checkClaim(const RecordKey& key, const std::string& what, const Holders& holders) {
        const auto& holder = *holders.front();
        if (holders.size() > 1)
            return find(fmt::format("{} and {} both have the {}, which is unique", holder.name(), holders[1]->name(), what),
                        "change one of them through the API");
        const auto* record = image_.find(key);
        if (record != nullptr && record->value == holder.id.toString()) return;
        find(fmt::format("the {} of {} is {}", what, holder.name(),
                         record == nullptr ? "not kept as taken" : "kept as taken by " + record->value),
             "it is taken for this object", commits({{unchanged(holder), asRead(key)}, {}, {}, {{key, holder.id.toString()}}}));
    }

    void checkUniqueKey(const ClassSchema& type, const RecordKey& key, const ImageRecord& record) {
        const RecordKey holder{nsdb::objectDirectory(type), record.value};
        if (unique_.contains(key) || unreadable_.contains(holder)) return;
        find(fmt::format("'{}' is kept as taken in {} by {} {}, which {}", nsdb::decodeName(key.name), key.directory, type.name,
                         record.value, present(holder) ? "has another value" : "does not exist"),
             "the value is free again", commits({{unchanged(key, record), asRead(holder)}, {}, {}, {{key, std::nullopt}}}));
    }

    void checkState() {
        image_.forEachBelow("s", [this](const std::string& path, const Image::Directory& records) {
            const auto parts = split(path);
            const auto* type = parts.size() == 3 ? schema_.byName(parts[1]) : nullptr;
            if (type == nullptr) return find(fmt::format("{} is state of an unknown class", path), kNewerProgram);
            checkOwned("state", path, records, {nsdb::objectDirectory(*type), std::string(parts[2])});
        });
    }

    void checkTables() {
        image_.forEachBelow("t", [this](const std::string& path, const Image::Directory& records) {
            const auto owner = nsdb::ownerOfTable(schema_, path.substr(2));
            if (!owner) return;
            checkOwned("table", path, records, *owner);
            if (const auto* named = nsdb::classNamedIn(schema_, path.substr(2)); named != nullptr && present(*owner))
                checkNamed(*named, path, records);
        });
    }

    /// Entries that sessions learned are theirs to take back.
    void checkNamed(const ClassSchema& type, const std::string& path, const Image::Directory& records) {
        for (const auto& [name, record] : records) {
            if (!name.starts_with(static_cast<char>(nsdb::TableSlot::Persistent))) continue;
            const RecordKey named{nsdb::objectDirectory(type), record.value};
            if (present(named)) continue;
            const RecordKey entry{path, name};
            find(fmt::format("the table {} has {} at {} {}, which does not exist", path.substr(2), nsdb::decodeName(name.substr(1)), type.name,
                             record.value),
                 "the entry is removed", commits({{unchanged(entry, record), {named, Expect::Absent, 0}}, {}, {}, {{entry, std::nullopt}}}));
        }
    }

    /// What goes with its object.
    void checkOwned(std::string_view kind, const std::string& path, const Image::Directory& records, const RecordKey& object) {
        if (present(object)) return;
        Batch batch{{{object, Expect::Absent, 0}}, {}, {}, {}};
        for (const auto& [name, record] : records) {
            orphans_.insert({path, name});
            batch.writes.push_back({{path, name}, std::nullopt});
        }
        find(fmt::format("the {} {} is of an object that does not exist", kind, path.substr(2)), "its entries are removed",
             commits(std::move(batch)));
    }

    void checkLeases() {
        if (!image_.leases) return;
        for (const auto& [path, records] : image_.directories)
            for (const auto& [name, record] : records) {
                const RecordKey key{path, name};
                if (record.lease.isNil() || image_.leases->contains(record.lease) || orphans_.contains(key)) continue;
                find(fmt::format("{}/{} is owned by session {}, which has ended", path, name, record.lease), "it is removed",
                     commits({{unchanged(key, record)}, {}, {}, {{key, std::nullopt}}}));
            }
    }

    void checkCounters() {
        for (const auto& [name, record] : image_.directory("c")) {
            const bool number = !record.value.empty() && std::all_of(record.value.begin(), record.value.end(),
                                                                     [](char c) { return c >= '0' && c <= '9'; });
            if (!number) find(fmt::format("the counter {} holds no number", nsdb::decodeName(name)), kRestore);
        }
    }

    void checkMark() {
        if (present(nsdb::unfinishedLoadMark()))
            find("a load did not come to its end: a part of the objects is missing", "load again, with --replace");
    }

    struct Claim {
        std::string what;
        Holders holders;
    };

    const Image& image_;
    const model::Schema& schema_;
    std::vector<Known> objects_;
    std::set<RecordKey> unreadable_;
    std::set<RecordKey> orphans_;                     ///< Told of already.
    std::set<RecordKey> indexes_;                     ///< That have to be there.
    std::map<std::string, const Known*> exclusive_;   ///< First holder, by index.
    std::map<RecordKey, Claim> unique_;               ///< That have to be there.
    std::vector<Finding> findings_;
    std::vector<Finding> dangling_;
};

/// Each round mends what the one before made visible.
constexpr int kRounds = 8;

}  // namespace

std::vector<Finding> verify(const Image& image, const model::Schema& schema) { return Verifier{image, schema}.run(); }

Result<Collected> collectGarbage(nsdb::Store& store, const model::Schema& schema) {
    Collected out;
    for (int round = 0;; ++round) {
        TRY(image, readImage(nsdb::backendOf(store), kAllRoots));
        out.left = verify(image, schema);
        std::size_t mended = 0;
        for (const auto& finding : out.left) {
            if (!finding.mend || round == kRounds) continue;
            const auto done = finding.mend(store);
            if (done) ++mended;
            // What another finding stands in the way of is mended in the next round.
            if (!done && done.error().code == ErrorCode::Unavailable) return Unexpected{done.error()};
        }
        if (mended == 0) return out;
        out.mended += mended;
    }
}

}  // namespace midonet::maintenance
