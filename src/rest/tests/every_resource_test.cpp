// What holds for every class that has a collection: the bodies are made from the schema.
#include <google/protobuf/descriptor.h>

#include <set>

#include "api_fixture.h"
#include "model/options.pb.h"
#include "rest/topology_api.h"

namespace midonet::rest::testing {
namespace {

using google::protobuf::FieldDescriptor;
using model::ClassSchema;
using model::FieldSchema;

class EveryResource : public ApiTest {
protected:
    /// Those that clients make, with a trace for each.
    template <class Check>
    void forEach(const Check& check) {
        int count = 0;
        for (const auto& schema : model::Schema::get().classes()) {
            if (schema->rest.empty() || schema->name == "Host") continue;  // agents make hosts
            SCOPED_TRACE(schema->name);
            check(*schema);
            ++count;
        }
        EXPECT_GT(count, 20);
    }

    /// A path to POST to: the collection, or that of a new parent.
    std::string collectionOf(const ClassSchema& schema) {
        static const std::map<std::string, std::pair<std::string, std::string>, std::less<>> kBelow{
            {"Port", {"Bridge", "ports"}},
            {"Route", {"Router", "routes"}},
            {"BgpPeer", {"Router", "bgp_peers"}},
            {"BgpNetwork", {"Router", "bgp_networks"}},
            {"QosBwLimitRule", {"QosPolicy", "qos_bw_limit_rules"}},
            {"QosDscpRule", {"QosPolicy", "qos_dscp_rules"}}};
        const auto below = kBelow.find(schema.name);
        if (below == kBelow.end()) return "/" + schema.rest;
        const auto& parent = *model::Schema::get().byName(below->second.first);
        return "/" + parent.rest + "/" + make(parent) + "/" + below->second.second;
    }

    /// What the schema cannot say is needed.
    json::object more(const ClassSchema& schema) {
        const auto& classes = model::Schema::get();
        if (schema.name == "Port") return {{"type", "Bridge"}};
        if (schema.name == "Route") return {{"type", "BlackHole"}};  // others lead out of a port
        if (schema.name == "PoolMember" || schema.name == "Vip") return {{"poolId", make(*classes.byName("Pool"))}};
        if (schema.name == "TraceRequest") return {{"deviceType", "PORT"}, {"deviceId", make(*classes.byName("Port"))}};
        if (schema.name == "ServiceContainer") return {{"portId", make(*classes.byName("Port"))}};
        if (schema.name == "Vtep") return {{"tunnelZoneId", createZone(fresh(), "vtep")}};
        return {};
    }

    /// A good body with what is required.
    json::object body(const ClassSchema& schema) {
        auto out = required(schema.fields);
        for (auto& [key, value] : more(schema)) out[key] = value;
        return out;
    }
    json::object required(const std::vector<FieldSchema>& fields) {
        json::object out;
        for (const auto* field : settable(fields))
            if (field->required) out[field->json] = value(*field);
        return out;
    }
    json::value value(const FieldSchema& field) {
        if (field.field->is_repeated()) return json::array{scalar(field)};
        return scalar(field);
    }
    json::value scalar(const FieldSchema& field) {
        switch (field.field->cpp_type()) {
            case FieldDescriptor::CPPTYPE_BOOL: return true;
            case FieldDescriptor::CPPTYPE_ENUM: return json::value_from(field.field->enum_type()->value(1)->options().GetExtension(schema::spelling));
            case FieldDescriptor::CPPTYPE_MESSAGE: return required(field.embedded);
            case FieldDescriptor::CPPTYPE_STRING: return json::value_from(text(field));
            default: return std::max<std::int64_t>(field.min, 1);
        }
    }
    std::string text(const FieldSchema& field) {
        switch (field.format) {
            case model::Format::Uuid:
                if (field.reference && field.reference->target == model::Host::descriptor()) return addHost();
                return field.reference ? make(model::Schema::get().of(field.reference->target)) : Uuid::random().toString();
            case model::Format::Mac: return fmt::format("02:00:00:00:00:{:02x}", ++count_ % 256);
            case model::Format::Ipv4:
            case model::Format::Ip: ++count_; return fmt::format("10.0.{}.{}", count_ / 256, count_ % 256);
            case model::Format::IpPrefix: return "10.0.0.0/8";
            case model::Format::Plain: return fresh();
        }
        return {};
    }
    std::string fresh() { return fmt::format("name-{}", ++count_); }

    /// A good value that is not `now`; nullopt when there is no other, or the schema does not know one.
    std::optional<json::value> other(const FieldSchema& field, const json::value& now) {
        if (field.field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) return std::nullopt;
        if (field.field->is_repeated() || field.field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) return value(field);
        switch (field.field->cpp_type()) {
            case FieldDescriptor::CPPTYPE_BOOL: return !(now.is_bool() && now.as_bool());
            case FieldDescriptor::CPPTYPE_ENUM: {
                const auto* last = field.field->enum_type()->value(field.field->enum_type()->value_count() - 1);
                auto spelling = json::value_from(last->options().GetExtension(schema::spelling));
                return spelling == now ? std::nullopt : std::optional{std::move(spelling)};
            }
            default: return now == json::value(std::max<std::int64_t>(field.min, 1)) ? field.min + 2 : std::max<std::int64_t>(field.min, 1);
        }
    }

    /// Fields that clients give.
    static std::vector<const FieldSchema*> settable(const std::vector<FieldSchema>& fields) {
        std::vector<const FieldSchema*> out;
        for (const auto& field : fields)
            if (!field.internal && !field.readOnly && !field.flat) out.push_back(&field);
        return out;
    }

    Response postObject(const std::string& path, const json::object& object) { return post(path, json::serialize(object)); }
    /// The id of a new one.
    std::string make(const ClassSchema& schema) {
        const auto response = postObject(collectionOf(schema), body(schema));
        EXPECT_EQ(response.status, 201) << schema.name << response.body;
        const std::string location{response.headers.find("Location").value_or("")};
        return location.substr(location.rfind('/') + 1);
    }
    static std::string itemOf(const ClassSchema& schema, const std::string& id) { return "/" + schema.rest + "/" + id; }
    static int statusOfMissingDelete(const ClassSchema& schema) {
        static const std::set<std::string> kNotFound{"Bridge", "Chain", "Port", "Vtep"};
        return kNotFound.contains(schema.name) ? 404 : 204;
    }
    bool isUpdatable(const ClassSchema& schema) { return status("PUT", itemOf(schema, kNobody)) != 405; }

    int count_ = 0;
};

TEST_F(EveryResource, IsMadeReadListedPutBackAndDeleted) {
    forEach([&](const ClassSchema& schema) {
        const auto collection = collectionOf(schema);
        const auto type = fmt::format("{}-v{}", schema.mediaType, schema.mediaVersions.front());
        const auto made = post(collection, json::serialize(body(schema)), vnd(type));
        ASSERT_EQ(made.status, 201) << made.body;
        EXPECT_TRUE(made.body.empty());
        const std::string path{made.headers.find("Location").value_or("")};
        const auto shown = get(path, vnd(type));
        ASSERT_EQ(shown.status, 200);
        EXPECT_EQ(shown.headers.find("Content-Type"), vnd(type));
        EXPECT_EQ(testing::text(parsed(shown), "uri"), path);
        for (const auto& field : schema.fields)
            EXPECT_TRUE(field.internal || field.flat || parsed(shown).as_object().contains(field.json)) << field.json;

        const auto list = listed(collection, vndList(type));
        EXPECT_NE(std::find(list.begin(), list.end(), parsed(shown)), list.end());
        if (isUpdatable(schema)) {
            const auto updated = put(path, shown.body, vnd(type));
            EXPECT_EQ(updated.status, 204) << updated.body;
            EXPECT_EQ(get(path, vnd(type)).body, shown.body);
            EXPECT_EQ(put(path, shown.body, "text/plain").status, 406);
        }
        EXPECT_EQ(del(path).status, 204);
        EXPECT_EQ(get(path).status, 404);
        EXPECT_EQ(del(path).status, statusOfMissingDelete(schema));
    });
}

/// What is below other objects, by its path in the description: where one is, made when it is asked for.
class EveryItem : public EveryResource {
protected:
    std::string pathOf(const std::string& described) {
        for (const auto& schema : model::Schema::get().classes())
            if (!schema->rest.empty() && described == "/" + schema->rest + "/{id}")
                return itemOf(*schema, schema->name == "Host" ? addHost() : schema->name == "Rule" ? "" : make(*schema));
        const auto bridge = createBridge();
        const auto bridgePath = "/bridges/" + bridge;
        if (described == "/rules/{id}") return "/rules/" + createRule(createChain(), R"({"type":"drop"})");
        if (described.starts_with("/bridges/{id}/dhcp/")) {
            const auto subnet = made(bridgePath + "/dhcp", R"({"subnetPrefix":"10.0.0.0","subnetLength":24})");
            return described.ends_with("{subnet}") ? subnet : made(subnet + "/hosts", R"({"macAddr":"02:00:00:00:00:01","ipAddr":"10.0.0.2","name":""})");
        }
        if (described.starts_with("/bridges/{id}/dhcpV6/")) {
            const auto subnet = made(bridgePath + "/dhcpV6", R"({"prefix":"fd00::","prefixLength":64})");
            return described.ends_with("{subnet}") ? subnet : made(subnet + "/hostsV6", R"({"clientId":"aa","fixedAddress":"fd00::2","name":""})");
        }
        const auto macPort = R"({"macAddr":"02:00:00:00:00:01","portId":")" + createPort(bridge) + "\"}";
        if (described == "/bridges/{id}/mac_table/{entry}") return made(bridgePath + "/mac_table", macPort);
        if (described == "/bridges/{id}/vlans/{vlan}/mac_table/{entry}") return made(bridgePath + "/vlans/7/mac_table", macPort);
        const std::string ipMac = R"({"ip":"10.0.0.1","mac":"02:00:00:00:00:01"})";
        if (described == "/bridges/{id}/arp_table/{entry}") return made(bridgePath + "/arp_table", ipMac);
        if (described == "/routers/{id}/ports/{port}/peering_table/{entry}") {
            const auto router = createRouter();
            return made("/routers/" + router + "/ports/" + createRouterPort(router) + "/peering_table", ipMac);
        }
        if (described == "/ip_addr_groups/{id}/versions/{version}/ip_addrs/{addr}")
            return made("/ip_addr_groups/" + make(*model::Schema::get().byName("IpAddrGroup")) + "/ip_addrs", R"({"addr":"10.0.0.1","version":4})");
        if (described == "/port_groups/{id}/ports/{port}")
            return made("/port_groups/" + make(*model::Schema::get().byName("PortGroup")) + "/ports", R"({"portId":")" + createPort(bridge) + "\"}");
        const auto host = addHost();
        const auto member = made("/tunnel_zones/" + createZone(fresh()) + "/hosts", R"({"hostId":")" + host + R"(","ipAddress":"10.0.0.1"})");
        if (described == "/tunnel_zones/{id}/hosts/{host}") return member;
        if (described == "/hosts/{id}/ports/{port}")
            return made("/hosts/" + host + "/ports", R"({"portId":")" + createPort(bridge) + R"(","interfaceName":"tap0"})");
        if (described == "/vteps/{id}/bindings/{port}/{vlan}")
            return made("/vteps/" + make(*model::Schema::get().byName("Vtep")) + "/bindings", R"({"portName":"eth0","vlanId":7,"networkId":")" + bridge + "\"}");
        if (described == "/conf/nodes/{host}") return "/conf/nodes/" + host;
        if (described == "/conf/templates/{name}") {
            EXPECT_EQ(status("POST", "/conf/templates/one", "{}"), 200);
            return "/conf/templates/one";
        }
        ADD_FAILURE() << "how is one made of " << described << "? Say it above";
        return {};
    }

private:
    std::string made(const std::string& collection, const std::string& body) {
        const auto response = post(collection, body);
        EXPECT_EQ(response.status, 201) << collection << response.body;
        const std::string location{response.headers.find("Location").value_or("/midonet-api")};
        return location.substr(location.find("/midonet-api") + 12);
    }
};

TEST_F(EveryItem, IsNotChangedByWhoKnowsAnOlderOne) {
    event::BlockingPool pool(1, 1);
    const auto authenticator = makeMockAuthenticator();
    Service service(pool, pool, *authenticator);
    ObjectApi objects(service, *store_);
    addTopology(objects, *authenticator);
    addConf(objects, conf::Catalogue{});
    std::set<std::string> shown;
    for (const auto& endpoint : service.endpoints())
        if (endpoint.method == http::Method::Get) shown.insert(endpoint.path);
    int checked = 0;
    for (const auto& endpoint : service.endpoints()) {
        const bool changes = endpoint.method == http::Method::Put || endpoint.method == http::Method::Delete;
        if (!changes || !shown.contains(endpoint.path) || endpoint.path.starts_with("/conf/template-mappings")) continue;
        SCOPED_TRACE(fmt::format("{} {}", http::toString(endpoint.method), endpoint.path));
        const auto path = pathOf(endpoint.path);
        const auto before = get(path);
        ASSERT_EQ(before.status, 200) << path << before.body;
        Headers stale;
        stale.add("If-Match", "\"stale\"");
        stale.add("Content-Type", "application/json");
        EXPECT_EQ(ask(http::toString(endpoint.method), path, before.body, stale).status, 412);
        EXPECT_EQ(get(path).body, before.body);
        Headers fresh;
        fresh.add("If-Match", before.headers.find("ETag").value_or(""));
        fresh.add("Content-Type", "application/json");
        const auto done = ask(http::toString(endpoint.method), path, before.body, fresh);
        EXPECT_LT(done.status, 300) << done.body;
        ++checked;
    }
    EXPECT_GT(checked, 60);
}

TEST_F(EveryResource, UnknownIds) {
    forEach([&](const ClassSchema& schema) {
        const auto path = itemOf(schema, kNobody);
        EXPECT_EQ(get(path).status, 404);
        EXPECT_EQ(del(path).status, statusOfMissingDelete(schema));
        EXPECT_EQ(put(path, json::serialize(body(schema))).status, isUpdatable(schema) ? 404 : 405);
        EXPECT_EQ(get(itemOf(schema, "x")).status, 404);
        EXPECT_EQ(del(itemOf(schema, "x")).status, 404);
    });
}

TEST_F(EveryResource, CallersMayChooseTheIdOnce) {
    forEach([&](const ClassSchema& schema) {
        auto object = body(schema);
        const auto id = Uuid::random().toString();
        object["id"] = id;
        const auto collection = collectionOf(schema);
        const auto made = postObject(collection, object);
        ASSERT_EQ(made.status, 201) << made.body;
        EXPECT_EQ(testing::text(parsed(get(itemOf(schema, id))), "id"), id);
        auto again = body(schema);
        again["id"] = id;
        EXPECT_EQ(postObject(collection, again).status, 409);
    });
}

TEST_F(EveryResource, WhatIsRequiredIsAskedFor) {
    forEach([&](const ClassSchema& schema) {
        const auto collection = collectionOf(schema);
        const auto good = body(schema);
        for (const auto* field : settable(schema.fields)) {
            if (!field->required) continue;
            auto object = good;
            object.erase(field->json);
            EXPECT_EQ(violation(postObject(collection, object)), field->json);
            object[field->json] = nullptr;
            EXPECT_EQ(violation(postObject(collection, object)), field->json);
        }
    });
}

TEST_F(EveryResource, TypesAndSpellingsAreChecked) {
    forEach([&](const ClassSchema& schema) {
        const auto collection = collectionOf(schema);
        const auto good = body(schema);
        for (const auto* field : settable(schema.fields)) {
            auto object = good;
            const bool message = field->field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
            object[field->json] = message ? json::value("x") : json::value(json::object{});
            EXPECT_EQ(violation(postObject(collection, object)), field->json) << "an object where none is meant, or the other way round";
            const bool plain = field->field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && field->format == model::Format::Plain;
            if (message || plain || field->field->is_repeated()) continue;
            object[field->json] = "no-such-thing";
            EXPECT_EQ(violation(postObject(collection, object)), field->json);
        }
    });
}

TEST_F(EveryResource, RangesAreKept) {
    forEach([&](const ClassSchema& schema) {
        const auto collection = collectionOf(schema);
        const auto good = body(schema);
        for (const auto* field : settable(schema.fields)) {
            if (!field->hasRange()) continue;
            auto object = good;
            object[field->json] = field->min - 1;
            EXPECT_EQ(violation(postObject(collection, object)), field->json);
            if (field->max == INT64_MAX) continue;
            object[field->json] = field->max + 1;
            EXPECT_EQ(violation(postObject(collection, object)), field->json);
        }
    });
}

TEST_F(EveryResource, NumbersMayBeTextAndNullIsNothing) {
    forEach([&](const ClassSchema& schema) {
        const auto collection = collectionOf(schema);
        auto object = body(schema);
        for (auto& [key, value] : object)
            if (value.is_int64()) value = std::to_string(value.as_int64());
        for (const auto* field : settable(schema.fields))
            if (!field->required && !object.contains(field->json)) object[field->json] = nullptr;
        const auto made = postObject(collection, object);
        ASSERT_EQ(made.status, 201) << made.body;
        const auto shown = parsed(get(*made.headers.find("Location")));
        for (const auto& [key, value] : object)
            EXPECT_TRUE(value.is_null() || value.is_object() || testing::text(shown, key) == testing::text(object, key)) << key;
    });
}

TEST_F(EveryResource, EachPropertyIsChangedByItself) {
    // What a PUT refuses to move, or does instead of changing properties, has tests of its own.
    const std::set<std::string> kElsewhere{"L2Insertion.portId", "L2Insertion.srvPortId", "Port.interfaceName", "TraceRequest.deviceType"};
    forEach([&](const ClassSchema& schema) {
        if (!isUpdatable(schema) || schema.name == "ServiceContainer") return;
        const auto path = itemOf(schema, make(schema));
        for (const auto* field : settable(schema.fields)) {
            if (field->createOnly || kElsewhere.contains(schema.name + "." + field->json)) continue;
            auto object = parsed(get(path)).as_object();
            const auto before = object;
            const auto value = other(*field, object[field->json]);
            if (!value) continue;
            object[field->json] = *value;
            const auto updated = put(path, json::serialize(object));
            ASSERT_EQ(updated.status, 204) << field->json << updated.body;
            const auto after = parsed(get(path)).as_object();
            EXPECT_EQ(after.at(field->json), *value) << field->json;
            for (const auto* same : settable(schema.fields))
                if (same != field) EXPECT_EQ(after.at(same->json), before.at(same->json)) << same->json << " went with " << field->json;
        }
    });
}

TEST_F(EveryResource, ABodyEndsWhereItsDocumentEnds) {
    forEach([&](const ClassSchema& schema) {
        const auto collection = collectionOf(schema);
        auto text = json::serialize(body(schema));
        text.insert(text.size() / 2, 1, '\0');
        EXPECT_EQ(post(collection, text).status, 400) << "a NUL inside";
        EXPECT_EQ(post(collection, std::string(1, '\0') + json::serialize(body(schema))).status, 400) << "a NUL before";
    });
}

TEST_F(EveryResource, WhateverElseIsInABodyIsIgnored) {
    forEach([&](const ClassSchema& schema) {
        auto object = body(schema);
        object["tenantId"] = "euca_tenant_1";
        object["noSuchKey"] = json::object{{"deep", json::array{1, nullptr}}};
        const auto made = post(collectionOf(schema), json::serialize(object) + std::string(1, '\0'));
        ASSERT_EQ(made.status, 201) << made.body;
        if (!isUpdatable(schema)) return;
        const std::string path{*made.headers.find("Location")};
        EXPECT_EQ(put(path, get(path).body + std::string(1, '\0')).status, 204);
        for (const char* malformed : {"", "{", "[]", "7"}) EXPECT_EQ(put(path, malformed).status, 400) << malformed;
    });
}

TEST_F(EveryResource, ListsIgnoreUnknownParametersAndAreArrays) {
    forEach([&](const ClassSchema& schema) {
        const auto collection = collectionOf(schema);
        EXPECT_EQ(get(collection + "?no_such=1").body, "[]");
        make(schema);
        EXPECT_TRUE(parsed(get(collection + "?marker=x&limit=y")).is_array());
    });
}

}  // namespace
}  // namespace midonet::rest::testing
