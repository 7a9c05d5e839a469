#include "rest/resource.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <optional>

#include "model/ids.h"
#include "rest/media_type.h"

namespace midonet::rest {
namespace {

using model::ClassSchema;

void showReferences(const Show& out, const std::vector<ReferenceLink>& links, const Message& object) {
    std::string scratch;
    for (const auto& link : links) {
        const auto id = model::uuidOf(object.GetReflection()->GetStringReference(object, link.field->field, &scratch));
        out.json.key(link.json);
        if (id.isNil())
            out.json.null();
        else
            out.json.string(out.base + link.collection + id.toString());
    }
}

}  // namespace

Outcome<std::vector<Uuid>> Holders::of(nsdb::View& view, model::Class type, const std::string& field, const Uuid& target) {
    const auto [known, fresh] = known_.try_emplace({type, field});
    if (fresh) {
        const auto* reference = model::Schema::get().of(type).reference(field);
        GET_OR_REFUSE(holders, view.list(type));
        for (const auto& holder : holders)
            for (const auto& named : model::targetsOf(*holder.object, *reference)) known->second[named].push_back(model::idOf(*holder.object));
    }
    const auto found = known->second.find(target);
    return found == known->second.end() ? std::vector<Uuid>{} : found->second;
}

std::vector<ReferenceLink> referenceLinksOf(const ClassSchema& schema) {
    constexpr std::string_view kSuffix = "Id";
    std::vector<ReferenceLink> out;
    for (const auto& field : schema.fields) {
        if (field.internal || !field.reference || field.field->is_repeated() || !field.json.ends_with(kSuffix)) continue;
        const auto& collection = model::Schema::get().of(field.reference->target).rest;
        if (!collection.empty()) out.push_back({&field, field.json.substr(0, field.json.size() - kSuffix.size()), "/" + collection + "/"});
    }
    return out;
}

std::string Resource::pathOf(const Message& object) const {
    if (path) return path(object);
    return "/" + schema->rest + "/" + model::idOf(object).toString();
}

std::vector<std::string> Resource::itemTypes() const {
    std::vector<std::string> out;
    for (const auto version : schema->mediaVersions) {
        out.push_back(itemType(schema->mediaType, version));
        for (const auto& other : otherMediaTypes) out.push_back(itemType(other, version));
    }
    out.emplace_back(kJson);
    return out;
}

std::vector<std::string> Resource::collectionTypes() const {
    std::vector<std::string> out;
    for (const auto version : schema->mediaVersions) {
        out.push_back(collectionType(schema->mediaType, version));
        for (const auto& other : otherMediaTypes) out.push_back(collectionType(other, version));
    }
    out.emplace_back(kJson);
    return out;
}

Filter filterById(std::string query, std::string doc, std::function<Outcome<std::vector<Uuid>>(nsdb::View&, const Uuid&)> select) {
    return {std::move(query), std::move(doc), [select = std::move(select)](nsdb::View& view, const std::string& value) -> Outcome<std::vector<Uuid>> {
                const auto id = Uuid::parse(value);
                return id ? select(view, *id) : std::vector<Uuid>{};
            }};
}

Outcome<void> transact(const ScopedStore& store, const std::function<Outcome<void>(nsdb::Transaction&)>& body) {
    std::optional<Fault> fault;  // of the last attempt
    const auto done = store.transact([&](nsdb::Transaction& transaction) -> Result<void> {
        fault.reset();
        auto outcome = body(transaction);
        if (outcome) return {};
        fault = std::move(outcome.error());
        return Unexpected{Error{fault->code, fault->message}};
    });
    if (done) return {};
    return tl::unexpected<Fault>{fault ? std::move(*fault) : Fault{done.error()}};
}

Outcome<void> show(const Show& out, const Resource& resource, const Message& object) {
    auto& json = out.json;
    json.beginObject();
    model::writeFields(json, *resource.schema, object);
    const auto uri = out.base + resource.pathOf(object);
    json.key("uri").string(uri);
    showReferences(out, resource.referenceLinks, object);
    for (const auto& link : resource.links) json.key(link.json).string(uri + link.path);
    for (const auto& unserved : resource.unserved) json.key(unserved.json).null();
    if (resource.hooks.show) DO_OR_REFUSE(resource.hooks.show(out, object));
    json.endObject();
    return {};
}

void describe(const Resource& resource, Bodies& bodies) {
    Properties out;
    describe(resource.schema->fields, out, bodies);
    out.push_back({.name = "uri", .type = ValueType::Uri});
    for (const auto& link : resource.referenceLinks)
        out.push_back({.name = link.json, .type = ValueType::Uri, .nullable = true, .doc = "Link of " + link.field->json + "."});
    for (const auto& link : resource.links) out.push_back({.name = link.json, .type = ValueType::Uri});
    for (const auto& unserved : resource.unserved)
        out.push_back({.name = unserved.json, .type = ValueType::Uuid, .nullable = true, .readOnly = false, .doc = "Always null: there is no " + unserved.what + "."});
    for (const auto& property : resource.more) out.push_back(property);
    for (const auto& other : resource.otherMediaTypes) bodies[other] = out;
    bodies[resource.schema->mediaType] = std::move(out);
}

Outcome<std::unique_ptr<Message>> readNew(const Resource& resource, const model::JsonBody& body) {
    auto object = resource.schema->make();
    auto violations = model::fromJson(body, *resource.schema, model::Input::Create, *object);
    if (violations.empty()) violations = model::validate(*resource.schema, *object);
    checkUnserved(resource, body, violations);
    if (!violations.empty()) return tl::unexpected<Fault>{Fault{std::move(violations)}};
    if (model::idOf(*object).isNil()) model::setId(*object, Uuid::random());
    return object;
}

void checkUnserved(const Resource& resource, const model::JsonBody& body, model::Violations& out) {
    for (const auto& unserved : resource.unserved)
        if (!body.uuid(unserved.json)) out.push_back({unserved.json, "must be a UUID"});
}

Outcome<void> refuseUnserved(const Resource& resource, const model::JsonBody& body) {
    for (const auto& unserved : resource.unserved)
        if (const auto id = body.uuid(unserved.json); id && *id)
            return refuse(404, "there is no {} {} ({})", unserved.what, **id, unserved.json);
    return {};
}

}  // namespace midonet::rest
