#include "rest/request_log.h"

#include "base/assert.h"

namespace midonet::rest {
namespace {

const Logger log{"request"};

bool isRead(http::Method method) {
    return method == http::Method::Get || method == http::Method::Head || method == http::Method::Options;
}

std::string_view outcomeOf(http::Delivery delivery) {
    switch (delivery) {
        case http::Delivery::Whole: return "answered";
        case http::Delivery::Cut: return "the answer was cut off";
        case http::Delivery::Gone: return "the client went away";
        case http::Delivery::NotTaken: return "the client did not read";
    }
    MIDONET_UNREACHABLE();
}

}  // namespace

LogLevel severityOf(RequestLogLevel level, http::Method method, int status) {
    const auto from = status >= 400 ? RequestLogLevel::Failures : isRead(method) ? RequestLogLevel::All : RequestLogLevel::Writes;
    if (level < from) return LogLevel::Debug;
    return status >= 500 ? LogLevel::Warn : LogLevel::Info;
}

void logRequest(RequestLogLevel level, const http::Finished& finished) {
    const auto& [request, response, took, loop, bytes, delivery] = finished;
    const auto severity = severityOf(level, request.method, response.status);
    if (!Logger::enabled(severity)) return;
    const std::initializer_list<LogField> fields = {
        kv("id", request.id), kv("method", request.target.empty() ? "-" : http::toString(request.method)),
        kv("target", request.target.empty() ? "-" : request.target), kv("status", response.status), kv("bytes", bytes),
        kv("us", std::chrono::duration_cast<std::chrono::microseconds>(took).count()),
        kv("user", response.user.empty() ? "-" : response.user), kv("client", request.peer)};
    const auto what = outcomeOf(delivery);
    if (severity == LogLevel::Debug) return log.debug(what, fields);
    severity == LogLevel::Warn ? log.warn(what, fields) : log.info(what, fields);
}

}  // namespace midonet::rest
