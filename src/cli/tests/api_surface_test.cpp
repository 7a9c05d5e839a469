// What the object model of the command line takes for granted of the API, held against the endpoints themselves.
#include <gmock/gmock.h>

#include <set>

#include "base/uuid.h"
#include "cli/objects.h"
#include "cli/values.h"
#include "event/blocking_pool.h"
#include "model/schema.h"
#include "nsdb/store.h"
#include "rest/object_api.h"
#include "rest/topology_api.h"

namespace midonet::cli {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kHost = "http://localhost";

/// All endpoints, on an empty store.
class ApiSurface : public ::testing::Test {
protected:
    ApiSurface() { addTopology(resources_, *authenticator_); }

    /// The paths, by their parameters, that show one object of the media type.
    std::set<std::string> pathsOf(const Type& type) const {
        std::set<std::string> out;
        for (const auto& endpoint : service_.endpoints()) {
            const bool shows = endpoint.method == http::Method::Get && endpoint.path.ends_with('}') &&
                               std::find(endpoint.produces.begin(), endpoint.produces.end(), itemType(type.mediaType)) != endpoint.produces.end();
            if (shows) out.insert(endpoint.path);
        }
        return out;
    }
    bool takes(http::Method method, const std::string& path) const {
        return std::any_of(service_.endpoints().begin(), service_.endpoints().end(),
                           [&](const rest::Endpoint& endpoint) { return endpoint.method == method && endpoint.path == path; });
    }
    /// With something in place of each parameter.
    static std::string uriOf(std::string path) {
        for (auto hole = path.find('{'); hole != path.npos; hole = path.find('{')) path.replace(hole, path.find('}') - hole + 1, Uuid::random().toString());
        return std::string{kHost} + std::string{rest::kRoot} + path;
    }
    Transport transport() {
        return {.send = [this](const http::Request& request) -> Result<http::Response> {
                    auto target = request;
                    target.target = target.target.substr(kHost.size());
                    return service_.answer(target);
                },
                .open = {},
                .more = {}};
    }

    std::unique_ptr<nsdb::Store> store_ = nsdb::openMemory();
    event::BlockingPool pool_{1, 1};
    std::unique_ptr<rest::Authenticator> authenticator_ = rest::makeMockAuthenticator();
    rest::Service service_{pool_, pool_, *authenticator_};
    rest::ObjectApi resources_{service_, *store_};
    Api api_{std::string{kHost} + std::string{rest::kRoot}, std::nullopt, transport()};
    Objects objects_{api_};
};

TEST_F(ApiSurface, WhatCannotBeChangedSaysSo) {
    std::set<std::string_view> unchangeable;
    for (const auto& owner : objects_.model().types())
        for (const auto& collection : owner.children) {
            const auto& type = objects_.model().type(collection.type);
            if (collection.embedded || type.single) continue;
            const auto paths = pathsOf(type);
            const bool isDeletable = std::any_of(paths.begin(), paths.end(), [this](const auto& path) { return takes(http::Method::Delete, path); });
            for (const auto& path : paths) {
                SCOPED_TRACE(fmt::format("{} at {}", collection.name, path));
                const auto above = std::make_shared<const Object>(Object{.type = &owner, .body = {}, .owner = nullptr});
                const Object object{.type = &type, .body = {{"uri", uriOf(path)}}, .owner = above, .collection = &collection};
                const auto done = objects_.update(object, object.body);
                const bool says = !done && done.error().code == ErrorCode::PermissionDenied;
                EXPECT_EQ(says, !takes(http::Method::Put, path)) << (done ? "changed" : done.error().message);
                if (!says) continue;
                unchangeable.insert(type.name);
                EXPECT_THAT(done.error().message, HasSubstr(fmt::format("objects of type {} cannot be changed", collection.name)));
                EXPECT_EQ(done.error().message.find("create it") != std::string::npos, collection.creatable);
                EXPECT_TRUE(!collection.creatable || isDeletable) << "it is told to delete it";
            }
        }
    EXPECT_THAT(unchangeable, ::testing::IsSupersetOf({"chain", "rule", "route", "bgp-network", "ip-address-group", "vtep"}));
}

TEST_F(ApiSurface, ChangesAreToldOfWhatIsShown) {
    const auto& schema = model::Schema::get();
    for (const auto& type : objects_.model().types()) {
        if (type.name == "root" || type.name == "packet") continue;
        SCOPED_TRACE(type.name);
        EXPECT_TRUE(!type.changes.empty() || type.live) << "a watch of it would never print again";
        std::set<std::string_view> named;
        for (const auto name : splitAt(type.changes, ','))
            if (!name.empty()) named.insert(name);
        for (const auto name : named) EXPECT_NE(schema.byName(name), nullptr) << name << " is no class";
        const auto media = type.mediaType.substr(0, type.mediaType.find('-'));
        for (const auto& one : schema.classes()) {
            const bool isShown = !media.empty() && one->mediaType == media;
            EXPECT_TRUE(!isShown || named.contains(one->name)) << one->name;
        }
    }
}

}  // namespace
}  // namespace midonet::cli
