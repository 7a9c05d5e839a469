// Every endpoint and class as a tenant meets them, from the description of the API: red fills the store, blue tries everything.
#include <gtest/gtest.h>

#include <set>

#include "maintenance/contents.h"
#include "model/ids.h"
#include "model/topology.pb.h"
#include "nsdb/object_store.h"
#include "people.h"
#include "random_requests.h"
#include "rest/topology_api.h"

namespace midonet::rest::testing {
namespace {

constexpr std::size_t kIdLength = 36;

/// All ids in a text, each with where it begins.
std::vector<std::pair<std::size_t, std::string>> idsIn(std::string_view text) {
    std::vector<std::pair<std::size_t, std::string>> out;
    for (std::size_t at = 0; at + kIdLength <= text.size(); ++at)
        if (text[at + 8] == '-' && Uuid::parse(text.substr(at, kIdLength))) out.emplace_back(at, text.substr(at, kIdLength));
    return out;
}

std::string replaced(std::string text, const std::function<std::string(const std::string&)>& by) {
    for (const auto& [at, id] : idsIn(text)) text.replace(at, kIdLength, by(id));
    return text;
}

class TenantsEverywhere : public ::testing::Test {
protected:
    TenantsEverywhere() {
        addTopology(objects_, people_);
        addConf(objects_, conf::Catalogue{});
        model::Host host;
        model::setId(host, Uuid::random());
        EXPECT_TRUE(store_->transact([&](nsdb::Transaction& t) { return t.create(host); }));
    }

    http::Response as(const std::string& who, http::Request request) {
        request.headers.add("X-Auth-Token", who);
        return askService(service_, request);
    }
    http::Response as(const std::string& who, Method method, const std::string& path, const json::object& body = {}) {
        auto request = requestOf(method, "/midonet-api" + path);
        if (!body.empty()) request.body = json::serialize(body);
        return as(who, std::move(request));
    }
    /// Makes things by random requests, remembered in `known`.
    void fill(const std::string& who, Known& known, Dice& dice, std::size_t count) {
        Requestmaker maker(dice, known, service_, [&](const http::Request& request) { return as(who, request); });
        for (std::size_t i = 0; i < count; ++i) {
            const auto request = maker.make(0);
            if (request.method == Method::Delete || request.method == Method::Put) continue;
            const auto response = as(who, tamed(request));
            EXPECT_NE(response.status, 500) << request.target << response.body;
            const auto location = response.headers.find("Location");
            if (response.status == 201 && location) known.add(std::string{location->substr(location->find("/midonet-api") + 12)});
        }
        // What chance finds too rarely: the device has to be of the type.
        const auto bridge = made(who, "/bridges", {{"name", "b"}});
        const auto id = bridge.substr(bridge.rfind('/') + 1);
        known.add(made(who, "/traces", {{"name", "t"}, {"deviceType", "BRIDGE"}, {"deviceId", id}, {"condition", json::object{}}}));
    }
    /// The path of a new object.
    std::string made(const std::string& who, const std::string& path, const json::object& body) {
        const auto response = as(who, Method::Post, path, body);
        EXPECT_EQ(response.status, 201) << path << response.body;
        const std::string location{response.headers.find("Location").value_or("/midonet-api")};
        return location.substr(location.find("/midonet-api") + 12);
    }
    /// Random names of tenants are almost always wrong; ids are free for any other class, as is what vifId says.
    static http::Request tamed(http::Request request) {
        if (request.body.ends_with('\0')) request.body.pop_back();
        boost::system::error_code error;
        auto body = json::parse(request.body, error);
        if (error) return request;
        eraseFreeOnes(body);
        request.body = json::serialize(body);
        return request;
    }
    static void eraseFreeOnes(json::value& value) {
        if (auto* array = value.if_array())
            for (auto& element : *array) eraseFreeOnes(element);
        auto* object = value.if_object();
        if (object == nullptr) return;
        for (const auto* key : {"id", "tenantId", "tenant_id", "hostId", "interfaceName", "vifId"}) object->erase(key);
        for (auto& [key, inner] : *object) eraseFreeOnes(inner);
    }
    /// What nobody else may see: ids of all that is there now.
    std::set<std::string> secrets() {
        std::set<std::string> out;
        for (const auto& [name, object] : contents().objects) {
            out.insert(name.id.toString());
            if (name.type == "Chain")
                for (const auto& rule : static_cast<const model::Chain&>(*object.message).rules()) out.insert(model::uuidOf(rule.id()).toString());
        }
        return out;
    }
    maintenance::Contents contents() {
        const auto image = maintenance::readImage(nsdb::backendOf(*store_), maintenance::kPersistentRoots);
        return maintenance::contentsOf(*image, model::Schema::get()).value();
    }
    /// An answer may say what the question said.
    static void expectNoSecret(const http::Request& request, const http::Response& response, const std::set<std::string>& secrets) {
        auto told = response.body;
        for (const auto& [name, value] : response.headers.fields()) told += " " + value;
        for (const auto& [at, id] : idsIn(told)) {
            const bool asked = request.target.find(id) != std::string::npos || request.body.find(id) != std::string::npos;
            EXPECT_TRUE(asked || !secrets.contains(id))
                << http::toString(request.method) << " " << request.target << " " << request.body << " tells " << id << ": " << told;
        }
    }
    /// The same question with ids that name nothing, the same one for the same.
    static http::Request aboutNothing(http::Request request, const std::set<std::string>& secrets) {
        std::map<std::string, std::string> instead;
        const auto replace = [&](const std::string& id) {
            if (!secrets.contains(id)) return id;
            return instead.try_emplace(id, Uuid::random().toString()).first->second;
        };
        request.target = replaced(std::move(request.target), replace);
        request.body = replaced(std::move(request.body), replace);
        return request;
    }
    /// The same contents, byte for byte.
    static bool same(const maintenance::Contents& one, const maintenance::Contents& other) {
        const auto sameObject = [](const auto& a, const auto& b) {
            return a.first == b.first && a.second.message->SerializeAsString() == b.second.message->SerializeAsString();
        };
        const auto sameEntry = [](const auto& a, const auto& b) { return a.first == b.first && a.second.value == b.second.value; };
        return std::equal(one.objects.begin(), one.objects.end(), other.objects.begin(), other.objects.end(), sameObject) &&
               std::equal(one.entries.begin(), one.entries.end(), other.entries.begin(), other.entries.end(), sameEntry);
    }
    /// Some ids of the one are of the other instead.
    static http::Request mixed(http::Request request, Dice& dice, const Known& red, const Known& blue) {
        const auto swap = [&](const std::string& id) { return dice.percent(20) ? (dice.percent(50) ? red : blue).id(dice, "") : id; };
        request.body = replaced(std::move(request.body), swap);
        return request;
    }
    static std::string withoutIds(const std::string& text) {
        return replaced(text, [](const std::string&) { return std::string(kIdLength, 'U'); });
    }

    std::unique_ptr<nsdb::Store> store_ = nsdb::openMemory();
    event::BlockingPool pool_{1, 16};
    People people_;
    Service service_{pool_, pool_, people_};
    ObjectApi objects_{service_, *store_};
};

TEST_F(TenantsEverywhere, RedHasSomethingOfEveryClass) {
    Dice dice(1);
    Known red;
    fill("red/admin", red, dice, 6'000);
    std::set<std::string> there;
    for (const auto& [name, object] : contents().objects) there.insert(name.type);
    for (const auto& schema : model::Schema::get().classes())
        if (schema->isOfTenants()) EXPECT_TRUE(there.contains(schema->name)) << schema->name;
}

TEST_F(TenantsEverywhere, ListsOfOthersAreEmptyOrClosed) {
    Dice dice(2);
    Known red;
    fill("red/admin", red, dice, 3'000);
    const auto all = secrets();
    for (const auto& endpoint : service_.endpoints()) {
        if (endpoint.method != Method::Get || endpoint.path.find('{') != std::string::npos) continue;
        const auto request = requestOf(Method::Get, "/midonet-api" + endpoint.path);
        const auto response = as("blue/admin", request);
        EXPECT_EQ(response.status, endpoint.forTenants ? 200 : 403) << endpoint.path;
        expectNoSecret(request, response, all);
        if (endpoint.forTenants && json::parse(response.body).is_array() && endpoint.path != "/tenants") EXPECT_EQ(response.body, "[]") << endpoint.path;
    }
}

TEST_F(TenantsEverywhere, ObjectsOfOthersAreNotThere) {
    Dice dice(3);
    Known red;
    fill("red/admin", red, dice, 3'000);
    const auto all = secrets();
    const auto before = contents();
    for (const auto& path : red.paths())
        for (const auto method : {Method::Get, Method::Put, Method::Delete}) {
            auto request = requestOf(method, "/midonet-api" + path);
            if (method == Method::Put) request.body = as("red/admin", Method::Get, path).body;
            const auto foreign = as("blue/admin", request);
            const auto missing = as("blue/admin", aboutNothing(request, all));
            EXPECT_EQ(foreign.status, missing.status) << http::toString(method) << " " << path << foreign.body;
            EXPECT_EQ(withoutIds(foreign.body), withoutIds(missing.body)) << http::toString(method) << " " << path;
            EXPECT_TRUE(foreign.status != 200) << http::toString(method) << " " << path << foreign.body;
            expectNoSecret(request, foreign, all);
        }
    EXPECT_TRUE(same(before, contents()));
}

/// Blue names what is red's in paths and bodies, wherever something can be named.
TEST_F(TenantsEverywhere, RandomRequestsOfOthersSeeAndChangeNothing) {
    Dice dice(4);
    Known red;
    fill("red/admin", red, dice, 3'000);
    const auto all = secrets();
    const auto before = contents();
    Known blue;
    fill("blue/admin", blue, dice, 500);
    std::map<int, std::size_t> statuses;
    for (std::size_t i = 0; i < 10'000 && !HasFailure(); ++i) {
        Requestmaker maker(dice, dice.percent(50) ? red : blue, service_, [&](const http::Request& request) { return as("blue/admin", request); });
        const auto request = mixed(tamed(maker.make(0)), dice, red, blue);
        const auto response = as("blue/admin", request);
        ++statuses[response.status];
        EXPECT_NE(response.status, 500) << request.target << request.body;
        expectNoSecret(request, response, all);
    }
    for (const int status : {200, 201, 204, 400, 403, 404}) EXPECT_GT(statuses[status], 0U) << status;
    const auto after = contents();
    for (const auto& [name, object] : before.objects) {
        const auto now = after.objects.find(name);
        ASSERT_NE(now, after.objects.end()) << name.toString() << " has gone";
        EXPECT_TRUE(now->second.message->SerializeAsString() == object.message->SerializeAsString()) << name.toString();
    }
    for (const auto& [name, entry] : before.entries) {
        ASSERT_TRUE(after.entries.contains(name)) << name.first;
        EXPECT_EQ(after.entries.at(name).value, entry.value) << name.first;
    }
    for (const auto& [name, object] : after.objects) {
        if (before.objects.contains(name)) continue;
        for (const auto& [at, id] : idsIn(object.message->ShortDebugString())) EXPECT_FALSE(all.contains(id)) << name.toString() << " names " << id;
        const auto bytes = object.message->SerializeAsString();
        for (const auto& id : all) EXPECT_EQ(bytes.find(model::bytesOf(*Uuid::parse(id))), std::string::npos) << name.toString() << " names " << id;
    }
    for (const auto& [name, entry] : after.entries)
        if (!before.entries.contains(name))
            for (const auto& [at, id] : idsIn(name.first + " " + name.second + " " + entry.value)) EXPECT_FALSE(all.contains(id)) << name.first;
}

}  // namespace
}  // namespace midonet::rest::testing
