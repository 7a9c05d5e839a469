#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "event/blocking_pool.h"
#include "http/router.h"
#include "http/server.h"
#include "model/json.h"
#include "rest/authenticator.h"
#include "rest/fault.h"
#include "rest/property.h"

namespace midonet::rest {

/// Where the API begins.
inline constexpr std::string_view kRoot = "/midonet-api";

/// One request on its way through an endpoint.
struct Call {
    const http::Request& request;
    const http::PathParameters& parameters;
    std::string base;         ///< "http://HOST:PORT/midonet-api", as the client sees us.
    std::string contentType;  ///< What the client wants back.
    const Identity& caller;   ///< Who asks; what he may read and write: ObjectApi::storeOf().

    /// A parameter of the path as UUID; 404 when it is none.
    Outcome<Uuid> id(std::string_view name = "id") const;
    /// The body; 400 when it is not a JSON object.
    Outcome<model::JsonBody> body() const;
    http::Response ok(std::string json) const { return http::Response::text(200, contentType, std::move(json)); }
    /// 201 with Location: `path` is below the base, beginning with '/'.
    http::Response created(const std::string& path) const;
    static http::Response empty(int status);
    /// A target on this server as the client reaches it.
    std::string absolute(std::string_view target) const { return base.substr(0, base.size() - kRoot.size()).append(target); }
};

/// What the description of the API says of an endpoint beyond what its requests are held against.
struct About {
    int success = 0;            ///< 0: 200 of GET, 201 of POST, 204 of all else.
    std::string answer{};       ///< Media type, where Accept does not matter.
    bool isList = false;        ///< The answer is an array, though its media type does not say so.
    std::vector<std::pair<std::string, std::string>> query{};  ///< Parameters, and what they are for.
    std::set<int> refusals{};   ///< Beside those that any endpoint may answer.
};

/// One method of one path.
struct Endpoint {
    http::Method method = http::Method::Get;
    std::string path;                   ///< Below the root: "/bridges/{id}".
    std::vector<std::string> produces;  ///< Empty: Accept does not matter.
    std::vector<std::string> consumes;  ///< Empty: Content-Type does not matter.
    int wrongContentType = 406;         ///< 406 or 415, as the original does.
    bool blocks = false;                ///< Runs on the pool.
    bool forTenants = false;            ///< Tenants may use it too: it reads and writes through ObjectApi::storeOf() alone. Else: 403.
    std::function<Outcome<http::Response>(const Call&)> run;
    About about{};
};

/// From requests to endpoints: cross-origin headers, login, authentication, media types, threads,
/// errors. Filled at start; handle() on any loop.
class Service {
public:
    /// `pool` serves what blocks. Who asks is found out on `authentication`, a pool of its own: when that takes long, only those
    /// wait who are not known yet.
    Service(event::BlockingPool& pool, event::BlockingPool& authentication, Authenticator& authenticator);

    void add(Endpoint endpoint);
    /// A path that is known but has no method of its own: 405 instead of 404.
    void addBare(std::string_view path);
    /// Outside the root and without authentication: "/metrics".
    struct Page {
        std::string path;
        bool blocks = false;  ///< Runs on the pool.
        std::function<http::Response(const http::Request&)> run;
    };
    void addPage(Page page);
    /// What bodies look like, by the names in their media types.
    Bodies& bodies() { return bodies_; }
    const Bodies& bodies() const { return bodies_; }
    const std::vector<Endpoint>& endpoints() const { return endpoints_; }
    void handle(http::RequestPtr request, http::Responder answer) const;
    /// The same, all of it on this thread and at once: for tests.
    http::Response answer(const http::Request& request) const;
    /// What follows of a body, made on the pool.
    http::NextPiece inPieces(std::function<Outcome<std::string>()> next) const;
    /// For what never reaches handle().
    static http::Response errorResponse(int status, std::string_view message);

private:
    /// Where a request goes: an endpoint, whose caller has to be known first; else what answers it, on a pool or at once.
    struct Way {
        const Endpoint* endpoint = nullptr;
        http::PathParameters parameters{};
        std::function<http::Response(const http::Request&)> run{};
        event::BlockingPool* pool = nullptr;
    };
    Way wayOf(const http::Request& request) const;
    using Parameters = http::PathParameters;
    static void submit(event::BlockingPool& pool, const http::Responder& answer, event::Callback work);
    void admit(http::RequestPtr request, http::Responder answer, const Endpoint& endpoint, Parameters parameters) const;
    void serve(http::RequestPtr request, http::Responder answer, const Endpoint& endpoint, Parameters parameters,
               Outcome<Identity> who) const;
    static http::Response run(const http::Request& request, const Endpoint& endpoint, const Parameters& parameters, const Identity& caller);

    event::BlockingPool& pool_;
    event::BlockingPool& authentication_;
    Authenticator& authenticator_;
    http::Router router_;
    std::vector<Endpoint> endpoints_;
    Bodies bodies_;
    std::vector<Page> pages_;
};

}  // namespace midonet::rest
