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
    const bool secure = request.secure || firstOf(request.headers.find("X-Forwarded-Proto").value_or("")) == "https";
    return fmt::format("{}://{}{}", secure ? "https" : "http", host, kRoot);
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

/// 403 for what a tenant, or this one, may not do at all.
Outcome<void> checkRole(const Endpoint& endpoint, const Identity& caller) {
    if (caller.isAdministrator()) return {};
    if (!endpoint.forTenants) return refuse(403, "only an administrator may use {}{}", kRoot, endpoint.path);
    if (caller.role == Role::TenantUser && endpoint.method != http::Method::Get) return refuse(403, "your role in the project may only read");
    return {};
}

/// A message may name an object that is in the way, and that is not the tenant's: only ids that the request names are told.
std::string withoutForeignIds(std::string message, const http::Request& request) {
    constexpr std::size_t kLength = 36;
    for (std::size_t at = 0; at + kLength <= message.size(); ++at) {
        const auto text = std::string_view{message}.substr(at, kLength);
        if (!Uuid::parse(text)) continue;
        const bool named = request.target.find(text) != std::string::npos || request.body.find(text) != std::string::npos;
        if (!named) message.replace(at, kLength, "(hidden)");
    }
    return message;
}

http::Response refusal(Fault fault, const http::Request& request, const Identity& caller) {
    if (!caller.isAdministrator()) {
        fault.message = withoutForeignIds(std::move(fault.message), request);
        for (auto& violation : fault.violations) violation.message = withoutForeignIds(std::move(violation.message), request);
    }
    return withCors(toResponse(fault));
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

Service::Service(event::BlockingPool& pool, event::BlockingPool& authentication, Authenticator& authenticator)
    : pool_(pool), authentication_(authentication), authenticator_(authenticator) {}

void Service::add(Endpoint endpoint) {
    router_.add(endpoint.method, std::string{kRoot} + endpoint.path, endpoints_.size());
    endpoints_.push_back(std::move(endpoint));
}

/// OPTIONS is offered everywhere and answered before endpoints are looked for.
void Service::addBare(std::string_view path) {
    add({.method = http::Method::Options, .path = std::string{path}, .produces = {}, .consumes = {},
         .run = [](const Call&) -> Outcome<http::Response> { return preflight(); }});
}

void Service::addPage(Page page) { pages_.push_back(std::move(page)); }

http::Response Service::errorResponse(int status, std::string_view message) {
    return withCors(toResponse({status, std::string{message}}));
}

Service::Way Service::wayOf(const http::Request& request) const {
    const auto always = [](http::Response response) -> Way {
        return {.run = [fixed = std::move(response)](const http::Request&) { return fixed; }};
    };
    if (request.method == http::Method::Options) return always(withCors(preflight()));
    const auto path = withoutTrailingSlash(request.path());
    for (const auto& page : pages_)
        if (page.path == path) return {.run = page.run, .pool = page.blocks ? &pool_ : nullptr};
    if (path == std::string{kRoot} + "/login")
        return {.run = [this](const http::Request& login) { return withCors(answerLogin(authenticator_, login)); }, .pool = &authentication_};

    auto match = router_.find(request.method, path);
    if (match.outcome == http::Router::Outcome::NoSuchPath) return always(errorResponse(404, fmt::format("nothing is served at {}", path)));
    if (match.outcome == http::Router::Outcome::NoSuchMethod) {
        auto response = errorResponse(405, fmt::format("{} is not offered here, only {}", http::toString(request.method), match.allow));
        response.headers.add("Allow", match.allow);
        return always(std::move(response));
    }
    return {.endpoint = &endpoints_[match.route], .parameters = std::move(match.parameters)};
}

void Service::submit(event::BlockingPool& pool, const http::Responder& answer, event::Callback work) {
    if (!pool.submit(std::move(work))) answer(errorResponse(503, "too many requests are waiting; try again"));
}

void Service::handle(http::RequestPtr request, http::Responder answer) const {
    auto way = wayOf(*request);
    if (way.endpoint != nullptr) return admit(std::move(request), std::move(answer), *way.endpoint, std::move(way.parameters));
    if (way.pool == nullptr) return answer(way.run(*request));
    submit(*way.pool, answer, [run = std::move(way.run), request, answer] { answer(run(*request)); });
}

http::Response Service::answer(const http::Request& request) const {
    const auto way = wayOf(request);
    if (way.endpoint == nullptr) return way.run(request);
    const auto token = request.headers.find("X-Auth-Token");
    auto who = authenticator_.known(token);
    if (!who) who = authenticator_.check(token.value_or(""));
    return *who ? run(request, *way.endpoint, way.parameters, **who) : withCors(toResponse(who->error()));
}

/// Finds out who asks, without holding up the loop.
void Service::admit(http::RequestPtr request, http::Responder answer, const Endpoint& endpoint, Parameters parameters) const {
    const auto token = request->headers.find("X-Auth-Token");
    if (auto who = authenticator_.known(token)) return serve(std::move(request), std::move(answer), endpoint, std::move(parameters), std::move(*who));
    submit(authentication_, answer, [this, request, answer, &endpoint, token = std::string{token.value_or("")}, p = std::move(parameters)] {
        serve(request, answer, endpoint, p, authenticator_.check(token));
    });
}

void Service::serve(http::RequestPtr request, http::Responder answer, const Endpoint& endpoint, Parameters parameters,
                    Outcome<Identity> who) const {
    if (!who) return answer(withCors(toResponse(who.error())));
    auto work = [request, answer, &endpoint, p = std::move(parameters), caller = std::move(*who)] {
        auto response = run(*request, endpoint, p, caller);
        response.user = fmt::format("{}@{}", caller.user, caller.tenant);
        answer(std::move(response));
    };
    if (!endpoint.blocks) return work();
    submit(pool_, answer, std::move(work));
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

http::Response Service::run(const http::Request& request, const Endpoint& endpoint, const Parameters& parameters, const Identity& caller) {
    try {
        if (const auto may = checkRole(endpoint, caller); !may) return withCors(toResponse(may.error()));
        Call call{request, parameters, baseOf(request), std::string{kJson}, caller};
        if (!endpoint.produces.empty()) {
            auto type = negotiate(request.headers.find("Accept"), endpoint.produces);
            if (!type) return errorResponse(406, "the answer comes as one of " + joined(endpoint.produces));
            call.contentType = std::move(*type);
        }
        if (!endpoint.consumes.empty() && !understands(request.headers.find("Content-Type"), endpoint.consumes))
            return errorResponse(endpoint.wrongContentType, "the body must be one of " + joined(endpoint.consumes));
        auto outcome = endpoint.run(call);
        if (!outcome) return refusal(std::move(outcome.error()), request, caller);
        tagAnswer(request, *outcome);
        return withCors(std::move(*outcome));
    } catch (const std::exception& exception) {
        log.error("a request failed", {kv("path", request.path()), kv("reason", exception.what())});
        return errorResponse(500, "internal error");
    }
}

}  // namespace midonet::rest
