#include "cli/objects.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "http/message.h"

namespace midonet::cli {

namespace json = boost::json;

namespace {

constexpr std::string_view kGre = "gre";

Unexpected notOffered(std::string_view what) { return fail(ErrorCode::Unsupported, "the server offers no {}", what); }

std::int64_t numberOf(const json::object& body, std::string_view key) {
    const auto* value = body.if_contains(key);
    return value && value->is_int64() ? value->get_int64() : 0;
}

std::string textOf(const json::object& body, std::string_view key) {
    const auto* value = body.if_contains(key);
    return value && value->is_string() ? std::string{value->get_string()} : std::string{};
}

Unexpected unchangeable(const Object& object) {
    const auto name = object.collection ? object.collection->name : object.type->name;
    if (object.collection && !object.collection->creatable) return fail(ErrorCode::PermissionDenied, "objects of type {} cannot be changed.", name);
    return fail(ErrorCode::PermissionDenied, "objects of type {} cannot be changed: delete it, and create it as it should be.", name);
}

/// The list that an embedded collection is; none counts as empty.
json::array embeddedList(const Object& owner, const Collection& collection) {
    const auto* value = owner.body.if_contains(collection.link);
    return value && value->is_array() ? value->get_array() : json::array{};
}

}  // namespace

std::string Object::id() const { return type->hasId ? text("id") : std::string{}; }
std::string Object::text(std::string_view key) const { return textOf(body, key); }

Result<ObjectPtr> Objects::root() {
    if (root_) return root_;
    TRY(document, read(api_.url(), itemType(model_.root().mediaType)));
    if (!document.is_object()) return fail(ErrorCode::Malformed, "{} is not the root of a MidoNet API", api_.url());
    root_ = make(model_.root(), document.get_object(), nullptr, nullptr);
    return root_;
}

Result<std::vector<ObjectPtr>> Objects::list(const ObjectPtr& owner, const Collection& collection, const std::string& tenant) {
    const auto& type = model_.type(collection.type);
    json::value elements;
    if (collection.embedded) {
        elements = embeddedList(*owner, collection);
    } else {
        TRY(uri, linkOf(*owner, collection));
        if (collection.perTenant && !tenant.empty()) uri += "?tenant_id=" + http::percentEncode(tenant);
        auto answer = read(uri, collectionType(mediaType(collection, *owner)));
        if (!answer && answer.error().code == ErrorCode::NotFound) return notOffered(collection.name);
        if (!answer) return Unexpected{answer.error()};
        elements = std::move(*answer);
    }
    std::vector<ObjectPtr> out;
    if (!elements.is_array()) return out;
    for (auto& element : elements.get_array())
        if (element.is_object()) out.push_back(make(type, std::move(element.get_object()), owner, &collection, out.size()));
    if (!collection.sortedBy.empty())
        std::stable_sort(out.begin(), out.end(), [&](const ObjectPtr& a, const ObjectPtr& b) {
            return numberOf(a->body, collection.sortedBy) < numberOf(b->body, collection.sortedBy);
        });
    return out;
}

Result<ObjectPtr> Objects::find(const ObjectPtr& owner, const Collection& collection, const std::string& id) {
    const auto& type = model_.type(collection.type);
    const bool direct = !type.item.empty() && (owner->isRoot() || !collection.owner.empty());
    if (!direct) {
        TRY(elements, list(owner, collection));
        const auto found = std::find_if(elements.begin(), elements.end(), [&](const ObjectPtr& one) { return one->id() == id; });
        if (found == elements.end()) return fail(ErrorCode::NotFound, "no {} {}", collection.name, id);
        return *found;
    }
    TRY(uri, itemUri(type, id));
    TRY(body, read(uri, itemType(mediaType(collection, *owner))));
    if (!body.is_object()) return fail(ErrorCode::Malformed, "{} is no object", uri);
    if (!owner->isRoot() && textOf(body.get_object(), collection.owner) != owner->id())
        return fail(ErrorCode::NotFound, "no {} {} there", collection.name, id);
    return make(type, std::move(body.get_object()), owner, &collection);
}

Result<ObjectPtr> Objects::single(const ObjectPtr& root, const Collection& collection) {
    TRY(uri, linkOf(*root, collection));
    TRY(body, read(uri, itemType(mediaType(collection, *root))));
    if (!body.is_object()) return notOffered(collection.name);
    if (!body.get_object().contains("uri")) body.get_object()["uri"] = uri;
    return make(model_.type(collection.type), std::move(body.get_object()), root, &collection);
}

Result<ObjectPtr> Objects::byId(std::string_view typeName, const std::string& id) {
    const auto& type = model_.type(typeName);
    TRY(uri, itemUri(type, id));
    TRY(body, read(uri, itemType(type.mediaType)));
    if (!body.is_object()) return fail(ErrorCode::Malformed, "{} is no object", uri);
    const auto object = make(type, std::move(body.get_object()), nullptr, nullptr);
    TRY(top, root());
    auto withOwner = *object;
    withOwner.owner = top;
    if (const auto ownerId = object->text(object->type->ownerKey); !ownerId.empty()) {
        TRY(owner, byId(object->type->ownerType, ownerId));
        withOwner.owner = std::move(owner);
    }
    for (const auto* child : allChildren(model_, *withOwner.owner->type)) {
        const auto& declared = model_.type(child->type);
        const bool isIt = &declared == object->type || std::any_of(declared.variants.begin(), declared.variants.end(), [&](const auto& variant) {
            return variant.second == object->type->name;
        });
        if (isIt) withOwner.collection = child;
    }
    return std::make_shared<const Object>(std::move(withOwner));
}

Result<ObjectPtr> Objects::create(const ObjectPtr& owner, const Collection& collection, json::object body) {
    if (collection.embedded) {
        auto elements = embeddedList(*owner, collection);
        const auto index = elements.size();
        elements.push_back(body);
        TRY_VOID(changeEmbedded(owner, collection, std::move(elements)));
        return make(model_.type(collection.type), std::move(body), owner, &collection, index);
    }
    TRY(uri, linkOf(*owner, collection));
    const auto type = itemType(mediaType(collection, *owner));
    auto location = api_.post(uri, type, body);
    if (!location) return Unexpected{refused(location.error(), uri, collection)};
    forget();
    TRY(made, read(*location, type));
    if (!made.is_object()) return fail(ErrorCode::Malformed, "{} is no object", *location);
    return make(model_.type(collection.type), std::move(made.get_object()), owner, &collection);
}

Result<void> Objects::update(const Object& object, const json::object& body) {
    if (object.collection && object.collection->embedded) {
        auto elements = embeddedList(*object.owner, *object.collection);
        if (object.index < elements.size()) elements[object.index] = body;
        TRY_VOID(changeEmbedded(object.owner, *object.collection, std::move(elements)));
        return {};
    }
    forget();
    auto sent = api_.put(object.text("uri"), itemType(object.collection ? mediaType(*object.collection, *object.owner) : object.type->mediaType), body);
    if (sent || sent.error().code != ErrorCode::Unsupported) return sent;
    return unchangeable(object);
}

Result<void> Objects::remove(const Object& object) {
    if (object.collection && object.collection->embedded) {
        auto elements = embeddedList(*object.owner, *object.collection);
        if (object.index < elements.size()) elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(object.index));
        TRY_VOID(changeEmbedded(object.owner, *object.collection, std::move(elements)));
        return {};
    }
    forget();
    return api_.remove(object.text("uri"));
}

Result<ObjectPtr> Objects::link(const ObjectPtr& object, std::string_view key, const json::object& body) {
    forget();
    TRY_VOID(api_.post(object->text(key), itemType("PortLink-v1"), body));
    return reread(object);
}

Result<ObjectPtr> Objects::unlink(const ObjectPtr& object, std::string_view key) {
    forget();
    TRY_VOID(api_.remove(object->text(key)));
    return reread(object);
}

Result<json::value> Objects::read(const std::string& uri, const std::string& mediaType) {
    const auto key = uri + " " + mediaType;
    if (const auto had = read_.find(key); had != read_.end()) return had->second;
    TRY(body, api_.get(uri, mediaType));
    read_.emplace(key, body);
    return body;
}

ObjectPtr Objects::make(const Type& declared, json::object body, ObjectPtr owner, const Collection* collection, std::size_t index) const {
    const auto* type = &declared;
    const auto kind = textOf(body, declared.variantKey);
    for (const auto& [value, name] : declared.variants)
        if (value == kind) type = &model_.type(name);
    return std::make_shared<const Object>(
        Object{.type = type, .body = std::move(body), .owner = std::move(owner), .collection = collection, .index = index});
}

Result<std::string> Objects::linkOf(const Object& object, const Collection& collection) const {
    auto uri = object.text(collection.link);
    if (uri.empty()) return notOffered(collection.name);
    return uri;
}

std::string Objects::mediaType(const Collection& collection, const Object& owner) const {
    const bool gre = !collection.gre.empty() && owner.text("type") == kGre;
    return std::string{gre ? collection.gre : model_.type(collection.type).mediaType};
}

Result<ObjectPtr> Objects::reread(const ObjectPtr& object) {
    TRY(body, read(object->text("uri"), itemType(object->type->mediaType)));
    if (!body.is_object()) return fail(ErrorCode::Malformed, "{} is no object", object->text("uri"));
    return make(*object->type, std::move(body.get_object()), object->owner, object->collection);
}

Result<std::string> Objects::itemUri(const Type& type, const std::string& id) {
    TRY(top, root());
    constexpr std::string_view kHole = "{id}";
    auto uri = top->text(type.item);
    const auto hole = uri.find(kHole);
    if (hole == uri.npos) return notOffered(type.name);
    return uri.replace(hole, kHole.size(), http::percentEncode(id));
}

Result<ObjectPtr> Objects::changeEmbedded(const ObjectPtr& owner, const Collection& collection, json::array elements) {
    auto body = owner->body;
    body[collection.link] = std::move(elements);
    TRY_VOID(update(*owner, body));
    return owner;
}

Error Objects::refused(const Error& error, const std::string& uri, const Collection& collection) {
    if (error.code != ErrorCode::NotFound) return error;
    const auto listed = api_.get(uri, collectionType(model_.type(collection.type).mediaType));
    if (listed || listed.error().code != ErrorCode::NotFound) return error;
    return notOffered(collection.name).value();
}

}  // namespace midonet::cli
