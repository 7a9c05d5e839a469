#include "rest/change_lines.h"

#include "base/assert.h"
#include "model/json_writer.h"
#include "model/schema.h"

namespace midonet::rest {
namespace {

std::string_view wordOf(nsdb::ObjectChange::Kind kind) {
    using Kind = nsdb::ObjectChange::Kind;
    switch (kind) {
        case Kind::Created: return "created";
        case Kind::Updated: return "updated";
        case Kind::Deleted: return "deleted";
    }
    MIDONET_UNREACHABLE();
}

std::string lineOf(nsdb::Revision revision, const std::vector<nsdb::ObjectChange>& changes) {
    model::JsonWriter json;
    json.beginObject().key("revision").unsignedInteger(revision).key("changes").beginArray();
    for (const auto& change : changes) {
        json.beginObject().key("type").string(model::Schema::get().of(change.type).name).key("id").string(change.id.toString());
        json.key("change").string(wordOf(change.kind)).endObject();
    }
    return json.endArray().endObject().take() + '\n';
}

}  // namespace

Outcome<std::string> ChangeLines::begin(std::optional<nsdb::Revision> since) {
    if (since) {
        position_ = *since;
        marked_ = since;
        return next();
    }
    std::string none;
    DO_OR_REFUSE(read(std::nullopt, none));
    return mark();
}

Outcome<std::string> ChangeLines::next() {
    std::string out;
    do DO_OR_REFUSE(read(position_, out));
    while (more_ && out.empty());
    return out;
}

std::string ChangeLines::mark() {
    marked_ = position_;
    return lineOf(position_, {});
}

Outcome<void> ChangeLines::read(std::optional<nsdb::Revision> since, std::string& out) {
    auto part = store_.changesSince(since);
    if (!part && part.error().code == ErrorCode::Stale) return refuse(410, "{}", part.error().message);
    if (!part) return tl::unexpected<Fault>{Fault{std::move(part.error())}};
    for (auto& [revision, changes] : part->entries) {
        if (!types_.empty()) std::erase_if(changes, [this](const auto& change) { return !types_.contains(change.type); });
        if (changes.empty()) continue;
        out += lineOf(revision, changes);
        marked_ = revision;
    }
    position_ = part->through;
    more_ = part->more;
    return {};
}

}  // namespace midonet::rest
