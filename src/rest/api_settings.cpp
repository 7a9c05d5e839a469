#include "rest/api_settings.h"

#include <algorithm>
#include <chrono>

namespace midonet::rest {

using namespace std::chrono_literals;

ApiSettings::ApiSettings(config::Settings& s)
    : store_(s),
      listen_(s.string("api.listen", "127.0.0.1:8181", "ADDRESS:PORT to serve; port 0 = any free one.")),
      auth_(s.choice("api.auth", {"mock", "none", "keystone"}, "mock",
                     "Who may use the API: mock, none = everybody, as administrator; keystone = by token (not in this build).")),
      insecure_(s.boolean("api.insecure", false, "Serve other machines although api.auth lets everybody in.")),
      threads_(s.integer("api.threads", 0, {0, 64}, "Threads that serve; 0 = one per core, at most 4.")),
      connections_(s.integer("api.max_connections", 1024, {1, 1'000'000}, "More are answered 503 and closed.")),
      headerBytes_(s.size("api.max_header", 16 << 10, {1 << 10, 1 << 20}, "Longest request line and header; more is answered 431.")),
      bodyBytes_(s.size("api.max_body", 1 << 20, {1 << 10, 1 << 30}, "Longest request body; more is answered 413.")),
      idle_(s.duration("api.idle_timeout", 60s, {100ms, 24h}, "How long a connection may wait for its next request.")),
      header_(s.duration("api.header_timeout", 10s, {100ms, 1h}, "How long the head of a request may take to arrive; longer is answered 408.")),
      request_(s.duration("api.request_timeout", 30s, {100ms, 1h}, "How long a request may take to arrive and be answered; longer is answered 408 or 503.")),
      write_(s.duration("api.write_timeout", 10s, {100ms, 1h}, "How long a client may take for each 256 KiB of an answer; one that takes longer is cut off.")),
      drain_(s.duration("api.drain_timeout", 10s, {100ms, 1h}, "How long running requests may take to finish when the server ends.")) {
    s.check([self = *this] { return self.check(); });
}

Result<void> ApiSettings::check() const {
    if (*auth_ == "keystone")
        return fail(ErrorCode::Unsupported, "api.auth = keystone: this build has no Keystone client; use api.auth = mock, on loopback");
    const auto loopback = http::isLoopback(*listen_);
    if (!loopback) return Unexpected{loopback.error().withContext("api.listen")};
    if (!*loopback && !*insecure_)
        return fail(ErrorCode::Invalid,
                    "api.listen = {}: with api.auth = {} everybody who can connect is administrator, so only loopback addresses are served; "
                    "use api.listen = 127.0.0.1:8181, or set api.insecure = true if the network is closed to others",
                    *listen_, *auth_);
    return {};
}

ApiOptions ApiSettings::options() const {
    ApiOptions out;
    out.listen = *listen_;
    out.threads = static_cast<std::size_t>(*threads_);
    out.limits.connections = static_cast<std::size_t>(*connections_);
    out.limits.headerBytes = *headerBytes_;
    out.limits.bodyBytes = *bodyBytes_;
    out.limits.idle = *idle_;
    out.limits.header = std::min<event::Duration>(*header_, *request_);
    out.limits.request = *request_;
    out.limits.write = *write_;
    out.limits.drain = *drain_;
    return out;
}

std::unique_ptr<Authenticator> ApiSettings::makeAuthenticator() const { return makeMockAuthenticator(); }

}  // namespace midonet::rest
