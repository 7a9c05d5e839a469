#include "maintenance/load.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "nsdb/layout.h"
#include "nsdb/object_store.h"

namespace midonet::maintenance {
namespace {

using nsdb::Batch;
using nsdb::Transaction;
using Expect = Batch::RecordCheck::Expect;

/// What a record costs a transaction beside its value: keys, checks.
constexpr std::size_t kRecordBytes = 256;
/// ... and a reference: its record, the folders it is the first in, the check of its target.
constexpr std::size_t kReferenceBytes = 768;

using Named = decltype(Contents::objects)::value_type;
enum class Progress : std::uint8_t { Begun, Made };

/// One act of a transaction.
struct Step {
    std::size_t bytes = 0;
    std::function<Result<void>(Transaction&)> run;
};

Result<void> onLine(std::size_t line, const Result<void>& result) {
    if (result) return {};
    return Unexpected{result.error().withContext(fmt::format("line {}", line))};
}

bool holdsAnything(const Image& image) {
    return std::any_of(image.directories.begin(), image.directories.end(), [](const auto& directory) { return directory.first != "c"; });
}

Result<void> refuseSessions(const Image& image) {
    std::set<Uuid> owners;
    for (const auto& [path, records] : image.directories)
        for (const auto& [name, record] : records)
            if (!record.lease.isNil()) owners.insert(record.lease);
    if (owners.empty()) return {};
    return fail(ErrorCode::Conflict, "{} sessions are alive in the store: stop all agents and API servers first (midonet-nsdb status)",
                owners.size());
}

class Loader {
public:
    Loader(nsdb::Store& store, const model::Schema& schema, const Contents& contents, const LoadOptions& options)
        : store_(store), backend_(nsdb::backendOf(store)), schema_(schema), contents_(contents), options_(options) {}

    Result<LoadReport> run() {
        TRY(image, readImage(backend_, kAllRoots));
        TRY_VOID(refuseSessions(image));
        if (holdsAnything(image)) {
            if (!options_.replace)
                return fail(ErrorCode::Conflict, "the store is not empty: load into an empty one, or empty it with --replace --yes");
            TRY_VOID(empty(image));
        }
        TRY_VOID(raiseCounters(image));
        TRY_VOID(runSteps(steps()));
        return report_;
    }

private:
    Result<void> commit(Batch batch) {
        const auto committed = backend_.commit(std::move(batch));
        if (!committed) return Unexpected{committed.error()};
        ++report_.transactions;
        return {};
    }

    /// From its first transaction on the store is marked.
    Result<void> empty(const Image& image) {
        Batch batch;
        batch.writes.push_back({nsdb::unfinishedLoadMark(), "emptied"});
        const auto most = std::max<std::size_t>(1, options_.transactionBytes / kRecordBytes);
        for (const auto& [path, records] : image.directories) {
            if (path == "c") continue;
            for (const auto& [name, record] : records) {
                if (nsdb::RecordKey{path, name} == nsdb::unfinishedLoadMark()) continue;
                batch.writes.push_back({{path, name}, std::nullopt});
                if (batch.writes.size() >= most) TRY_VOID(commit(std::exchange(batch, {})));
            }
        }
        marked_ = true;
        return commit(std::move(batch));
    }

    /// Before the objects: numbers that are never used do no harm if the load fails.
    Result<void> raiseCounters(const Image& image) {
        Batch batch;
        for (const auto& [name, next] : contents_.counters) {
            const auto key = nsdb::counterKey(name);
            const auto* present = image.find(key);
            if (present != nullptr && std::strtoull(present->value.c_str(), nullptr, 10) >= next) continue;
            batch.recordChecks.push_back(present == nullptr ? Batch::RecordCheck{key, Expect::Absent, 0}
                                                            : Batch::RecordCheck{key, Expect::Version, present->version});
            batch.writes.push_back({key, std::to_string(next)});
        }
        if (batch.writes.empty()) return {};
        return commit(std::move(batch));
    }

    /// What an object refers to comes before it. Where objects refer to each other in circles one is made bare at first.
    std::vector<Step> steps() const {
        std::vector<Step> out;
        std::map<ObjectName, Progress> progress;
        std::vector<const Named*> bare;
        for (const auto& object : contents_.objects) addObject(object, progress, out, bare);
        for (const auto* object : bare)
            out.push_back({bytesOf(*object->second.message), [object](Transaction& t) {
                               return onLine(object->second.line, t.update(*object->second.message));
                           }});
        for (const auto& [name, entry] : contents_.entries)
            out.push_back({kRecordBytes + entry.value.size(), [&name = name, &entry = entry](Transaction& t) {
                               return onLine(entry.line, t.putPersistent(name.first, name.second, entry.value));
                           }});
        return out;
    }

    void addObject(const Named& object, std::map<ObjectName, Progress>& progress, std::vector<Step>& out,
                   std::vector<const Named*>& bare) const {
        if (!progress.try_emplace(object.first, Progress::Begun).second) return;
        bool circle = false;
        const auto& type = schema_.of(*object.second.message);
        for (const auto& reference : type.references) {
            for (const auto& id : model::targetsOf(*object.second.message, reference)) {
                const auto target = contents_.objects.find({schema_.of(reference.rules.target).name, id});
                if (target == contents_.objects.end()) continue;  // the store will say so
                addObject(*target, progress, out, bare);
                circle = circle || progress.at(target->first) == Progress::Begun;
            }
        }
        progress.at(object.first) = Progress::Made;
        if (circle) bare.push_back(&object);
        out.push_back(circle ? bareStep(object) : wholeStep(object));
    }
    Step wholeStep(const Named& object) const {
        return {bytesOf(*object.second.message), [&object](Transaction& t) {
                    return onLine(object.second.line, t.create(*object.second.message));
                }};
    }
    Step bareStep(const Named& object) const {
        return {kRecordBytes, [this, &object](Transaction& t) {
                    const auto made = schema_.byName(object.first.type)->make();
                    model::setId(*made, object.first.id);
                    return onLine(object.second.line, t.create(*made));
                }};
    }

    /// With what the references and unique values of the object add.
    std::size_t bytesOf(const model::Message& object) const {
        const auto& type = schema_.of(object);
        std::size_t bytes = kRecordBytes + object.ByteSizeLong();
        for (const auto& reference : type.references) bytes += model::targetsOf(object, reference).size() * kReferenceBytes;
        for (const auto& unique : type.uniqueFields) bytes += model::textsOf(object, unique).size() * kRecordBytes;
        return bytes;
    }

    Result<void> runSteps(const std::vector<Step>& steps) {
        for (std::span<const Step> left(steps); !left.empty() || marked_;) {
            const auto now = left.first(fitting(left));
            left = left.subspan(now.size());
            TRY_VOID(runPart(now, left.empty()));
            marked_ = !left.empty();
        }
        report_.objects = contents_.objects.size();
        report_.entries = contents_.entries.size();
        return {};
    }

    std::size_t fitting(std::span<const Step> steps) const {
        std::size_t count = 0;
        for (std::size_t bytes = 0; count < steps.size(); ++count) {
            bytes += steps[count].bytes;
            if (bytes > options_.transactionBytes && count > 0) break;
        }
        return count;
    }

    Result<void> runPart(std::span<const Step> steps, bool last) {
        const auto committed = store_.transact([&](Transaction& t) -> Result<void> {
            if (!begun_) TRY_VOID(requireEmpty(t));
            for (const auto& step : steps) TRY_VOID(step.run(t));
            if (!last) return t.putPersistent(nsdb::kLoadTable, nsdb::kUnfinished, "loading");
            return marked_ ? t.removePersistent(nsdb::kLoadTable, nsdb::kUnfinished) : Result<void>{};
        });
        if (!committed) return Unexpected{committed.error()};
        begun_ = true;
        ++report_.transactions;
        return {};
    }

    /// Read in the transaction, so that nobody adds an object meanwhile.
    Result<void> requireEmpty(Transaction& t) const {
        for (const auto& type : schema_.classes()) {
            TRY(present, t.list(type->type));
            if (!present.empty()) return fail(ErrorCode::Conflict, "others write to the store: stop their programs first");
        }
        return {};
    }

    nsdb::Store& store_;
    nsdb::Backend& backend_;
    const model::Schema& schema_;
    const Contents& contents_;
    const LoadOptions& options_;
    bool marked_ = false;  ///< The store holds the mark.
    bool begun_ = false;   ///< Of the objects some are there.
    LoadReport report_;
};

}  // namespace

Result<LoadReport> load(nsdb::Store& store, const model::Schema& schema, const Contents& contents, const LoadOptions& options) {
    return Loader{store, schema, contents, options}.run();
}

}  // namespace midonet::maintenance
