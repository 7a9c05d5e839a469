#include "rest/request_log.h"

namespace midonet::rest {
namespace {

const Logger log{"request"};

bool isRead(http::Method method) {
    return method == http::Method::Get || method == http::Method::Head || method == http::Method::Options;
}

}  // namespace

LogLevel severityOf(RequestLogLevel level, http::Method method, int status) {
    const auto from = status >= 400 ? RequestLogLevel::Failures : isRead(method) ? RequestLogLevel::All : RequestLogLevel::Writes;
    if (level < from) return LogLevel::Debug;
    return status >= 500 ? LogLevel::Warn : LogLevel::Info;
}

void logRequest(RequestLogLevel level, const http::Finished& finished) {
    const auto& [request, response, took, loop] = finished;
    const auto severity = severityOf(level, request.method, response.status);
    if (!Logger::enabled(severity)) return;
    const auto bytes = request.method == http::Method::Head ? 0 : response.body.size();
    const std::initializer_list<LogField> fields = {
        kv("id", request.id), kv("method", request.target.empty() ? "-" : http::toString(request.method)),
        kv("target", request.target.empty() ? "-" : request.target), kv("status", response.status), kv("bytes", bytes),
        kv("us", std::chrono::duration_cast<std::chrono::microseconds>(took).count()),
        kv("user", response.user.empty() ? "-" : response.user), kv("client", request.peer)};
    if (severity == LogLevel::Debug) return log.debug("answered", fields);
    severity == LogLevel::Warn ? log.warn("answered", fields) : log.info("answered", fields);
}

}  // namespace midonet::rest
