#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/json.h"
#include "model/schema.h"
#include "nsdb/store.h"
#include "rest/fault.h"
#include "rest/scoped_store.h"
#include "rest/service.h"

namespace midonet::rest {

using model::Message;

/// Who holds references to the objects of an answer: all holders are read once, however many objects are shown, since a
/// look at the index of each would cost a long list dearly. For classes of which there are few.
class Holders {
public:
    /// Ids of the objects of `T` whose reference `field` names `target`, ordered.
    template <class T>
    Outcome<std::vector<Uuid>> of(nsdb::View& view, const std::string& field, const Uuid& target) {
        return of(view, T::descriptor(), field, target);
    }

private:
    Outcome<std::vector<Uuid>> of(nsdb::View& view, model::Class type, const std::string& field, const Uuid& target);

    using ByTarget = std::map<Uuid, std::vector<Uuid>>;
    std::map<std::pair<model::Class, std::string>, ByTarget> known_;
};

/// What shows the objects of an answer: the moment's reads, and the open JSON.
struct Show {
    nsdb::View& view;
    const std::string& base;
    model::JsonWriter& json;
    mutable Holders holders{};
    bool toTenant = false;  ///< What is shown is a tenant's part of it.
};

/// What changes one: inside a transaction, which may run more than once.
struct Change {
    nsdb::Transaction& transaction;
    const model::JsonBody& body;
    const Call& call;
};

/// A link to a collection below the object: `json` = uri of the object + `path`.
struct Link {
    std::string json;
    std::string path;
};

/// A reference that is shown as a link too: "deviceId" also as "device".
struct ReferenceLink {
    const model::FieldSchema* field;
    std::string json;
    std::string collection;  ///< Of the target: "/bridges/".
};
std::vector<ReferenceLink> referenceLinksOf(const model::ClassSchema& schema);

/// A reference clients know, to objects this server does not have: shown as null; a value is refused: 404.
struct Unserved {
    std::string json;
    std::string what;  ///< "host group", for the message.
};

/// A query parameter of a list: `select` gives those of the class that its value leaves.
struct Filter {
    std::string query;
    std::string doc;
    std::function<Outcome<std::vector<Uuid>>(nsdb::View&, const std::string& value)> select;
};
/// One whose value names an object that they have to do with; what is no UUID leaves none.
Filter filterById(std::string query, std::string doc, std::function<Outcome<std::vector<Uuid>>(nsdb::View&, const Uuid&)> select);

/// What the schema cannot say of a class. All may be empty.
template <class T>
struct Hooks {
    /// More output properties.
    std::function<Outcome<void>(const Show&, const T&)> show{};
    std::function<Outcome<void>(const Change&, T& object)> beforeCreate{};
    /// What else is to be written, now that others may refer to the object.
    std::function<Outcome<void>(const Change&, const T& object)> afterCreate{};
    std::function<Outcome<void>(const Change&, const T& stored, T& next)> beforeUpdate{};
    std::function<Outcome<void>(nsdb::Transaction&, const T& stored)> beforeRemove{};
};

/// A class of the schema as a REST resource.
struct Resource {
    const model::ClassSchema* schema = nullptr;
    std::vector<ReferenceLink> referenceLinks;
    std::vector<Link> links;
    std::vector<Unserved> unserved;
    Hooks<Message> hooks;
    Properties more;  ///< What the hooks read and show beside the fields.
    /// Below the base: "/bridges/<id>" when empty.
    std::function<std::string(const Message&)> path;
    std::vector<std::string> otherMediaTypes;  ///< Names accepted beside the schema's.
    std::vector<Filter> filters;               ///< Beside tenant_id.

    bool listable = true;
    bool creatable = true;
    bool updatable = true;
    bool removable = true;
    std::string shownState;                    ///< The state that `show` reads of each object, for lists to read at once; may be empty.
    bool removeMissingIs404 = false;  ///< Else DELETE of what is not there is 204.
    int updated = 204;
    int removed = 204;
    int wrongContentType = 406;

    std::string pathOf(const Message& object) const;
    std::vector<std::string> itemTypes() const;        ///< With application/json behind.
    std::vector<std::string> collectionTypes() const;  ///< With application/json behind.
};

template <class T>
Hooks<Message> erase(Hooks<T> typed) {
    Hooks<Message> out;
    if (typed.show)
        out.show = [f = std::move(typed.show)](const Show& show, const Message& m) { return f(show, static_cast<const T&>(m)); };
    if (typed.beforeCreate)
        out.beforeCreate = [f = std::move(typed.beforeCreate)](const Change& c, Message& m) { return f(c, static_cast<T&>(m)); };
    if (typed.afterCreate)
        out.afterCreate = [f = std::move(typed.afterCreate)](const Change& c, const Message& m) { return f(c, static_cast<const T&>(m)); };
    if (typed.beforeUpdate)
        out.beforeUpdate = [f = std::move(typed.beforeUpdate)](const Change& c, const Message& stored, Message& next) {
            return f(c, static_cast<const T&>(stored), static_cast<T&>(next));
        };
    if (typed.beforeRemove)
        out.beforeRemove = [f = std::move(typed.beforeRemove)](nsdb::Transaction& t, const Message& stored) {
            return f(t, static_cast<const T&>(stored));
        };
    return out;
}

/// A resource of class T that needs nothing the schema does not say.
template <class T>
Resource resource(Hooks<T> hooks = {}) {
    Resource out;
    out.schema = &model::Schema::get().of<T>();
    out.referenceLinks = referenceLinksOf(*out.schema);
    out.hooks = erase(std::move(hooks));
    return out;
}

/// Runs `body` as one transaction; a Fault aborts it and comes out as it is.
Outcome<void> transact(const ScopedStore& store, const std::function<Outcome<void>(nsdb::Transaction&)>& body);

/// The object of JSON in `json`, with uri, links and unserved properties.
Outcome<void> show(const Show& show, const Resource& resource, const Message& object);

/// What bodies of the resource look like.
void describe(const Resource& resource, Bodies& bodies);

/// The object of a POST body: read, checked, its id given or new. Nothing is stored.
Outcome<std::unique_ptr<Message>> readNew(const Resource& resource, const model::JsonBody& body);
/// What is wrong with the values of unserved references.
void checkUnserved(const Resource& resource, const model::JsonBody& body, model::Violations& out);
/// 404 for a value of an unserved reference. Inside the transaction, after the parent was found.
Outcome<void> refuseUnserved(const Resource& resource, const model::JsonBody& body);

}  // namespace midonet::rest
