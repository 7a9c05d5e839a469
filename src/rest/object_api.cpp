#include "rest/object_api.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "base/assert.h"
#include "model/ids.h"

namespace midonet::rest {

const Resource& ObjectApi::add(Resource added) {
    const auto type = added.schema->type;
    auto& slot = resources_[type];
    MIDONET_ASSERT(!slot, "a class is added once");
    slot = std::make_unique<const Resource>(std::move(added));
    const Resource& resource = *slot;
    if (resource.schema->rest.empty()) return resource;

    const auto collection = "/" + resource.schema->rest;
    const auto item = collection + "/{id}";
    const auto items = resource.itemTypes();
    const bool readsBlock = store_.readsBlock();
    // A list may be long: it does not hold up the loop.
    if (resource.listable)
        service_.add({.method = http::Method::Get, .path = collection, .produces = resource.collectionTypes(), .consumes = {},
                      .blocks = true, .run = [this, &resource](const Call& call) { return list(call, resource); }});
    if (!resource.listable && !resource.creatable) service_.addBare(collection);
    service_.add({.method = http::Method::Get, .path = item, .produces = items, .consumes = {}, .blocks = readsBlock,
                  .run = [this, &resource](const Call& call) -> Outcome<http::Response> {
                      GET_OR_REFUSE(id, call.id());
                      return answerItem(call, resource, id);
                  }});
    if (resource.updatable)
        service_.add({.method = http::Method::Put, .path = item, .produces = {}, .consumes = items,
                      .wrongContentType = resource.wrongContentType, .blocks = true,
                      .run = [this, &resource](const Call& call) -> Outcome<http::Response> {
                          GET_OR_REFUSE(id, call.id());
                          return update(call, resource, id);
                      }});
    if (resource.creatable)
        service_.add({.method = http::Method::Post, .path = collection, .produces = {}, .consumes = items,
                      .wrongContentType = resource.wrongContentType, .blocks = true,
                      .run = [this, &resource](const Call& call) { return create(call, resource, {}); }});
    if (resource.removable)
        service_.add({.method = http::Method::Delete, .path = item, .produces = {}, .consumes = {}, .blocks = true,
                      .run = [this, &resource](const Call& call) -> Outcome<http::Response> {
                          GET_OR_REFUSE(id, call.id());
                          return remove(resource, id);
                      }});
    return resource;
}

void ObjectApi::addChildren(const Resource& parent, std::string_view segment, const Resource& child, std::string_view field,
                            Collection which) {
    const auto* reference = child.schema->reference(field);
    MIDONET_ASSERT(reference != nullptr && reference->rules.target == parent.schema->type, "the field refers to the parent");
    const auto path = fmt::format("/{}/{{id}}/{}", parent.schema->rest, segment);
    const auto exists = [&parent](nsdb::View& view, const Uuid& id) -> Outcome<void> {
        DO_OR_REFUSE(view.get(parent.schema->type, id));
        return {};
    };
    if (which.list)
        service_.add({.method = http::Method::Get, .path = path, .produces = child.collectionTypes(), .consumes = {}, .blocks = true,
                      .run = [this, exists, &child, name = std::string{field}](const Call& call) -> Outcome<http::Response> {
                          GET_OR_REFUSE(id, call.id());
                          GET_OR_REFUSE(reads, view());
                          DO_OR_REFUSE(exists(*reads, id));
                          GET_OR_REFUSE(ids, reads->referrers(child.schema->type, name, id));
                          return answerList(call, child, *reads, ids);
                      }});
    if (which.create)
        service_.add({.method = http::Method::Post, .path = path, .produces = {}, .consumes = child.itemTypes(),
                      .wrongContentType = child.wrongContentType, .blocks = true,
                      .run = [this, exists, &child, slot = reference->path.front()](const Call& call) -> Outcome<http::Response> {
                          GET_OR_REFUSE(id, call.id());
                          return create(call, child, [&](nsdb::Transaction& transaction, Message& object) -> Outcome<void> {
                              DO_OR_REFUSE(exists(transaction, id));
                              object.GetReflection()->SetString(&object, slot, model::bytesOf(id));
                              return {};
                          });
                      }});
}

Outcome<std::unique_ptr<nsdb::View>> ObjectApi::view() const {
    GET_OR_REFUSE(view, store_.view());
    return view;
}

Outcome<http::Response> ObjectApi::answerItem(const Call& call, const Resource& resource, const Uuid& id) const {
    GET_OR_REFUSE(reads, view());
    GET_OR_REFUSE(found, reads->get(resource.schema->type, id));
    model::JsonWriter json;
    json.reserve(2048);
    DO_OR_REFUSE(show({*reads, call.base, json}, resource, *found.object));
    return call.ok(json.take());
}

Outcome<http::Response> ObjectApi::answerList(const Call& call, const Resource& resource, nsdb::View& view,
                                              const std::vector<Uuid>& ids) const {
    if (store_.readsBlock()) DO_OR_REFUSE(view.readAhead(resource.schema->type, ids));
    DO_OR_REFUSE(readShownStates(resource, view, ids));
    model::JsonWriter json;
    const Show out{view, call.base, json};
    json.beginArray();
    for (const auto& id : ids) {
        auto found = view.get(resource.schema->type, id);
        if (!found && found.error().code == ErrorCode::NotFound) continue;
        if (!found) return tl::unexpected<Fault>{Fault{found.error()}};
        DO_OR_REFUSE(show(out, resource, *found->object));
    }
    return call.ok(json.endArray().take());
}

Outcome<void> ObjectApi::readShownStates(const Resource& resource, nsdb::View& view, const std::vector<Uuid>& ids) const {
    if (!resource.shownState.empty() && store_.readsBlock())
        DO_OR_REFUSE(view.readStatesAhead(resource.schema->type, ids, resource.shownState));
    return {};
}

/// Those the filter of the query leaves, or all.
Outcome<std::vector<nsdb::Stored<Message>>> ObjectApi::listed(const Call& call, const Resource& resource, nsdb::View& view) const {
    for (const auto& filter : resource.filters) {
        const auto value = call.request.query(filter.query);
        if (!value) continue;
        std::vector<nsdb::Stored<Message>> out;
        GET_OR_REFUSE(selected, filter.select(view, *value));
        if (store_.readsBlock()) DO_OR_REFUSE(view.readAhead(resource.schema->type, selected));
        for (const auto& one : selected) {
            GET_OR_REFUSE(stored, view.get(resource.schema->type, one));
            out.push_back(std::move(stored));
        }
        return out;
    }
    GET_OR_REFUSE(all, view.list(resource.schema->type));
    return all;
}

Outcome<http::Response> ObjectApi::list(const Call& call, const Resource& resource) const {
    const auto* tenantField = resource.schema->fieldByJson("tenantId");
    const auto tenant = tenantField != nullptr ? call.request.query("tenant_id") : std::nullopt;
    GET_OR_REFUSE(reads, view());
    GET_OR_REFUSE(found, listed(call, resource, *reads));
    std::vector<Uuid> ids;
    for (const auto& stored : found) ids.push_back(model::idOf(*stored.object));
    DO_OR_REFUSE(readShownStates(resource, *reads, ids));
    model::JsonWriter json;
    const Show out{*reads, call.base, json};
    json.beginArray();
    for (const auto& stored : found) {
        if (tenant && model::textOf(*stored.object, *tenantField) != *tenant) continue;
        DO_OR_REFUSE(show(out, resource, *stored.object));
    }
    return call.ok(json.endArray().take());
}

Outcome<http::Response> ObjectApi::create(const Call& call, const Resource& resource, const Adopt& adopt) const {
    GET_OR_REFUSE(body, call.body());
    GET_OR_REFUSE(fresh, readNew(resource, body));
    std::string path;
    return transact(store_, [&](nsdb::Transaction& transaction) -> Outcome<void> {
        const std::unique_ptr<Message> object{fresh->New()};  // the body of a transaction may run again
        object->CopyFrom(*fresh);
        if (adopt) DO_OR_REFUSE(adopt(transaction, *object));
        DO_OR_REFUSE(refuseUnserved(resource, body));
        if (resource.hooks.beforeCreate) DO_OR_REFUSE(resource.hooks.beforeCreate({transaction, body, call}, *object));
        DO_OR_REFUSE(transaction.create(*object));
        if (resource.hooks.afterCreate) DO_OR_REFUSE(resource.hooks.afterCreate({transaction, body, call}, *object));
        path = resource.pathOf(*object);
        return {};
    }).map([&] { return call.created(path); });
}

Outcome<http::Response> ObjectApi::update(const Call& call, const Resource& resource, const Uuid& id) const {
    GET_OR_REFUSE(body, call.body());
    return transact(store_, [&](nsdb::Transaction& transaction) -> Outcome<void> {
        GET_OR_REFUSE(stored, transaction.get(resource.schema->type, id));
        const std::unique_ptr<Message> next{stored.object->New()};
        next->CopyFrom(*stored.object);
        auto violations = model::fromJson(body, *resource.schema, model::Input::Update, *next);
        if (violations.empty()) violations = model::validate(*resource.schema, *next);
        checkUnserved(resource, body, violations);
        if (!violations.empty()) return tl::unexpected<Fault>{Fault{std::move(violations)}};
        DO_OR_REFUSE(refuseUnserved(resource, body));
        if (resource.hooks.beforeUpdate) DO_OR_REFUSE(resource.hooks.beforeUpdate({transaction, body, call}, *stored.object, *next));
        DO_OR_REFUSE(transaction.update(*next));
        return {};
    }).map([&] { return Call::empty(resource.updated); });
}

Outcome<http::Response> ObjectApi::remove(const Resource& resource, const Uuid& id) const {
    return transact(store_, [&](nsdb::Transaction& transaction) -> Outcome<void> {
        auto stored = transaction.get(resource.schema->type, id);
        if (!stored && stored.error().code == ErrorCode::NotFound && !resource.removeMissingIs404) return {};
        if (!stored) return tl::unexpected<Fault>{Fault{stored.error()}};
        if (resource.hooks.beforeRemove) DO_OR_REFUSE(resource.hooks.beforeRemove(transaction, *stored->object));
        DO_OR_REFUSE(transaction.remove(resource.schema->type, id));
        return {};
    }).map([&] { return Call::empty(resource.removed); });
}

}  // namespace midonet::rest
