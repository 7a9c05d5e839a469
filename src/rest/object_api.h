#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "rest/list_text.h"
#include "rest/resource.h"

namespace midonet::rest {

/// The endpoints of objects: list, create, get, replace, remove, driven by the schema and a Resource
/// each; and the same below a parent.
class ObjectApi {
public:
    ObjectApi(Service& service, nsdb::Store& store) : service_(service), store_(store) {}
    ObjectApi(const ObjectApi&) = delete;
    ObjectApi& operator=(const ObjectApi&) = delete;

    /// Adds a class; with its endpoints when the schema gives it a collection. This is the one line a new
    /// plain resource needs.
    const Resource& add(Resource resource);

    struct Collection {
        bool list = true;
        bool create = true;
    };
    /// "/<parent>/{id}/<segment>": the objects of `child` whose reference `field` names the parent.
    /// Both were added before.
    template <class Parent, class Child>
    void addChildren(std::string_view segment, std::string_view field, Collection which = {}) {
        addChildren(of<Parent>(), segment, of<Child>(), field, which);
    }

    template <class T>
    const Resource& of() const {
        return *resources_.at(T::descriptor());
    }
    Service& service() { return service_; }
    /// The whole of it: for endpoints of administrators.
    nsdb::Store& store() { return store_; }

    /// What the caller may read and write of it.
    ScopedStore storeOf(const Call& call) const { return {store_, call.caller}; }
    /// Reads of one request.
    Outcome<std::unique_ptr<nsdb::View>> view(const Call& call) const;
    /// 200 with the object as JSON; 404 when absent.
    Outcome<http::Response> answerItem(const Call& call, const Resource& resource, const Uuid& id) const;
    /// 200 with the array of those objects that the query asks for; ids of what has just gone are left out.
    Outcome<http::Response> answerList(const Call& call, const Resource& resource, nsdb::View& view, std::vector<Uuid> ids) const;
    /// 201. `adopt` completes the object inside the transaction (parent, id) before the hooks.
    using Adopt = std::function<Outcome<void>(nsdb::Transaction&, Message&)>;
    Outcome<http::Response> create(const Call& call, const Resource& resource, const Adopt& adopt) const;
    Outcome<http::Response> update(const Call& call, const Resource& resource, const Uuid& id) const;
    Outcome<http::Response> remove(const Call& call, const Resource& resource, const Uuid& id) const;

private:
    Outcome<Listing> listed(const Call& call, const Resource& resource, nsdb::View& view) const;
    Outcome<http::Response> answerListing(const Call& call, const Resource& resource, nsdb::View& view, Listing listing) const;
    /// 412 when the client says which one it means (If-Match), and GET shows another now.
    Outcome<void> checkMatch(const Call& call, const Resource& resource, nsdb::Transaction& transaction, const Message& stored) const;
    Outcome<std::string> shownNow(const Call& call, const Resource& resource, nsdb::Transaction& transaction, const Message& stored) const;
    Outcome<http::Response> list(const Call& call, const Resource& resource) const;
    void addChildren(const Resource& parent, std::string_view segment, const Resource& child, std::string_view field,
                     Collection which);

    Service& service_;
    nsdb::Store& store_;
    std::map<model::Class, std::unique_ptr<const Resource>> resources_;
};

}  // namespace midonet::rest
