#include "maintenance/dump.h"

#include <fmt/chrono.h>

#include <algorithm>

#include "model/exact_json.h"
#include "model/json_writer.h"
#include "nsdb/layout.h"
#include "nsdb/object_store.h"

namespace midonet::maintenance {
namespace {

using model::JsonWriter;

class Writer {
public:
    explicit Writer(const model::Schema& schema) : schema_(schema) {}

    void header(nsdb::Revision revision, std::chrono::system_clock::time_point time) {
        const auto seconds = std::chrono::time_point_cast<std::chrono::seconds>(time);
        line([&](JsonWriter& json) {
            json.key("dump").string(kDumpName).key("format").unsignedInteger(kDumpFormat);
            json.key("schema").unsignedInteger(nsdb::kSchemaVersion).key("revision").unsignedInteger(revision);
            json.key("time").string(fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds))));
        });
    }

    void contents(const Contents& contents) {
        for (const auto& [name, object] : contents.objects)
            line([&](JsonWriter& json) {
                json.key("class").string(name.type).key("object").beginObject();
                model::writeExact(json, schema_.of(*object.message), *object.message);
                json.endObject();
            });
        for (const auto& [name, entry] : contents.entries)
            line([&](JsonWriter& json) {
                json.key("table").string(name.first);
                bytes(json, "key", name.second);
                bytes(json, "value", entry.value);
            });
        for (const auto& [name, next] : contents.counters)
            line([&](JsonWriter& json) { json.key("counter").string(name).key("next").unsignedInteger(next); });
    }

    void leased(const Image& image) {
        image.forEachBelow("s", [this](const auto& path, const auto& records) {
            for (const auto& [name, record] : records) owned("state", path.substr(2), name, record);
        });
        image.forEachBelow("t", [this](const auto& path, const auto& records) {
            for (const auto& [name, record] : records)
                if (!record.lease.isNil()) owned("learned", path.substr(2), std::string_view(name).substr(1), record);
        });
        image.forEachBelow("e", [this](const auto& path, const auto& records) {
            for (const auto& [name, record] : records) owned("candidate", nsdb::decodeName(path.substr(2)), name, record);
        });
    }

    std::string finish() {
        const auto lines = lines_;
        line([lines](JsonWriter& json) { json.key("end").unsignedInteger(lines); });
        return std::move(text_);
    }

private:
    template <class Fill>
    void line(const Fill& fill) {
        JsonWriter json;
        json.beginObject();
        fill(json);
        text_ += json.endObject().text();
        text_ += '\n';
        ++lines_;
    }

    static void bytes(JsonWriter& json, std::string_view key, std::string_view value) {
        const bool printable = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
        if (printable)
            json.key(key).string(value);
        else
            json.key(std::string(key) + "_hex").string(model::toHex(value));
    }

    void owned(std::string_view kind, std::string_view of, std::string_view name, const ImageRecord& record) {
        line([&](JsonWriter& json) {
            json.key(kind).string(of);
            bytes(json, "key", nsdb::decodeName(name));
            bytes(json, "value", record.value);
            json.key("owner").string(record.lease.toString());
        });
    }

    const model::Schema& schema_;
    std::string text_;
    std::uint64_t lines_ = 0;
};

}  // namespace

Result<std::string> dump(nsdb::Store& store, const model::Schema& schema, const DumpOptions& options) {
    auto& backend = nsdb::backendOf(store);
    TRY(image, options.withLeased ? readImage(backend, kRootsWithoutIndexes) : readImage(backend, kPersistentRoots));
    TRY(contents, contentsOf(image, schema));
    Writer out(schema);
    out.header(image.revision, options.time);
    out.contents(contents);
    if (options.withLeased) out.leased(image);
    return out.finish();
}

}  // namespace midonet::maintenance
