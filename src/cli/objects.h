#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/api.h"
#include "cli/object_model.h"

namespace midonet::cli {

struct Object;
using ObjectPtr = std::shared_ptr<const Object>;

/// An object as the server showed it, and the way on which it was reached. Immutable.
struct Object {
    const Type* type = nullptr;
    boost::json::object body;
    ObjectPtr owner;                         ///< Null for the root.
    const Collection* collection = nullptr;  ///< Of the owner; null where it was reached by reference.
    std::size_t index = 0;                   ///< Its place in an embedded collection.

    bool isRoot() const { return !owner && !collection; }
    /// Empty when objects of the type have none.
    std::string id() const;
    /// The text of that JSON key; empty when there is none.
    std::string text(std::string_view key) const;
};

/// The objects of the API, found by following links. What was read is remembered until the next write or forget().
class Objects {
public:
    explicit Objects(Api& api, const ObjectModel& model = ObjectModel::instance()) : api_(api), model_(model) {}

    const ObjectModel& model() const { return model_; }
    Api& api() { return api_; }

    /// Read once: where the collections are does not change.
    Result<ObjectPtr> root();
    /// The elements of a collection. Unsupported: the server has no such collection. `tenant` may be empty.
    Result<std::vector<ObjectPtr>> list(const ObjectPtr& owner, const Collection& collection, const std::string& tenant = {});
    /// One element by its id; NotFound.
    Result<ObjectPtr> find(const ObjectPtr& owner, const Collection& collection, const std::string& id);
    /// The one object of a collection that is single.
    Result<ObjectPtr> single(const ObjectPtr& root, const Collection& collection);
    /// The object of a type by its id, with its real owner; NotFound.
    Result<ObjectPtr> byId(std::string_view type, const std::string& id);

    Result<ObjectPtr> create(const ObjectPtr& owner, const Collection& collection, boost::json::object body);
    /// Sends a changed body. PermissionDenied: objects of this type cannot be changed, and what to do instead.
    Result<void> update(const Object& object, const boost::json::object& body);
    Result<void> remove(const Object& object);
    /// POST of the body to a link of the object, or DELETE of it; the object as it is then.
    Result<ObjectPtr> link(const ObjectPtr& object, std::string_view key, const boost::json::object& body);
    Result<ObjectPtr> unlink(const ObjectPtr& object, std::string_view key);

    void forget() { read_.clear(); }

private:
    Result<boost::json::value> read(const std::string& uri, const std::string& mediaType);
    ObjectPtr make(const Type& declared, boost::json::object body, ObjectPtr owner, const Collection* collection, std::size_t index = 0) const;
    Result<std::string> linkOf(const Object& object, const Collection& collection) const;
    std::string mediaType(const Collection& collection, const Object& owner) const;
    Result<ObjectPtr> reread(const ObjectPtr& object);
    Result<std::string> itemUri(const Type& type, const std::string& id);
    Result<ObjectPtr> changeEmbedded(const ObjectPtr& owner, const Collection& collection, boost::json::array list);
    /// The error of a refused creation; says so when the server does not have the collection at all.
    Error refused(const Error& error, const std::string& uri, const Collection& collection);

    Api& api_;
    const ObjectModel& model_;
    ObjectPtr root_;
    std::map<std::string, boost::json::value, std::less<>> read_;
};

}  // namespace midonet::cli
