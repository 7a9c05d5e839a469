#include "rest/object_api.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "base/assert.h"
#include "model/ids.h"
#include "rest/entity_tag.h"

namespace midonet::rest {
namespace {

/// What the query of a list may hold; the filters of the whole class only where all of it is listed.
std::vector<std::pair<std::string, std::string>> queryOf(const Resource& resource, bool all) {
    auto out = ListQuery::parametersOf(*resource.schema);
    if (all)
        for (const auto& filter : resource.filters) out.emplace_back(filter.query, filter.doc);
    return out;
}

/// Of a list that comes in pieces: it names the moment of the store when it began, not the text, which nobody has yet. While the store is
/// at that moment the pieces were of it too. All else that the text depends on is in it as well. For administrators: the moment moves with
/// what others do.
void tagLongList(const Call& call, nsdb::Revision revision, http::Response& response) {
    const auto asked = fmt::format("{} {} {}", call.base, call.request.target, call.contentType);
    const auto tag = fmt::format("\"{}-{}", revision, entityTag(asked).substr(1));
    if (const auto known = call.request.headers.find("If-None-Match"); known && namesTag(*known, tag)) response = Call::empty(304);
    response.headers.add("ETag", "W/" + tag);
}

}  // namespace

const Resource& ObjectApi::add(Resource added) {
    const auto type = added.schema->type;
    auto& slot = resources_[type];
    MIDONET_ASSERT(!slot, "a class is added once");
    slot = std::make_unique<const Resource>(std::move(added));
    const Resource& resource = *slot;
    describe(resource, service_.bodies());
    if (resource.schema->rest.empty()) return resource;

    const auto collection = "/" + resource.schema->rest;
    const auto item = collection + "/{id}";
    const auto items = resource.itemTypes();
    const bool readsBlock = store_.readsBlock();
    const bool forTenants = resource.schema->isOfTenants();
    // A list may be long: it does not hold up the loop.
    if (resource.listable)
        service_.add({.method = http::Method::Get, .path = collection, .produces = resource.collectionTypes(), .consumes = {},
                      .blocks = true, .forTenants = forTenants, .run = [this, &resource](const Call& call) { return list(call, resource); },
                      .about = {.query = queryOf(resource, true)}});
    if (!resource.listable && !resource.creatable) service_.addBare(collection);
    service_.add({.method = http::Method::Get, .path = item, .produces = items, .consumes = {}, .blocks = readsBlock, .forTenants = forTenants,
                  .run = [this, &resource](const Call& call) -> Outcome<http::Response> {
                      GET_OR_REFUSE(id, call.id());
                      return answerItem(call, resource, id);
                  }});
    if (resource.updatable)
        service_.add({.method = http::Method::Put, .path = item, .produces = {}, .consumes = items,
                      .wrongContentType = resource.wrongContentType, .blocks = true, .forTenants = forTenants,
                      .run = [this, &resource](const Call& call) -> Outcome<http::Response> {
                          GET_OR_REFUSE(id, call.id());
                          return update(call, resource, id);
                      },
                      .about = {.success = resource.updated}});
    if (resource.creatable)
        service_.add({.method = http::Method::Post, .path = collection, .produces = {}, .consumes = items,
                      .wrongContentType = resource.wrongContentType, .blocks = true, .forTenants = forTenants,
                      .run = [this, &resource](const Call& call) { return create(call, resource, {}); }});
    if (resource.removable)
        service_.add({.method = http::Method::Delete, .path = item, .produces = {}, .consumes = {}, .blocks = true, .forTenants = forTenants,
                      .run = [this, &resource](const Call& call) -> Outcome<http::Response> {
                          GET_OR_REFUSE(id, call.id());
                          return remove(call, resource, id);
                      },
                      .about = {.success = resource.removed}});
    return resource;
}

void ObjectApi::addChildren(const Resource& parent, std::string_view segment, const Resource& child, std::string_view field,
                            Collection which) {
    const auto* reference = child.schema->reference(field);
    MIDONET_ASSERT(reference != nullptr && reference->rules.target == parent.schema->type, "the field refers to the parent");
    const auto path = fmt::format("/{}/{{id}}/{}", parent.schema->rest, segment);
    const bool forTenants = parent.schema->isOfTenants() && child.schema->isOfTenants();
    const auto exists = [&parent](nsdb::View& view, const Uuid& id) -> Outcome<void> {
        DO_OR_REFUSE(view.get(parent.schema->type, id));
        return {};
    };
    if (which.list)
        service_.add({.method = http::Method::Get, .path = path, .produces = child.collectionTypes(), .consumes = {}, .blocks = true,
                      .forTenants = forTenants, .run = [this, exists, &child, name = std::string{field}](const Call& call) -> Outcome<http::Response> {
                          GET_OR_REFUSE(id, call.id());
                          GET_OR_REFUSE(reads, view(call));
                          DO_OR_REFUSE(exists(*reads, id));
                          GET_OR_REFUSE(ids, reads->referrers(child.schema->type, name, id));
                          return answerList(call, child, *reads, ids);
                      },
                      .about = {.query = queryOf(child, false)}});
    if (which.create)
        service_.add({.method = http::Method::Post, .path = path, .produces = {}, .consumes = child.itemTypes(),
                      .wrongContentType = child.wrongContentType, .blocks = true, .forTenants = forTenants,
                      .run = [this, exists, &child, slot = reference->path.front()](const Call& call) -> Outcome<http::Response> {
                          GET_OR_REFUSE(id, call.id());
                          return create(call, child, [&](nsdb::Transaction& transaction, Message& object) -> Outcome<void> {
                              DO_OR_REFUSE(exists(transaction, id));
                              object.GetReflection()->SetString(&object, slot, model::bytesOf(id));
                              return {};
                          });
                      }});
}

Outcome<std::unique_ptr<nsdb::View>> ObjectApi::view(const Call& call) const {
    GET_OR_REFUSE(view, storeOf(call).view());
    return view;
}

Outcome<http::Response> ObjectApi::answerItem(const Call& call, const Resource& resource, const Uuid& id) const {
    GET_OR_REFUSE(reads, view(call));
    GET_OR_REFUSE(found, reads->get(resource.schema->type, id));
    model::JsonWriter json;
    json.reserve(2048);
    DO_OR_REFUSE(show({.view = *reads, .base = call.base, .json = json, .toTenant = !call.caller.isAdministrator()}, resource, *found.object));
    return call.ok(json.take());
}

Outcome<http::Response> ObjectApi::answerList(const Call& call, const Resource& resource, nsdb::View& view, std::vector<Uuid> ids) const {
    return answerListing(call, resource, view, {std::move(ids)});
}

Outcome<http::Response> ObjectApi::answerListing(const Call& call, const Resource& resource, nsdb::View& view, Listing listing) const {
    ListQuery query(call.request, *resource.schema);
    const bool page = query.limit().has_value();
    const auto text = std::make_shared<ListText>(storeOf(call), resource, call.base, std::move(listing), query);
    GET_OR_REFUSE(first, text->next(view));
    while (page && !text->ended()) {
        GET_OR_REFUSE(piece, text->next(view));
        first += piece;
    }
    auto response = call.ok(std::move(first));
    if (!text->ended()) {
        response.more = service_.inPieces([text] { return text->next(); });
        // Elsewhere nobody can say which moment a list is of.
        if (!store_.readsBlock() && call.caller.isAdministrator()) tagLongList(call, view.revision(), response);
    }
    if (const auto& last = text->lastOfPage())
        response.headers.add("Link", fmt::format("<{}>; rel=\"next\"", call.absolute(query.targetAfter(*last))));
    return response;
}

/// Those the filter of the query leaves, or all.
Outcome<Listing> ObjectApi::listed(const Call& call, const Resource& resource, nsdb::View& view) const {
    for (const auto& filter : resource.filters) {
        const auto value = call.request.query(filter.query);
        if (!value) continue;
        GET_OR_REFUSE(selected, filter.select(view, *value));
        return Listing{std::move(selected)};
    }
    Listing out;
    if (!store_.readsBlock()) {
        GET_OR_REFUSE(ids, view.ids(resource.schema->type));
        out.ids = std::move(ids);
        return out;
    }
    GET_OR_REFUSE(all, view.list(resource.schema->type));
    for (auto& stored : all) {
        out.ids.push_back(model::idOf(*stored.object));
        out.objects.push_back(std::move(stored.object));
    }
    return out;
}

Outcome<http::Response> ObjectApi::list(const Call& call, const Resource& resource) const {
    GET_OR_REFUSE(reads, view(call));
    GET_OR_REFUSE(listing, listed(call, resource, *reads));
    return answerListing(call, resource, *reads, std::move(listing));
}

Outcome<void> ObjectApi::checkMatch(const Call& call, const Resource& resource, nsdb::Transaction& transaction, const Message& stored) const {
    if (!call.request.headers.find("If-Match")) return {};
    GET_OR_REFUSE(text, shownNow(call, resource, transaction, stored));
    return rest::checkMatch(call.request, std::string_view{text});
}

/// What GET would answer within the transaction.
Outcome<std::string> ObjectApi::shownNow(const Call& call, const Resource& resource, nsdb::Transaction& transaction, const Message& stored) const {
    model::JsonWriter json;
    const auto store = storeOf(call);
    if (!store.isOfTenant()) {
        DO_OR_REFUSE(show({transaction, call.base, json}, resource, stored));
        return json.take();
    }
    const auto reads = store.shown(transaction);
    GET_OR_REFUSE(part, reads->get(resource.schema->type, model::idOf(stored)));
    DO_OR_REFUSE(show({.view = *reads, .base = call.base, .json = json, .toTenant = true}, resource, *part.object));
    return json.take();
}

Outcome<http::Response> ObjectApi::create(const Call& call, const Resource& resource, const Adopt& adopt) const {
    GET_OR_REFUSE(body, call.body());
    GET_OR_REFUSE(fresh, readNew(resource, body));
    std::string path;
    return transact(storeOf(call), [&](nsdb::Transaction& transaction) -> Outcome<void> {
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
    return transact(storeOf(call), [&](nsdb::Transaction& transaction) -> Outcome<void> {
        GET_OR_REFUSE(stored, transaction.get(resource.schema->type, id));
        DO_OR_REFUSE(checkMatch(call, resource, transaction, *stored.object));
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

Outcome<http::Response> ObjectApi::remove(const Call& call, const Resource& resource, const Uuid& id) const {
    return transact(storeOf(call), [&](nsdb::Transaction& transaction) -> Outcome<void> {
        auto stored = transaction.get(resource.schema->type, id);
        if (!stored && stored.error().code == ErrorCode::NotFound && !resource.removeMissingIs404) return {};
        if (!stored) return tl::unexpected<Fault>{Fault{stored.error()}};
        DO_OR_REFUSE(checkMatch(call, resource, transaction, *stored->object));
        if (resource.hooks.beforeRemove) DO_OR_REFUSE(resource.hooks.beforeRemove(transaction, *stored->object));
        DO_OR_REFUSE(transaction.remove(resource.schema->type, id));
        return {};
    }).map([&] { return Call::empty(resource.removed); });
}

}  // namespace midonet::rest
