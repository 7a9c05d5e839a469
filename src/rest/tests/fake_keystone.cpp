#include "fake_keystone.h"

#include <fmt/chrono.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

namespace midonet::rest::testing {

namespace json = boost::json;
using http::Response;

namespace {

Response plain(int status, std::string body = "{}") { return Response::text(status, "application/json", std::move(body)); }
std::string timeText(event::WallTime time) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.000000Z", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}
std::string textOf(const json::value& value, const char* pointer) {
    boost::system::error_code error;
    const auto* found = value.find_pointer(pointer, error);
    return found != nullptr && found->is_string() ? std::string{found->get_string()} : "";
}
std::string projectJson(const std::string& name) {
    return fmt::format(R"({{"id":"id-{0}","name":"{0}","description":"the {0}","enabled":true,"domain_id":"default"}})", name);
}

}  // namespace

FakeKeystone::FakeKeystone() : end_(event::SteadyClock{}.wall() + std::chrono::hours{1}), loop_(event::Loop::create("keystone")) {
    auto server = http::Server::listen({loop_.get()}, {}, [this](const http::RequestPtr& request, const http::Responder& answer) { handle(request, answer); });
    EXPECT_TRUE(server);
    server_ = std::move(*server);
    address_ = server_->address();
    thread_ = std::thread([this] { loop_->run(); });
}

FakeKeystone::~FakeKeystone() { stop(); }

void FakeKeystone::stop() {
    if (!thread_.joinable()) return;
    loop_->stop();
    thread_.join();
    waiting_.clear();
    server_.reset();
    loop_.reset();
}

void FakeKeystone::addUser(const std::string& name, const std::string& password, const std::string& project, std::vector<std::string> roles) {
    const std::lock_guard lock(mutex_);
    users_[name].password = password;
    users_[name].projects[project] = std::move(roles);
}
void FakeKeystone::tokensEndAt(event::WallTime end) {
    const std::lock_guard lock(mutex_);
    end_ = end;
}
void FakeKeystone::revokeTokens() {
    const std::lock_guard lock(mutex_);
    tokens_.clear();
}
void FakeKeystone::answerAll(std::optional<Response> canned) {
    const std::lock_guard lock(mutex_);
    canned_ = std::move(canned);
}
void FakeKeystone::beSilent() {
    const std::lock_guard lock(mutex_);
    silent_ = true;
}
void FakeKeystone::speakAgain() {
    const std::lock_guard lock(mutex_);
    silent_ = false;
    for (const auto& [request, answer] : waiting_) answer(answerTo(*request));
    waiting_.clear();
}
void FakeKeystone::waitForQuestion() {
    std::unique_lock lock(mutex_);
    asked_.wait(lock, [this] { return !waiting_.empty(); });
}
int FakeKeystone::logins() const {
    const std::lock_guard lock(mutex_);
    return logins_;
}
int FakeKeystone::checks() const {
    const std::lock_guard lock(mutex_);
    return checks_;
}
int FakeKeystone::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

void FakeKeystone::handle(const http::RequestPtr& request, const http::Responder& answer) {
    const std::lock_guard lock(mutex_);
    ++requests_;
    if (silent_) {
        waiting_.push_back({request, answer});
        return asked_.notify_all();
    }
    answer(canned_ ? *canned_ : answerTo(*request));
}

Response FakeKeystone::answerTo(const http::Request& request) {
    const auto path = std::string{request.path()};
    if (request.method == http::Method::Post && path == "/v3/auth/tokens") return loginV3(request);
    if (request.method == http::Method::Post && path == "/v2.0/tokens") return loginV2(request);
    if (!askedByAdmin(request)) return plain(401);
    if (path == "/v3/auth/tokens") {
        ++checks_;
        const auto key = std::string{request.headers.find("X-Subject-Token").value_or("")};
        return tokens_.contains(key) ? plain(200, describeV3(key)) : plain(404);
    }
    constexpr std::string_view kTokens = "/v2.0/tokens/";
    if (path.starts_with(kTokens)) {
        ++checks_;
        const auto key = *http::percentDecode(path.substr(kTokens.size()));
        return tokens_.contains(key) ? plain(200, describeV2(key)) : plain(404);
    }
    if (path == "/v3/projects") return projects("projects");
    if (path == "/v2.0/tenants") return request.query("limit") == "0" ? plain(200, R"({"tenants":[]})") : projects("tenants");
    if (path.starts_with("/v3/projects/")) return project("project", path.substr(path.rfind('/') + 1));
    if (path.starts_with("/v2.0/tenants/")) return project("tenant", path.substr(path.rfind('/') + 1));
    return plain(404);
}

Response FakeKeystone::loginV3(const http::Request& request) {
    const auto body = json::parse(request.body);
    if (textOf(body, "/auth/identity/methods/0") != "password" || textOf(body, "/auth/identity/password/user/domain/id") != "default" ||
        textOf(body, "/auth/scope/project/domain/id") != "default")
        return plain(400);
    const auto key = issue(textOf(body, "/auth/identity/password/user/name"), textOf(body, "/auth/identity/password/user/password"),
                           textOf(body, "/auth/scope/project/name"));
    if (!key) return plain(401);
    auto response = plain(201, describeV3(*key));
    response.headers.add("X-Subject-Token", *key);
    return response;
}

Response FakeKeystone::loginV2(const http::Request& request) {
    const auto body = json::parse(request.body);
    const auto key = issue(textOf(body, "/auth/passwordCredentials/username"), textOf(body, "/auth/passwordCredentials/password"),
                           textOf(body, "/auth/tenantName"));
    return key ? plain(200, describeV2(*key)) : plain(401);
}

std::optional<std::string> FakeKeystone::issue(const std::string& user, const std::string& password, const std::string& project) {
    ++logins_;
    const auto found = users_.find(user);
    if (found == users_.end() || found->second.password != password || !found->second.projects.contains(project)) return std::nullopt;
    const auto key = fmt::format("token/{}+{}", user, ++issued_);
    tokens_[key] = {user, project, end_};
    return key;
}

bool FakeKeystone::askedByAdmin(const http::Request& request) const {
    const auto found = tokens_.find(std::string{request.headers.find("X-Auth-Token").value_or("")});
    return found != tokens_.end() && rolesOf(found->second).find("\"admin\"") != std::string::npos;
}

std::string FakeKeystone::rolesOf(const Issued& token) const {
    std::string out;
    for (const auto& role : users_.at(token.user).projects.at(token.project))
        out += fmt::format(R"({}{{"id":"r","name":"{}"}})", out.empty() ? "" : ",", role);
    return "[" + out + "]";
}
std::string FakeKeystone::describeV3(const std::string& key) const {
    const auto& token = tokens_.at(key);
    return fmt::format(R"({{"token":{{"expires_at":"{}","user":{{"id":"u","name":"{}"}},"project":{},"roles":{}}}}})", timeText(token.end), token.user,
                       projectJson(token.project), rolesOf(token));
}
std::string FakeKeystone::describeV2(const std::string& key) const {
    const auto& token = tokens_.at(key);
    return fmt::format(R"({{"access":{{"token":{{"id":"{}","expires":"{}","tenant":{}}},"user":{{"id":"u","name":"{}","roles":{}}}}}}})", key,
                       timeText(token.end), projectJson(token.project), token.user, rolesOf(token));
}

std::vector<std::string> FakeKeystone::projectNames() const {
    std::vector<std::string> out;
    for (const auto& [name, user] : users_)
        for (const auto& [project, roles] : user.projects)
            if (std::find(out.begin(), out.end(), project) == out.end()) out.push_back(project);
    return out;
}
Response FakeKeystone::projects(const std::string& name) const {
    std::string list;
    for (const auto& project : projectNames()) list += (list.empty() ? "" : ",") + projectJson(project);
    return plain(200, fmt::format(R"({{"{}":[{}]}})", name, list));
}
Response FakeKeystone::project(const std::string& name, const std::string& id) const {
    for (const auto& project : projectNames())
        if ("id-" + project == id) return plain(200, fmt::format(R"({{"{}":{}}})", name, projectJson(project)));
    return plain(404);
}

}  // namespace midonet::rest::testing
