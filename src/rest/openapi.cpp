#include "rest/openapi.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <set>

#include "base/assert.h"
#include "rest/media_type.h"
#include "rest/topology_api.h"
#include "rest/yaml.h"

namespace midonet::rest {
namespace {

namespace json = boost::json;
using http::Method;

constexpr std::string_view kAbout =
    "Lists, single objects and their changes: /docs/rest-api.md says what they mean. HEAD is served wherever GET is, OPTIONS everywhere; "
    "other methods are 405 with Allow. Bodies are read more tolerantly than is written here: numbers and booleans may be strings, "
    "what is not known is ignored, as is what follows the document. PUT replaces: what is absent becomes null or its default. "
    "x-tenants: whether tenants may use it too, for what is theirs, where the server lets them.";

json::object reference(std::string_view kind, std::string_view name) {
    return {{"$ref", fmt::format("#/components/{}/{}", kind, name)}};
}

// Bodies.

json::object formatted(const char* format) { return {{"type", "string"}, {"format", format}}; }

json::object schemaOf(ValueType type, const std::string& body) {
    switch (type) {
        case ValueType::Text: return {{"type", "string"}};
        case ValueType::Integer: return {{"type", "integer"}};
        case ValueType::Number: return {{"type", "number"}};
        case ValueType::Flag: return {{"type", "boolean"}};
        case ValueType::Uuid: return formatted("uuid");
        case ValueType::Uri: return formatted("uri");
        case ValueType::Mac: return {{"type", "string"}, {"pattern", "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"}};
        case ValueType::Ipv4: return formatted("ipv4");
        case ValueType::Ip: return {{"type", "string"}, {"anyOf", json::array{{{"format", "ipv4"}}, {{"format", "ipv6"}}}}};
        case ValueType::Prefix: return {{"type", "string"}, {"pattern", "^[0-9a-fA-F.:]+/[0-9]+$"}};
        case ValueType::Object: return reference("schemas", body);
        case ValueType::Null: return {{"type", "null"}};
    }
    MIDONET_UNREACHABLE();
}

json::object orNull(json::object schema) {
    if (schema.contains("$ref")) return {{"anyOf", json::array{std::move(schema), {{"type", "null"}}}}};
    schema["type"] = json::array{schema["type"], "null"};
    if (auto* values = schema.if_contains("enum")) values->as_array().emplace_back(nullptr);
    if (auto* formats = schema.if_contains("anyOf")) formats->as_array().push_back(json::object{{"type", "null"}});
    return schema;
}

std::string docOf(const Property& property) {
    if (property.type != ValueType::Uuid || property.of.empty()) return property.doc;
    return fmt::format("Names a {}.{}{}", property.of, property.doc.empty() ? "" : " ", property.doc);
}

json::object schemaOf(const Property& property) {
    auto schema = schemaOf(property.type, property.of);
    if (!property.values.empty()) schema["enum"] = json::value_from(property.values);
    if (property.min < property.max) {
        schema["minimum"] = property.min;
        schema["maximum"] = property.max;
    }
    if (property.maxLength != 0) schema["maxLength"] = property.maxLength;
    if (property.list) schema = {{"type", "array"}, {"items", std::move(schema)}};
    if (property.nullable) schema = orNull(std::move(schema));
    if (property.readOnly) schema["readOnly"] = true;
    if (const auto doc = docOf(property); !doc.empty()) schema["description"] = doc;
    return schema;
}

json::object schemaOf(const Properties& properties) {
    json::object out{{"type", "object"}};
    json::array required;
    json::object shown;
    for (const auto& property : properties) {
        if (property.required) required.emplace_back(property.name);
        shown[property.name] = schemaOf(property);
    }
    if (!required.empty()) out["required"] = std::move(required);
    out["properties"] = std::move(shown);
    return out;
}

/// Of the bodies that belong to no endpoint of the tables.
void describeCommon(Bodies& bodies) {
    bodies["Error"] = {{.name = "message", .nullable = true},
                       {.name = "code", .type = ValueType::Integer, .doc = "The status."},
                       {.name = "violations", .type = ValueType::Object, .list = true, .of = "Violation"}};
    bodies["Violation"] = {{.name = "property"}, {.name = "message"}};
    bodies["Token"] = {{.name = "key"}, {.name = "expires", .nullable = true}};
}

// Operations.

struct MediaType {
    std::string body;
    bool isList = false;
};

/// "application/vnd.org.midonet.collection.Bridge-v4+json" -> Bridge, list.
MediaType parseMediaType(std::string_view type) {
    constexpr std::string_view kVendor = "application/vnd.org.midonet.", kCollection = "collection.";
    MIDONET_ASSERT(type.starts_with(kVendor), "the first type of an endpoint says what its bodies are");
    type.remove_prefix(kVendor.size());
    const bool isList = type.starts_with(kCollection);
    if (isList) type.remove_prefix(kCollection.size());
    return {std::string{type.substr(0, type.rfind('-'))}, isList};
}

json::object contentOf(const std::vector<std::string>& types, bool isList) {
    json::object out;
    MediaType last;
    for (const auto& type : types) {
        if (type != kJson) last = parseMediaType(type);
        auto schema = reference("schemas", last.body);
        if (last.isList || isList) schema = {{"type", "array"}, {"items", std::move(schema)}};
        out[type] = json::object{{"schema", std::move(schema)}};
    }
    return out;
}

json::object textContent(const std::string& type) { return {{type, {{"schema", {{"type", "string"}}}}}}; }

bool changes(const Endpoint& endpoint) { return endpoint.method != Method::Get; }
bool hasBody(const Endpoint& endpoint) { return endpoint.method == Method::Post || endpoint.method == Method::Put; }

int successOf(const Endpoint& endpoint) {
    if (endpoint.about.success != 0) return endpoint.about.success;
    if (endpoint.method == Method::Get) return 200;
    return endpoint.method == Method::Post ? 201 : 204;
}

/// What may come instead of success, whatever the endpoint does.
std::set<int> failuresOf(const Endpoint& endpoint) {
    auto out = endpoint.about.refusals;
    out.insert({400, 401, 500, 503});
    if (endpoint.path.find('{') != std::string::npos || changes(endpoint)) out.insert(404);
    if (!endpoint.produces.empty()) out.insert(406);
    if (changes(endpoint)) out.insert({403, 406, 409, 412});
    if (!endpoint.forTenants) out.insert(403);
    if (hasBody(endpoint)) out.insert({413, endpoint.wrongContentType});
    return out;
}

json::object answerOf(const Endpoint& endpoint, int status) {
    json::object out{{"description", std::string{http::reasonPhrase(status)}}};
    if (status == 201 && endpoint.path.find("/link") == std::string::npos)
        out["headers"] = {{"Location", {{"description", "The new object."}, {"schema", formatted("uri")}}}};
    if (!endpoint.about.answer.empty()) out["content"] = textContent(endpoint.about.answer);
    if (!endpoint.produces.empty()) out["content"] = contentOf(endpoint.produces, endpoint.about.isList);
    return out;
}

json::object responsesOf(const Endpoint& endpoint) {
    json::object out;
    const auto success = successOf(endpoint);
    out[std::to_string(success)] = answerOf(endpoint, success);
    if (!changes(endpoint)) out["304"] = reference("responses", "NotModified");
    for (const auto status : failuresOf(endpoint)) out[std::to_string(status)] = reference("responses", "Error");
    return out;
}

json::array parametersOf(const Endpoint& endpoint) {
    json::array out;
    for (std::string_view rest = endpoint.path; rest.find('{') != rest.npos; rest.remove_prefix(rest.find('}') + 1)) {
        const std::string name{rest.substr(rest.find('{') + 1, rest.find('}') - rest.find('{') - 1)};
        out.push_back(json::object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
    }
    for (const auto& [name, doc] : endpoint.about.query)
        out.push_back(json::object{{"name", name}, {"in", "query"}, {"description", doc}, {"schema", {{"type", "string"}}}});
    out.push_back(reference("parameters", changes(endpoint) ? "IfMatch" : "IfNoneMatch"));
    return out;
}

/// "getBridgesIdPorts"
std::string operationId(const Endpoint& endpoint) {
    std::string out;
    for (const char c : http::toString(endpoint.method)) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    bool begins = true;
    for (const char c : endpoint.path.empty() ? std::string{"root"} : endpoint.path) {
        const bool word = std::isalnum(static_cast<unsigned char>(c)) != 0;
        if (word) out += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        begins = !word;
    }
    return out;
}

std::string tagOf(std::string_view path) {
    path.remove_prefix(std::min<std::size_t>(path.size(), 1));
    return path.empty() ? "root" : std::string{path.substr(0, path.find('/'))};
}

json::object operationOf(const Endpoint& endpoint) {
    json::object out{{"operationId", operationId(endpoint)}, {"tags", json::array{tagOf(endpoint.path)}}, {"parameters", parametersOf(endpoint)}};
    if (hasBody(endpoint))
        out["requestBody"] = {{"required", true},
                              {"content", endpoint.consumes.empty() ? textContent("text/plain") : contentOf(endpoint.consumes, false)}};
    out["responses"] = responsesOf(endpoint);
    out["x-tenants"] = endpoint.forTenants;
    return out;
}

/// Answered before the tables are looked at (Service::handle).
json::object login() {
    return {{"post",
             {{"operationId", "postLogin"},
              {"tags", json::array{"login"}},
              {"security", json::array{{{"password", json::array{}}}}},
              {"parameters", json::array{{{"name", "X-Auth-Project"}, {"in", "header"}, {"schema", {{"type", "string"}}}}}},
              {"responses",
               {{"200", {{"description", "OK"}, {"content", contentOf({itemType("Token", 1)}, false)}}},
                {"401", reference("responses", "Error")},
                {"503", reference("responses", "Error")}}}}}};
}

json::object pathsOf(const Service& service) {
    std::map<std::string, json::object> paths;
    for (const auto& endpoint : service.endpoints()) {
        if (endpoint.method == Method::Options) continue;
        std::string verb{http::toString(endpoint.method)};
        std::transform(verb.begin(), verb.end(), verb.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        paths[endpoint.path.empty() ? "/" : endpoint.path][verb] = operationOf(endpoint);
    }
    paths["/login"] = login();
    json::object out;
    for (auto& [path, item] : paths) out[path] = std::move(item);
    return out;
}

json::object tagHeader(const char* name, const char* doc) {
    return {{"name", name}, {"in", "header"}, {"description", doc}, {"schema", {{"type", "string"}}}};
}

json::object componentsOf(const Bodies& bodies) {
    json::object schemas;
    for (const auto& [name, properties] : bodies) schemas[name] = schemaOf(properties);
    return {{"schemas", std::move(schemas)},
            {"responses",
             {{"Error", {{"description", "Refused, and why."}, {"content", contentOf({std::string{kErrorType}}, false)}}},
              {"NotModified", {{"description", "What the client has is as it is."}}}}},
            {"parameters",
             {{"IfMatch", tagHeader("If-Match", "The ETag that GET gave: 412 when it has been changed since.")},
              {"IfNoneMatch", tagHeader("If-None-Match", "The ETag of what the client has: 304 when it is as it was; of a long list when nothing at all has changed.")}}},
            {"securitySchemes",
             {{"token", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-Auth-Token"}}}, {"password", {{"type", "http"}, {"scheme", "basic"}}}}}};
}

json::object documentOf(const Service& service) {
    auto bodies = service.bodies();
    describeCommon(bodies);
    return {{"openapi", "3.1.0"},
            {"info",
             {{"title", "MidoNet REST API"},
              {"version", "5.0"},
              {"description", std::string{kAbout}},
              {"license", {{"name", "Apache 2.0"}, {"identifier", "Apache-2.0"}}}}},
            {"servers", json::array{{{"url", fmt::format("http://localhost:8181{}", kRoot)}}}},
            {"security", json::array{{{"token", json::array{}}}, json::object{}}},
            {"paths", pathsOf(service)},
            {"components", componentsOf(bodies)}};
}

}  // namespace

std::string openapi() {
    const auto store = nsdb::openMemory();
    event::BlockingPool pool(1, 1);
    const auto authenticator = makeMockAuthenticator();
    Service service(pool, pool, *authenticator);
    ObjectApi objects(service, *store);
    addTopology(objects, *authenticator);
    addChanges(objects, nullptr);
    addConf(objects, conf::Catalogue{});
    return "# Generated: midonet-api --print-openapi > docs/openapi.yaml\n" + toYaml(documentOf(service));
}

}  // namespace midonet::rest
