#include "fake_server.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "cli/values.h"

namespace midonet::cli::testing {

namespace json = boost::json;

namespace {

/// Keys whose values servers convert to numbers.
constexpr std::string_view kNumbers[] = {"vlanId", "asNumber", "weight", "position", "nwProto", "interfaceMTU", "protocolPort"};

json::object parse(std::string_view text) { return text.empty() ? json::object{} : json::parse(text).as_object(); }

void convertNumbers(json::object& body) {
    for (const auto key : kNumbers) {
        auto* value = body.if_contains(key);
        if (!value || !value->is_string()) continue;
        const std::string_view text = value->get_string();
        std::int64_t number = 0;
        std::from_chars(text.data(), text.data() + text.size(), number);
        *value = number;
    }
}

http::Response document(const json::value& value) { return http::Response::text(200, "application/json", json::serialize(value)); }
http::Response refused(int status, std::string_view message) {
    return http::Response::text(status, "application/json", json::serialize(json::object{{"message", message}, {"code", status}}));
}

}  // namespace

std::string fakeId(int n) { return fmt::format("00000000-0000-0000-0000-{:012}", n); }

FakeServer::FakeServer() {
    classes_ = {
        {"bridges", "bridges", "bridgeTemplate", R"({"adminStateUp":true,"inboundFilterId":null,"inboundMirrorIds":[]})",
         {{"ports", "ports", "ports", "deviceId"},
          {"dhcpSubnets", "dhcp", "dhcp", "bridgeId"},
          {"macTable", "mac_table", "mac_table", "bridgeId"},
          {"arpTable", "arp_table", "arp_table", "bridgeId"}}},
        {"routers", "routers", "routerTemplate", R"({"adminStateUp":true})",
         {{"ports", "ports", "ports", "deviceId"}, {"routes", "routes", "routes", "routerId"}}},
        {"ports", "ports", "portTemplate", R"({"adminStateUp":true,"active":false,"peerId":null})", {}},
        {"routes", "", "routeTemplate", R"({"learned":false})", {}},
        {"dhcp", "", "", "{}", {{"hosts", "hosts", "dhcp_hosts", "subnetId"}}, false},
        {"dhcp_hosts", "", "", "{}", {}, false},
        {"mac_table", "", "", R"({"vlanId":0})", {}, false},
        {"arp_table", "", "", "{}", {}, false},
        {"chains", "chains", "chainTemplate", "{}", {{"rules", "rules", "rules", "chainId"}}},
        {"rules", "", "ruleTemplate", R"({"condInvert":false})", {}},
        {"hosts", "hosts", "hostTemplate", "{}", {{"ports", "ports", "bindings", "hostId"}}},
        {"bindings", "", "", "{}", {}, false},
        {"mirrors", "mirrors", "mirrorTemplate", R"({"conditions":null})", {}},
        {"traces", "traceRequests", "traceRequestTemplate", "{}", {}},
        {"tunnel_zones", "tunnelZones", "tunnelZoneTemplate", "{}", {{"hosts", "hosts", "members", "tunnelZoneId"}}},
        {"members", "", "", "{}", {}, false},
        {"load_balancers", "loadBalancers", "loadBalancerTemplate", R"({"adminStateUp":true})", {{"pools", "pools", "pools", "loadBalancerId"}}},
        {"pools", "", "poolTemplate", R"({"adminStateUp":true})", {{"poolMembers", "pool_members", "pool_members", "poolId"}}},
        {"pool_members", "", "poolMemberTemplate", R"({"adminStateUp":true})", {}},
        {"ip_addr_groups", "ipAddrGroups", "ipAddrGroupTemplate", "{}", {{"addrs", "ip_addrs", "ip_addrs", "ipAddrGroupId"}}},
        {"ip_addrs", "", "", "{}", {}, false},
    };
}

Transport FakeServer::transport() {
    const auto send = [this](const http::Request& request) -> Result<http::Response> {
        if (stopped_) return fail(ErrorCode::Unavailable, "nobody listens");
        requests_.push_back(fmt::format("{} {}", toString(request.method), request.target.substr(kUrl.size())));
        return answer(request);
    };
    const auto more = [this](event::Duration) -> Result<std::optional<std::string>> {
        if (told_.empty()) return std::string{};
        auto piece = std::move(told_.front());
        told_.pop_front();
        return piece;
    };
    return {.send = send, .open = send, .more = more};
}

void FakeServer::requireLogin(std::string user, std::string password) {
    credentials_ = user + ":" + password;
    forgetTokens();
}

void FakeServer::add(std::string_view segment, json::object body) { make(*classOf(segment), std::move(body)); }

void FakeServer::remove(std::string_view segment, const std::string& id) {
    std::erase_if(objects_[std::string{segment}], [&](const Stored& one) { return one.id == id; });
}

std::vector<json::object> FakeServer::all(std::string_view segment) const {
    std::vector<json::object> out;
    if (const auto found = objects_.find(segment); found != objects_.end())
        for (const auto& stored : found->second) out.push_back(stored.body);
    return out;
}

http::Response FakeServer::answer(const http::Request& request) {
    const auto target = std::string_view{request.target}.substr(kUrl.size());
    const auto parts = splitAt(target.substr(0, target.find('?')), '/');
    if (parts.size() == 2 && parts[1] == "login") return login(request);
    if (!token_.empty() && request.headers.find("X-Auth-Token") != token_) return refused(401, "who are you?");
    if (parts.size() < 2) return root();
    if (parts[1] == "changes") return refused(feed_ == 410 && !request.query("since") ? 200 : feed_, "");
    if (parts[1] == "system_state")
        return document(json::object{{"state", "ACTIVE"}, {"availability", "READWRITE"}, {"information", information_}});
    const auto* of = classOf(parts[1]);
    if (!of) return refused(404, "nothing is served there");
    if (parts.size() == 2) return collection(*of, {}, {}, request);
    const std::string id{parts[2]};
    if (parts.size() == 3) return item(*of, id, request);
    if (parts[3] == "link") return link(id, request);
    for (const auto& child : of->children)
        if (child.segment == parts[3]) return collection(*classOf(child.of), child.ownerKey, id, request);
    return refused(404, "nothing is served there");
}

http::Response FakeServer::root() const {
    json::object out{{"uri", std::string{kUrl} + "/"}, {"systemState", std::string{kUrl} + "/system_state"}};
    for (const auto& of : classes_) {
        const auto uri = fmt::format("{}/{}", kUrl, of.segment);
        if (!of.listKey.empty()) out[of.listKey] = uri;
        if (!of.itemKey.empty()) out[of.itemKey] = uri + "/{id}";
    }
    return document(out);
}

http::Response FakeServer::collection(const Class& of, std::string_view ownerKey, const std::string& owner, const http::Request& request) {
    if (request.method == http::Method::Post) {
        auto body = parse(request.body);
        if (!ownerKey.empty()) body[ownerKey] = owner;
        auto response = http::Response::text(201, "application/json", "");
        response.headers.add("Location", make(of, std::move(body)));
        return response;
    }
    const auto tenant = request.query("tenant_id");
    json::array out;
    for (const auto& stored : objects_[std::string{of.segment}]) {
        const auto* ownedBy = stored.body.if_contains(ownerKey);
        if (!ownerKey.empty() && (!ownedBy || *ownedBy != json::value(owner))) continue;
        if (tenant && (!stored.body.contains("tenantId") || stored.body.at("tenantId") != json::value(*tenant))) continue;
        out.push_back(stored.body);
    }
    return document(out);
}

http::Response FakeServer::item(const Class& of, const std::string& id, const http::Request& request) {
    auto* stored = find(of.segment, id);
    if (!stored) return refused(404, "no such object");
    if (request.method == http::Method::Get) return document(stored->body);
    if (request.method == http::Method::Put) {
        stored->body = parse(request.body);
        convertNumbers(stored->body);
    }
    if (request.method == http::Method::Delete) remove(of.segment, id);
    return http::Response::text(204, "application/json", "");
}

http::Response FakeServer::link(const std::string& id, const http::Request& request) {
    auto* port = find("ports", id);
    if (!port) return refused(404, "no such port");
    const auto peer = request.method == http::Method::Post ? parse(request.body).at("peerId") : json::value{};
    auto* old = port->body.at("peerId").is_string() ? find("ports", std::string{port->body.at("peerId").get_string()}) : nullptr;
    if (old) old->body["peerId"] = nullptr;
    port->body["peerId"] = peer;
    if (peer.is_string())
        if (auto* other = find("ports", std::string{peer.get_string()})) other->body["peerId"] = id;
    return http::Response::text(204, "application/json", "");
}

http::Response FakeServer::login(const http::Request& request) {
    // "user:password" in base64; of these two tests know it by heart.
    const bool good = credentials_ == "admin:secret" && request.headers.find("Authorization") == "Basic YWRtaW46c2VjcmV0";
    if (!credentials_.empty() && !good) return refused(401, "who are you?");
    token_ = fmt::format("token{}", ++logins_);
    auto response = http::Response::text(200, "application/json", "{}");
    response.headers.add("Set-Cookie", fmt::format("sessionId={}; Expires=never", token_));
    return response;
}

std::string FakeServer::make(const Class& of, json::object body) {
    Stored stored{fakeId(++made_), json::parse(of.defaults).as_object()};
    const auto uri = fmt::format("{}/{}/{}", kUrl, of.segment, stored.id);
    if (of.hasId) stored.body["id"] = stored.id;
    for (const auto& child : of.children) stored.body[child.link] = fmt::format("{}/{}", uri, child.segment);
    if (of.segment == "ports") stored.body["link"] = uri + "/link";
    for (auto& member : body) stored.body[member.key()] = member.value();
    stored.body["uri"] = uri;
    convertNumbers(stored.body);
    objects_[std::string{of.segment}].push_back(std::move(stored));
    return uri;
}

const FakeServer::Class* FakeServer::classOf(std::string_view segment) const {
    const auto found = std::find_if(classes_.begin(), classes_.end(), [&](const Class& one) { return one.segment == segment; });
    return found == classes_.end() ? nullptr : &*found;
}

FakeServer::Stored* FakeServer::find(std::string_view segment, const std::string& id) {
    auto& all = objects_[std::string{segment}];
    const auto found = std::find_if(all.begin(), all.end(), [&](const Stored& one) { return one.id == id; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace midonet::cli::testing
