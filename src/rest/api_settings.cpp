#include "rest/api_settings.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

namespace midonet::rest {

using namespace std::chrono_literals;

namespace {

/// "660" or "0660".
std::optional<unsigned> parseMode(std::string_view text) {
    unsigned mode = 0;
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
    if (wrong != std::errc{} || end != text.data() + text.size() || text.size() < 3 || mode > 0777) return std::nullopt;
    return mode;
}

RequestLogLevel toRequestLogLevel(std::string_view name) {
    if (name == "none") return RequestLogLevel::None;
    if (name == "failures") return RequestLogLevel::Failures;
    return name == "all" ? RequestLogLevel::All : RequestLogLevel::Writes;
}

}  // namespace

ApiSettings::ApiSettings(config::Settings& s)
    : store_(s),
      listen_(s.string("api.listen", "127.0.0.1:8181", "ADDRESS:PORT to serve, port 0 = any free one; unix:PATH; several with commas.")),
      auth_(s.choice("api.auth", {"mock", "none", "keystone"}, "mock",
                     "Who may use the API: mock, none = everybody, as administrator; keystone = administrators, by token (and tenants, with api.tenant_access).")),
      keystone_(s),
      insecure_(s.boolean("api.insecure", false, "Serve other machines although api.auth lets everybody in.")),
      socketMode_(s.string("api.socket_mode", "0660", "Permissions of unix sockets, octal: who may write to one may connect.")),
      certificate_(s.string("api.tls_certificate", "", "PEM file: serves https, on all addresses but unix sockets. Read again at SIGHUP.")),
      key_(s.string("api.tls_key", "", "PEM file of the certificate's key, without a pass phrase. Read again at SIGHUP.")),
      requestLog_(s.choice("api.request_log", {"none", "failures", "writes", "all"}, "writes", "Which requests get a line in the log; writes has failures too.")),
      threads_(s.integer("api.threads", 0, {0, 64}, "Threads that serve; 0 = one per core, at most 4.")),
      connections_(s.integer("api.max_connections", 1024, {1, 1'000'000}, "More are answered 503 and closed.")),
      headerBytes_(s.size("api.max_header", 16 << 10, {1 << 10, 1 << 20}, "Longest request line and header; more is answered 431.")),
      bodyBytes_(s.size("api.max_body", 1 << 20, {1 << 10, 1 << 30}, "Longest request body; more is answered 413.")),
      idle_(s.duration("api.idle_timeout", 60s, {100ms, 24h}, "How long a connection may wait for its next request.")),
      header_(s.duration("api.header_timeout", 10s, {100ms, 1h}, "How long the head of a request may take to arrive; longer is answered 408.")),
      request_(s.duration("api.request_timeout", 30s, {100ms, 1h}, "How long a request may take to arrive and be answered; longer is answered 408 or 503.")),
      write_(s.duration("api.write_timeout", 10s, {100ms, 1h}, "How long a client may take for each 256 KiB of an answer; one that takes longer is cut off.")),
      drain_(s.duration("api.drain_timeout", 10s, {100ms, 1h}, "How long running requests may take to finish when the server ends.")),
      changeReaders_(s.integer("api.change_readers", 100, {0, 1'000'000}, "Clients that may wait for changes (/changes); more are answered 503.")),
      changeHeartbeat_(s.duration("api.change_heartbeat", 15s, {100ms, 1h}, "How long a client that waits for changes hears nothing; then it gets a line without any.")) {
    s.check([self = *this] { return self.check(); });
}

Result<void> ApiSettings::check() const {
    TRY_VOID(checkListen());
    TRY_VOID(checkTls());
    if (!parseMode(*socketMode_)) return fail(ErrorCode::Invalid, "api.socket_mode = {}: write three octal digits, as 0660", *socketMode_);
    if (*auth_ == "keystone") return keystone_.check();
    return {};
}

Result<void> ApiSettings::checkListen() const {
    const auto loopback = http::isLoopback(*listen_);
    if (!loopback) return Unexpected{loopback.error().withContext("api.listen")};
    if (!*loopback && !*insecure_ && *auth_ != "keystone")
        return fail(ErrorCode::Invalid,
                    "api.listen = {}: with api.auth = {} everybody who can connect is administrator, so only loopback addresses are served; "
                    "use api.listen = 127.0.0.1:8181, or set api.insecure = true if the network is closed to others",
                    *listen_, *auth_);
    return {};
}

Result<void> ApiSettings::checkTls() const {
    if (certificate_->empty() == key_->empty()) return {};
    return fail(ErrorCode::Invalid, "api.tls_certificate and api.tls_key belong together: set both, or none");
}

ApiOptions ApiSettings::options() const {
    ApiOptions out;
    out.listen = *listen_;
    out.socketMode = parseMode(*socketMode_).value_or(0600);
    if (!certificate_->empty()) out.tls = http::TlsFiles{*certificate_, *key_};
    out.requestLog = toRequestLogLevel(*requestLog_);
    out.threads = static_cast<std::size_t>(*threads_);
    out.limits.connections = static_cast<std::size_t>(*connections_);
    out.limits.headerBytes = *headerBytes_;
    out.limits.bodyBytes = *bodyBytes_;
    out.limits.idle = *idle_;
    out.limits.header = std::min<event::Duration>(*header_, *request_);
    out.limits.request = *request_;
    out.limits.write = *write_;
    out.limits.drain = *drain_;
    out.changes.readers = static_cast<std::size_t>(*changeReaders_);
    out.changes.heartbeat = *changeHeartbeat_;
    return out;
}

std::unique_ptr<Authenticator> ApiSettings::makeAuthenticator(const event::Clock& clock) const {
    return *auth_ == "keystone" ? keystone_.makeAuthenticator(clock) : makeMockAuthenticator();
}

}  // namespace midonet::rest
