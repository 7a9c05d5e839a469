#include "rest/service.h"

#include <algorithm>

#include "base/log.h"
#include "rest/entity_tag.h"
#include "rest/media_type.h"

namespace midonet::rest {
namespace {

const Logger log{"rest"};

bool isAuthority(std::string_view text) {
    return !text.empty() && text.size() < 256 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view{".-_:[]"}.find(c) != std::string_view::npos;
    });
}

std::string_view firstOf(std::string_view list) {
    auto first = list.substr(0, list.find(','));
    while (!first.empty() && first.back() == ' ') first.remove_suffix(1);
    return first;
}

/// How the client reaches us: what a proxy in front says, else the Host header.
std::string baseOf(const http::Request& request) {
    auto host = firstOf(request.headers.find("X-Forwarded-Host").value_or(""));
    if (!isAuthority(host)) host = request.headers.find("Host").value_or("");
    if (!isAuthority(host)) host = "localhost";
    const auto scheme = firstOf(request.headers.find("X-Forwarded-Proto").value_or("")) == "https" ? "https" : "http";
    return fmt::format("{}://{}{}", scheme, host, kRoot);
}

http::Response withCors(http::Response response) {
    response.headers.add("Access-Control-Allow-Origin", "*");
    response.headers.add("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, OPTIONS");
    response.headers.add("Access-Control-Expose-Headers", "Location");
    return response;
}

http::Response preflight() {
    auto response = Call::empty(200);
    response.headers.add("Access-Control-Allow-Headers", "Origin, X-Auth-Token, X-Auth-Project, Content-Type, Accept, Authorization");
    return response;
}

std::string joined(const std::vector<std::string>& types) {
    std::string out;
    for (const auto& type : types) out += (out.empty() ? "" : ", ") + type;
    return out;
}

std::string_view withoutTrailingSlash(std::string_view path) {
    while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return path;
}

}  // namespace

Outcome<Uuid> Call::id(std::string_view name) const {
    auto id = Uuid::parse(parameters[name]);
    if (!id) return refuse(404, "there is no object '{}': that is not a UUID", parameters[name]);
    return *id;
}

Outcome<model::JsonBody> Call::body() const {
    GET_OR_REFUSE(body, model::JsonBody::parse(request.body));
    return body;
}

http::Response Call::created(const std::string& path) const {
    auto response = empty(201);
    response.headers.add("Location", base + path);
    return response;
}

http::Response Call::empty(int status) {
    http::Response response;
    response.status = status;
    return response;
}

Service::Service(event::BlockingPool& pool, Authenticator& authenticator) : pool_(pool), authenticator_(authenticator) {}

void Service::add(Endpoint endpoint) {
    router_.add(endpoint.method, std::string{kRoot} + endpoint.path, endpoints_.size());
    endpoints_.push_back(std::move(endpoint));
}

/// OPTIONS is offered everywhere and answered before endpoints are looked for.
void Service::addBare(std::string_view path) {
    add({.method = http::Method::Options, .path = std::string{path}, .produces = {}, .consumes = {},
         .run = [](const Call&) -> Outcome<http::Response> { return preflight(); }});
}

void Service::addPlain(std::string_view path, std::function<http::Response(const http::Request&)> run) {
    plain_.emplace_back(path, std::move(run));
}

http::Response Service::errorResponse(int status, std::string_view message) {
    return withCors(toResponse({status, std::string{message}}));
}

Service::Way Service::wayOf(const http::Request& request) const {
    if (request.method == http::Method::Options) return {.response = withCors(preflight())};
    const auto path = withoutTrailingSlash(request.path());
    for (const auto& [plainPath, run] : plain_)
        if (plainPath == path) return {.response = run(request)};
    if (path == std::string{kRoot} + "/login") return {.response = withCors(answerLogin(authenticator_, request))};

    auto match = router_.find(request.method, path);
    if (match.outcome == http::Router::Outcome::NoSuchPath) return {.response = errorResponse(404, fmt::format("nothing is served at {}", path))};
    if (match.outcome == http::Router::Outcome::NoSuchMethod) {
        auto response = errorResponse(405, fmt::format("{} is not offered here, only {}", http::toString(request.method), match.allow));
        response.headers.add("Allow", match.allow);
        return {.response = std::move(response)};
    }
    return {.endpoint = &endpoints_[match.route], .parameters = std::move(match.parameters)};
}

void Service::handle(http::RequestPtr request, http::Responder answer) const {
    auto way = wayOf(*request);
    if (way.endpoint == nullptr) return answer(std::move(way.response));
    if (!way.endpoint->blocks) return answer(run(*request, *way.endpoint, way.parameters));
    const bool queued = pool_.submit([this, request, answer, endpoint = way.endpoint, parameters = std::move(way.parameters)] {
        answer(run(*request, *endpoint, parameters));
    });
    if (!queued) answer(errorResponse(503, "too many requests are waiting; try again"));
}

http::Response Service::answer(const http::Request& request) const {
    auto way = wayOf(request);
    return way.endpoint == nullptr ? std::move(way.response) : run(request, *way.endpoint, way.parameters);
}

http::NextPiece Service::inPieces(std::function<Outcome<std::string>()> next) const {
    return [this, next = std::move(next)](const http::TakePiece& take) {
        const bool queued = pool_.submit([next, take] {
            auto piece = next();
            if (!piece) log.warn("an answer was cut off", {kv("reason", piece.error().message)});
            take(piece ? std::optional{std::move(*piece)} : std::nullopt);
        });
        if (!queued) take(std::nullopt);
    };
}

http::Response Service::run(const http::Request& request, const Endpoint& endpoint, const http::PathParameters& parameters) const {
    try {
        if (const auto allowed = authenticator_.check(request.headers.find("X-Auth-Token")); !allowed)
            return withCors(toResponse(allowed.error()));
        Call call{request, parameters, baseOf(request), std::string{kJson}};
        if (!endpoint.produces.empty()) {
            auto type = negotiate(request.headers.find("Accept"), endpoint.produces);
            if (!type) return errorResponse(406, "the answer comes as one of " + joined(endpoint.produces));
            call.contentType = std::move(*type);
        }
        if (!endpoint.consumes.empty() && !understands(request.headers.find("Content-Type"), endpoint.consumes))
            return errorResponse(endpoint.wrongContentType, "the body must be one of " + joined(endpoint.consumes));
        auto outcome = endpoint.run(call);
        if (!outcome) return withCors(toResponse(outcome.error()));
        tagAnswer(request, *outcome);
        return withCors(std::move(*outcome));
    } catch (const std::exception& exception) {
        log.error("a request failed", {kv("path", request.path()), kv("reason", exception.what())});
        return errorResponse(500, "internal error");
    }
}

}  // namespace midonet::rest
