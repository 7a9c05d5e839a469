#include "maintenance/contents.h"

#include <google/protobuf/message.h>

#include <charconv>

#include "nsdb/layout.h"
#include "nsdb/object_reader.h"

namespace midonet::maintenance {
namespace {

constexpr std::string_view kSeeVerify = "; midonet-nsdb verify says more";

Result<void> readObjects(const Image& image, const model::Schema& schema, Contents& out) {
    Result<void> done;
    image.forEachBelow("o", [&](const std::string& path, const Image::Directory& records) {
        if (!done) return;
        const auto* type = schema.byName(path.substr(2));
        if (type == nullptr) {
            done = fail(ErrorCode::Unsupported, "{} objects are of the class {}, which this program does not know: use a newer one",
                        records.size(), path.substr(2));
            return;
        }
        for (const auto& [name, record] : records) {
            const auto id = Uuid::parse(name);
            auto object = nsdb::decodeObject(*type, record.value);
            if (id && object && model::idOf(**object) == *id)
                out.objects.emplace(ObjectName{type->name, *id}, Contents::Object{std::move(*object), 0});
            else
                done = fail(ErrorCode::Malformed, "the {} in the record {} is damaged{}", type->name, name, kSeeVerify);
        }
    });
    return done;
}

void readEntries(const Image& image, Contents& out) {
    image.forEachBelow("t", [&](const std::string& path, const Image::Directory& records) {
        for (const auto& [name, record] : records)
            if (name.starts_with(static_cast<char>(nsdb::TableSlot::Persistent)))
                out.entries.emplace(std::pair{path.substr(2), nsdb::decodeName(std::string_view(name).substr(1))},
                                    Contents::Entry{record.value, 0});
    });
}

Result<void> readCounters(const Image& image, Contents& out) {
    for (const auto& [name, record] : image.directory("c")) {
        std::uint64_t next = 0;
        const char* const end = record.value.data() + record.value.size();
        if (std::from_chars(record.value.data(), end, next).ptr != end || record.value.empty())
            return fail(ErrorCode::Malformed, "the counter {} is damaged{}", nsdb::decodeName(name), kSeeVerify);
        out.counters.emplace(nsdb::decodeName(name), next);
    }
    return {};
}

}  // namespace

Result<Contents> contentsOf(const Image& image, const model::Schema& schema) {
    if (image.find(nsdb::unfinishedLoadMark()) != nullptr)
        return fail(ErrorCode::Conflict, "a load of this store did not come to its end: load again, with --replace");
    Contents out;
    TRY_VOID(readObjects(image, schema, out));
    readEntries(image, out);
    TRY_VOID(readCounters(image, out));
    return out;
}

}  // namespace midonet::maintenance
