#include "rest/keystone.h"

#include <boost/json.hpp>
#include <charconv>

namespace midonet::rest {

namespace json = boost::json;
using http::Method;

namespace {

/// A token, or a list of a hundred thousand projects.
constexpr std::uint64_t kBodyBytes = 32 << 20;

/// A JSON object of an answer: what is not there, or is of another kind, reads as nothing.
class Node {
public:
    Node() = default;
    explicit Node(const json::value* value) : value_(value) {}

    Node operator[](std::string_view key) const {
        if (value_ == nullptr || !value_->is_object()) return {};
        return Node{value_->get_object().if_contains({key.data(), key.size()})};
    }
    std::optional<std::string> text() const {
        if (value_ == nullptr || !value_->is_string()) return std::nullopt;
        return std::string{value_->get_string()};
    }
    bool boolean(bool otherwise) const { return value_ != nullptr && value_->is_bool() ? value_->get_bool() : otherwise; }
    const json::array* array() const { return value_ == nullptr ? nullptr : value_->if_array(); }

private:
    const json::value* value_ = nullptr;
};

struct Answer {
    json::value body;
    std::string subject;  ///< X-Subject-Token

    Node operator[](std::string_view key) const { return Node{&body}[key]; }
};

Unexpected notUnderstood(std::string_view what) { return fail(ErrorCode::Malformed, "Keystone answers without {}", what); }

/// What both versions share: one request, its answer as JSON, statuses as errors.
class Exchange {
public:
    Exchange(KeystoneAddress address, std::string_view root) : address_(std::move(address)), base_(address_.url) {
        while (base_.ends_with('/')) base_.pop_back();
        if (!base_.ends_with(root)) base_ += root;
    }

    const KeystoneAddress& address() const { return address_; }

    Result<Answer> get(const std::string& path, const std::string& admin, const std::string& subject = {}) const {
        http::Request request;
        request.headers.add("X-Auth-Token", admin);
        if (!subject.empty()) request.headers.add("X-Subject-Token", subject);
        return ask(std::move(request), path);
    }
    Result<Answer> post(const std::string& path, const json::object& body) const {
        http::Request request;
        request.method = Method::Post;
        request.headers.add("Content-Type", "application/json");
        request.body = json::serialize(body);
        return ask(std::move(request), path);
    }

private:
    Result<Answer> ask(http::Request request, const std::string& path) const {
        request.target = base_ + path;
        request.headers.add("Accept", "application/json");
        request.headers.add("Connection", "close");
        http::Client client{{.timeout = address_.timeout, .bodyBytes = kBodyBytes, .trust = address_.trust, .lookUp = address_.lookUp}};
        TRY(response, client.send(request));
        switch (response.status) {
            case 200:
            case 201:
            case 203: return understand(response);
            case 400:
            case 401:
            case 403: return fail(ErrorCode::PermissionDenied, "Keystone answers {}", response.status);
            case 404: return fail(ErrorCode::NotFound, "Keystone answers 404");
            default: return fail(ErrorCode::Malformed, "Keystone answers {}", response.status);
        }
    }
    static Result<Answer> understand(const http::Response& response) {
        Answer answer;
        boost::system::error_code error;
        answer.body = json::parse(response.body, error);
        if (error) return notUnderstood("JSON");
        answer.subject = std::string{response.headers.find("X-Subject-Token").value_or("")};
        return answer;
    }

    KeystoneAddress address_;
    std::string base_;
};

Result<std::vector<std::string>> rolesOf(const Node& holder) {
    std::vector<std::string> out;
    const auto* roles = holder["roles"].array();
    if (roles == nullptr) return out;  // a token for no project
    for (const auto& role : *roles) {
        const auto name = Node{&role}["name"].text();
        if (!name) return notUnderstood("the names of roles");
        out.push_back(*name);
    }
    return out;
}

Result<Tenant> tenantOf(const Node& node) {
    const auto id = node["id"].text();
    const auto name = node["name"].text();
    if (!id || !name) return notUnderstood("id and name of a project");
    return Tenant{*id, *name, node["description"].text().value_or(""), node["enabled"].boolean(true)};
}

Result<std::vector<Tenant>> tenantsOf(const Node& list) {
    if (list.array() == nullptr) return notUnderstood("a list of projects");
    std::vector<Tenant> out;
    for (const auto& one : *list.array()) {
        TRY(tenant, tenantOf(Node{&one}));
        out.push_back(std::move(tenant));
    }
    return out;
}

/// A token as both versions tell of it, at different places.
Result<KeystoneToken> tokenOf(std::string key, const Node& expires, const Node& user, const Node& project, const Node& rolesHolder) {
    const auto time = parseKeystoneTime(expires.text().value_or(""));
    const auto name = user["name"].text();
    if (!time) return notUnderstood("the end of the token");
    if (!name) return notUnderstood("the user of the token");
    TRY(roles, rolesOf(rolesHolder));
    return KeystoneToken{std::move(key), *time, *name, project["id"].text().value_or(""), std::move(roles)};
}

/// Nothing at the address of logins is a mistake in the address, not in the password.
Result<Answer> asLogin(Result<Answer> answer) {
    if (!answer && answer.error().code == ErrorCode::NotFound)
        return fail(ErrorCode::Malformed, "Keystone answers 404: look at keystone.url and keystone.version");
    return answer;
}

class KeystoneV3 final : public Keystone {
public:
    explicit KeystoneV3(KeystoneAddress address) : exchange_(std::move(address), "/v3") {}

    Result<KeystoneToken> login(const std::string& user, const std::string& password, const std::string& project) const override {
        const json::object who{{"name", user}, {"domain", domain()}, {"password", password}};
        const json::object identity{{"methods", json::array{"password"}}, {"password", json::object{{"user", who}}}};
        const json::object scope{{"project", json::object{{"name", project}, {"domain", domain()}}}};
        const json::object body{{"auth", json::object{{"identity", identity}, {"scope", scope}}}};
        TRY(answer, asLogin(exchange_.post("/auth/tokens?nocatalog", body)));
        if (answer.subject.empty()) return notUnderstood("X-Subject-Token");
        return tokenOf(answer["token"], answer.subject);
    }
    Result<KeystoneToken> token(const std::string& admin, const std::string& token) const override {
        TRY(answer, exchange_.get("/auth/tokens?nocatalog", admin, token));
        return tokenOf(answer["token"], token);
    }
    Result<std::vector<Tenant>> tenants(const std::string& admin, const TenantRange&) const override {
        TRY(answer, exchange_.get("/projects", admin));
        return tenantsOf(answer["projects"]);
    }
    Result<Tenant> tenant(const std::string& admin, const std::string& id) const override {
        TRY(answer, exchange_.get("/projects/" + http::percentEncode(id), admin));
        return tenantOf(answer["project"]);
    }

private:
    static Result<KeystoneToken> tokenOf(const Node& token, const std::string& key) {
        return rest::tokenOf(key, token["expires_at"], token["user"], token["project"], token);
    }
    json::object domain() const {
        const auto& address = exchange_.address();
        if (!address.domainName.empty()) return json::object{{"name", address.domainName}};
        return json::object{{"id", address.domainId}};
    }

    Exchange exchange_;
};

class KeystoneV2 final : public Keystone {
public:
    explicit KeystoneV2(KeystoneAddress address) : exchange_(std::move(address), "/v2.0") {}

    Result<KeystoneToken> login(const std::string& user, const std::string& password, const std::string& project) const override {
        const json::object credentials{{"username", user}, {"password", password}};
        const json::object body{{"auth", json::object{{"tenantName", project}, {"passwordCredentials", credentials}}}};
        TRY(answer, asLogin(exchange_.post("/tokens", body)));
        return tokenOf(answer);
    }
    Result<KeystoneToken> token(const std::string& admin, const std::string& token) const override {
        TRY(answer, exchange_.get("/tokens/" + http::percentEncode(token), admin));
        return tokenOf(answer);
    }
    Result<std::vector<Tenant>> tenants(const std::string& admin, const TenantRange& range) const override {
        std::string query;
        const auto add = [&query](const char* name, const std::optional<std::string>& value) {
            if (value) query += fmt::format("{}{}={}", query.empty() ? "?" : "&", name, http::percentEncode(*value));
        };
        add("marker", range.marker);
        add("limit", range.limit);
        TRY(answer, exchange_.get("/tenants" + query, admin));
        return tenantsOf(answer["tenants"]);
    }
    Result<Tenant> tenant(const std::string& admin, const std::string& id) const override {
        TRY(answer, exchange_.get("/tenants/" + http::percentEncode(id), admin));
        return tenantOf(answer["tenant"]);
    }

private:
    static Result<KeystoneToken> tokenOf(const Answer& answer) {
        const auto access = answer["access"];
        const auto key = access["token"]["id"].text();
        if (!key) return notUnderstood("a token");
        return rest::tokenOf(*key, access["token"]["expires"], access["user"], access["token"]["tenant"], access["user"]);
    }

    Exchange exchange_;
};

/// `count` digits.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    int value = 0;
    const auto part = text.substr(at, count);
    const auto [end, wrong] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (part.size() != count || wrong != std::errc{} || end != part.data() + count || part.front() == '-') return std::nullopt;
    return value;
}

}  // namespace

std::unique_ptr<Keystone> connectKeystone(KeystoneAddress address) {
    if (address.version == 2) return std::make_unique<KeystoneV2>(std::move(address));
    return std::make_unique<KeystoneV3>(std::move(address));
}

std::optional<event::WallTime> parseKeystoneTime(std::string_view text) {
    constexpr std::string_view kShape = "0000-00-00T00:00:00";
    if (text.size() <= kShape.size() || text.back() != 'Z') return std::nullopt;
    for (const std::size_t at : {4, 7, 10, 13, 16})
        if (text[at] != kShape[at]) return std::nullopt;
    const auto fraction = text.substr(kShape.size(), text.size() - kShape.size() - 1);
    if (!fraction.empty() && (fraction.front() != '.' || fraction.find_first_not_of("0123456789", 1) != fraction.npos)) return std::nullopt;
    const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    if (!year || !month || !day || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} + std::chrono::seconds{*second};
}

}  // namespace midonet::rest
