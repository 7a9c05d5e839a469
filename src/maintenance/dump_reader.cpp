#include <google/protobuf/message.h>

#include <istream>

#include "maintenance/dump.h"
#include "model/exact_json.h"
#include "nsdb/layout.h"

namespace midonet::maintenance {
namespace {

using model::JsonBody;

/// More mistakes are not told: it is the wrong file.
constexpr std::size_t kToldMistakes = 20;

Result<std::string> bytesOf(const JsonBody& line, const std::string& key) {
    const auto hex = key + "_hex";
    if (!line.given(hex)) return model::exactText(line, key);
    TRY(digits, model::exactText(line, hex));
    auto bytes = model::fromHex(digits);
    if (!bytes) return Unexpected{bytes.error().withContext(hex)};
    return bytes;
}

Result<std::uint64_t> numberOf(const JsonBody& line, std::string_view key) {
    TRY(number, line.integer(key));
    if (number && *number >= 0) return static_cast<std::uint64_t>(*number);
    return fail(ErrorCode::Malformed, "{}: must be a number, and not be negative", key);
}

/// Line after line; knows what a mistake is, and goes on after one.
class Reader {
public:
    explicit Reader(const model::Schema& schema) : schema_(schema) {}

    Result<Contents> read(std::istream& in) {
        for (std::string text; mistakes_.size() < kToldMistakes && std::getline(in, text);) {
            ++number_;
            const auto taken = line(text);
            if (!taken) mistake(taken.error().message);
            if (number_ == 1 && !taken) return Unexpected{taken.error().withContext("line 1")};
        }
        if (!ended_ && mistakes_.size() < kToldMistakes)
            mistake("the dump ends here without an end line: a part of it is missing");
        if (mistakes_.empty()) return std::move(out_);
        return fail(ErrorCode::Malformed, "{}", fmt::join(mistakes_, "\n"));
    }

private:
    void mistake(std::string_view message) { mistakes_.push_back(fmt::format("line {}: {}", number_, message)); }

    Result<void> line(std::string_view text) {
        if (ended_) return fail(ErrorCode::Malformed, "nothing may follow the end line");
        TRY(body, JsonBody::parseWhole(text));
        if (number_ == 1) return header(body);
        if (body.given("class")) return object(body);
        if (body.given("table")) return entry(body);
        if (body.given("counter")) return counter(body);
        if (body.given("state") || body.given("learned") || body.given("candidate")) return {};
        ended_ = body.given("end");
        if (ended_) return {};
        return fail(ErrorCode::Malformed, "is no line of a dump: none of class, table, counter, end");
    }

    static Result<void> header(const JsonBody& body) {
        if (const auto name = model::exactText(body, "dump"); !name || *name != kDumpName)
            return fail(ErrorCode::Malformed, "this is no dump of a MidoNet NSDB");
        TRY(format, numberOf(body, "format"));
        TRY(version, numberOf(body, "schema"));
        if (format > kDumpFormat || version > nsdb::kSchemaVersion)
            return fail(ErrorCode::Unsupported,
                        "the dump has format {} and schema version {}, this program knows up to {} and {}: use a newer one", format,
                        version, kDumpFormat, nsdb::kSchemaVersion);
        return {};
    }

    Result<void> object(const JsonBody& body) {
        TRY(name, model::exactText(body, "class"));
        const auto* type = schema_.byName(name);
        if (type == nullptr) return fail(ErrorCode::Malformed, "class: there is no class {}", name);
        TRY(fields, body.inner("object"));
        std::shared_ptr<model::Message> message = type->make();
        for (const auto& violation : model::readExact(fields, *type, *message))
            mistake(fmt::format("{}: {}", violation.property, violation.message));
        const auto id = model::idOf(*message);
        if (id.isNil()) return fail(ErrorCode::Malformed, "id: must be given");
        return add(out_.objects, ObjectName{name, id}, {std::move(message), number_}, name);
    }

    Result<void> entry(const JsonBody& body) {
        TRY(table, model::exactText(body, "table"));
        TRY(key, bytesOf(body, "key"));
        TRY(value, bytesOf(body, "value"));
        return add(out_.entries, Contents::EntryName{std::move(table), std::move(key)}, {std::move(value), number_}, "entry");
    }

    Result<void> counter(const JsonBody& body) {
        TRY(name, model::exactText(body, "counter"));
        TRY(next, numberOf(body, "next"));
        if (out_.counters.emplace(name, next).second) return {};
        return fail(ErrorCode::Malformed, "counter: {} is there twice", name);
    }

    template <class Map>
    Result<void> add(Map& to, typename Map::key_type key, typename Map::mapped_type value, std::string_view what) {
        const auto [known, added] = to.try_emplace(std::move(key), std::move(value));
        if (added) return {};
        return fail(ErrorCode::Malformed, "the same {} is on line {}", what, known->second.line);
    }

    const model::Schema& schema_;
    Contents out_;
    std::vector<std::string> mistakes_;
    std::size_t number_ = 0;
    bool ended_ = false;
};

}  // namespace

Result<Contents> readDump(std::istream& in, const model::Schema& schema) { return Reader{schema}.read(in); }

}  // namespace midonet::maintenance
