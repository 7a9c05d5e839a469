#include "rest/request_log.h"

#include "base/log.h"

namespace midonet::rest {
namespace {

const Logger log{"request"};

bool isRead(http::Method method) {
    return method == http::Method::Get || method == http::Method::Head || method == http::Method::Options;
}

}  // namespace

bool isLogged(RequestLogLevel level, http::Method method, int status) {
    if (status >= 400) return level >= RequestLogLevel::Failures;
    return level >= (isRead(method) ? RequestLogLevel::All : RequestLogLevel::Writes);
}

void logRequest(RequestLogLevel level, const http::Finished& finished) {
    const auto& [request, response, took, loop] = finished;
    if (!isLogged(level, request.method, response.status)) return;
    const bool wrong = response.status >= 500;
    if (!Logger::enabled(wrong ? LogLevel::Warn : LogLevel::Info)) return;
    const auto bytes = request.method == http::Method::Head ? 0 : response.body.size();
    const std::initializer_list<LogField> fields = {
        kv("id", request.id), kv("method", request.target.empty() ? "-" : http::toString(request.method)),
        kv("target", request.target.empty() ? "-" : request.target), kv("status", response.status), kv("bytes", bytes),
        kv("us", std::chrono::duration_cast<std::chrono::microseconds>(took).count()),
        kv("user", response.user.empty() ? "-" : response.user), kv("client", request.peer)};
    wrong ? log.warn("answered", fields) : log.info("answered", fields);
}

}  // namespace midonet::rest
