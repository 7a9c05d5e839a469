#pragma once

#include <boost/json.hpp>
#include <algorithm>
#include <functional>
#include <future>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "model/schema.h"
#include "rest/service.h"

namespace midonet::rest::testing {

namespace json = boost::json;
using http::Method;

/// Chance, all of it from one seed.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : random_(seed) {}

    std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }
    bool percent(std::size_t chance) { return below(100) < chance; }
    template <class T>
    const T& oneOf(const std::vector<T>& those) { return those[below(those.size())]; }
    std::string oneOf(std::initializer_list<const char*> those) { return *(those.begin() + below(those.size())); }
    Uuid uuid() { return {random_(), random_()}; }
    std::int64_t number() { return static_cast<std::int64_t>(random_()); }

private:
    std::mt19937_64 random_;
};

/// What has been made, for later requests to name.
class Known {
public:
    void add(std::string path) {
        const auto slash = path.find('/', 1);
        const auto* schema = model::Schema::get().byRest(path.substr(1, slash - 1));
        const auto id = path.find('/', slash + 1) == path.npos ? Uuid::parse(path.substr(slash + 1)) : Uuid::parse("");
        if (schema != nullptr && id) ids_[schema->name].push_back(id->toString());
        if (path.starts_with("/rules/")) ids_["Rule"].push_back(path.substr(7));
        paths_.push_back(std::move(path));
    }
    void remove(const std::string& path) {
        std::erase(paths_, path);
        for (auto it = ids_.begin(); it != ids_.end();) {
            std::erase(it->second, path.substr(path.rfind('/') + 1));
            it = it->second.empty() ? ids_.erase(it) : std::next(it);
        }
    }
    std::size_t size() const { return paths_.size(); }
    const std::vector<std::string>& paths() const { return paths_; }
    std::string path(Dice& dice) const { return paths_.empty() ? "/" : dice.oneOf(paths_); }
    /// Of the class, or of any when `type` is empty or has none.
    std::string id(Dice& dice, const std::string& type) const {
        const auto found = ids_.find(type);
        if (found != ids_.end()) return dice.oneOf(found->second);
        if (ids_.empty()) return dice.uuid().toString();
        return dice.oneOf(std::next(ids_.begin(), static_cast<std::ptrdiff_t>(dice.below(ids_.size())))->second);
    }
    void forget() {
        ids_.clear();
        paths_.clear();
    }

private:
    std::map<std::string, std::vector<std::string>> ids_;
    std::vector<std::string> paths_;
};

/// Makes bodies from what the description says of them.
class Bodymaker {
public:
    Bodymaker(Dice& dice, const Known& known, const Bodies& bodies) : dice_(dice), known_(known), bodies_(bodies) {}

    /// `noise`: chance in percent that a value is not as it should be.
    json::object make(const std::string& name, std::size_t noise) {
        json::object out;
        const auto found = bodies_.find(name);
        if (found == bodies_.end()) return out;
        for (const auto& property : found->second) {
            if (!dice_.percent(property.required ? 100 - noise / 4 : (property.readOnly ? 3 : 30))) continue;
            out[property.name] = dice_.percent(noise) ? anything() : value(property, noise);
        }
        if (found->second.front().name == "id" && dice_.percent(90)) out["id"] = dice_.percent(98) ? dice_.uuid().toString() : known_.id(dice_, "");
        if (dice_.percent(5)) out["tenantId"] = "euca_tenant_1";
        if (dice_.percent(5)) out["no_such_key"] = anything();
        return out;
    }
    std::string text(const std::string& name, std::size_t noise) {
        auto out = json::serialize(make(name, noise));
        if (dice_.percent(20)) out += '\0';
        if (!dice_.percent(noise / 2)) return out;
        switch (dice_.below(5)) {
            case 0: return out.substr(0, dice_.below(out.size()));
            case 1: out[dice_.below(out.size())] = static_cast<char>(dice_.below(256)); return out;
            case 2: return out.insert(dice_.below(out.size()), 1, static_cast<char>(dice_.below(256)));
            case 3: return json::serialize(anything());
            default: return std::string(dice_.below(100), '[');
        }
    }

private:
    json::value value(const Property& property, std::size_t noise) {
        if (!property.list) return scalar(property, noise);
        json::array out;
        for (auto count = dice_.below(3); count > 0; --count) out.push_back(scalar(property, noise));
        return out;
    }
    json::value scalar(const Property& property, std::size_t noise) {
        if (property.nullable && dice_.percent(10)) return nullptr;
        if (!property.values.empty()) return json::value_from(dice_.oneOf(property.values));
        switch (property.type) {
            case ValueType::Text: return json::value_from(dice_.oneOf({"a", "b", "name", "eth0", "QUAGGA", "ffff.ff00.0000"}));
            case ValueType::Number:
            case ValueType::Integer: return number(property);
            case ValueType::Flag: return dice_.percent(50);
            case ValueType::Uuid: return json::value_from(dice_.percent(95) ? known_.id(dice_, property.of) : dice_.uuid().toString());
            case ValueType::Uri: return "http://localhost/midonet-api/bridges";
            case ValueType::Mac: return json::value_from(fmt::format("02:00:00:00:00:{:02x}", dice_.below(8)));
            case ValueType::Ipv4: return json::value_from(fmt::format("10.0.{}.{}", dice_.below(2), dice_.below(4)));
            case ValueType::Ip: return json::value_from(dice_.percent(80) ? fmt::format("10.0.0.{}", dice_.below(4)) : fmt::format("2001:db8::{}", dice_.below(4)));
            case ValueType::Prefix: return json::value_from(fmt::format("10.0.{}.1/{}", dice_.below(4), dice_.below(33)));
            case ValueType::Object: return make(property.of, noise);
            case ValueType::Null: return nullptr;
        }
        return nullptr;
    }
    json::value number(const Property& property) {
        std::int64_t out = property.min < property.max && dice_.percent(20) ? (dice_.percent(50) ? property.min : property.max)
                                                                            : property.min + static_cast<std::int64_t>(dice_.below(3));
        if (dice_.percent(20)) return json::value_from(std::to_string(out));
        return out;
    }
    json::value anything() {
        switch (dice_.below(13)) {
            case 0: return nullptr;
            case 1: return dice_.number();
            case 2: return "";
            case 3: return "null";
            case 4: return json::array{nullptr, 1, "x"};
            case 5: return json::object{{"id", "x"}, {"deep", json::object{{"er", json::array{}}}}};
            case 6: return json::value_from(std::string(dice_.below(400), 'x'));
            case 7: return json::value_from(std::string("a\0\n\"\\/_\x7f", 9));
            case 8: return "\xc3\xa9\xf0\x9f\x8c\x89";
            case 9: return -1;
            case 10: return 1e300;
            case 11: return json::value_from(known_.id(dice_, ""));
            default: return true;
        }
    }

    Dice& dice_;
    const Known& known_;
    const Bodies& bodies_;
};

/// A request without a body.
inline http::Request requestOf(Method method, std::string target) {
    http::Request out;
    out.method = method;
    out.target = std::move(target);
    return out;
}

/// The answer, whole.
inline http::Response askService(const Service& service, const http::Request& request) {
    auto response = service.answer(request);
    while (response.more) {
        std::promise<std::optional<std::string>> given;
        response.more([&](std::optional<std::string> next) { given.set_value(std::move(next)); });
        const auto piece = given.get_future().get();
        if (!piece) return Service::errorResponse(500, "cut off");
        if (piece->empty()) break;
        response.body += *piece;
    }
    return response;
}

/// Makes requests from the description of the API: good, nearly good, and broken.
class Requestmaker {
public:
    using Ask = std::function<http::Response(const http::Request&)>;
    Requestmaker(Dice& dice, const Known& known, const Service& service, Ask ask) : dice_(dice), known_(known), service_(service), ask_(std::move(ask)) {}

    /// `noise`: chance in percent that something is not as it should be.
    http::Request make(std::size_t noise) {
        http::Request request;
        std::string name;
        if (dice_.percent(25)) {  // one that is there
            request.target = known_.path(dice_);
            request.method = dice_.oneOf(std::vector{Method::Get, Method::Put, Method::Delete});
            for (const auto& endpoint : service_.endpoints())
                if (request.method == Method::Put && endpoint.method == Method::Put && fits(endpoint.path, request.target)) name = bodyOf(endpoint);
            if (request.method == Method::Put && dice_.percent(40)) request.body = ask_(requestOf(Method::Get, "/midonet-api" + request.target)).body;
        } else {
            const auto& endpoint = dice_.percent(50) ? posts() : dice_.oneOf(service_.endpoints());
            request.method = endpoint.method;
            request.target = fill(endpoint.path, noise);
            name = bodyOf(endpoint);
        }
        request.target = "/midonet-api" + request.target;
        Bodymaker bodies(dice_, known_, service_.bodies());
        if (request.body.empty() && (!name.empty() || dice_.percent(5))) request.body = bodies.text(name, noise);
        decorate(request, noise);
        return request;
    }

private:
    /// Most of the work is in making things.
    const Endpoint& posts() {
        for (;;)
            if (const auto& endpoint = dice_.oneOf(service_.endpoints()); endpoint.method == Method::Post) return endpoint;
    }
    static bool fits(std::string_view pathTemplate, std::string_view path) {
        return pathTemplate.substr(0, pathTemplate.find('{')) == path.substr(0, path.rfind('/') + 1);
    }
    static std::string bodyOf(const Endpoint& endpoint) {
        if (endpoint.consumes.empty()) return "";
        std::string_view type = endpoint.consumes.front();
        type.remove_prefix(std::string_view{"application/vnd.org.midonet."}.size());
        return std::string{type.substr(0, type.rfind('-'))};
    }
    /// The path with its parameters filled in: those that end it from a known path, ids of the class before them.
    std::string fill(const std::string& pathTemplate, std::size_t noise) {
        std::string out;
        std::string before;
        for (std::string_view rest = pathTemplate; !rest.empty();) {
            rest.remove_prefix(1);
            const auto segment = rest.substr(0, rest.find('/'));
            rest.remove_prefix(segment.size());
            out += '/';
            if (!segment.starts_with('{')) {
                before = segment;
                out += segment;
                continue;
            }
            const auto* schema = model::Schema::get().byRest(before);
            if (dice_.percent(noise / 2))
                out += dice_.oneOf({"x", "%00", "%ff", "%", "..", "%2e%2e", "%2F", "99999999-9999-9999-9999-999999999999", "", "10.0.0.1", "a'b\"c"});
            else if (schema != nullptr || before == "rules")
                out += known_.id(dice_, schema != nullptr ? schema->name : "Rule");
            else
                out += dice_.oneOf({"10.0.0.0_24", "10.0.0.1", "4", "0", "1", "02-00-00-00-00-01", "10.0.0.1_02-00-00-00-00-01", "default", "eth0", "2001:db8::_64"});
        }
        return out;
    }
    void decorate(http::Request& request, std::size_t noise) {
        request.headers.add("Host", "localhost");
        if (dice_.percent(10)) request.target += dice_.oneOf({"?limit=2", "?tenant_id=a", "?name=a", "?limit=1&after=x", "?", "?%ff=%", "?port_id=x", "?limit=-1", "/", "//"});
        if (dice_.percent(noise / 4)) request.headers.add("Accept", dice_.oneOf({"*/*", "text/plain", ";;,", "application/json;q=0", "\x01"}));
        if (dice_.percent(noise / 4)) request.headers.add("Content-Type", dice_.oneOf({"application/json", "text/plain", "application/", ""}));
        if (dice_.percent(5)) request.headers.add(dice_.oneOf({"If-Match", "If-None-Match"}), dice_.oneOf({"*", "\"0\"", "", "W/"}));
    }

    Dice& dice_;
    const Known& known_;
    const Service& service_;
    const Ask ask_;
};

}  // namespace midonet::rest::testing
