#include "rest/fault.h"

#include "base/assert.h"
#include "model/json_writer.h"
#include "rest/media_type.h"

namespace midonet::rest {

int statusOf(ErrorCode code) {
    switch (code) {
        case ErrorCode::Malformed:
        case ErrorCode::Invalid:
        case ErrorCode::Unsupported: return 400;
        case ErrorCode::PermissionDenied: return 403;
        case ErrorCode::NotFound: return 404;
        case ErrorCode::AlreadyExists:
        case ErrorCode::Conflict:
        case ErrorCode::Stale: return 409;
        case ErrorCode::Unavailable:
        case ErrorCode::Exhausted:
        case ErrorCode::Timeout: return 503;
        case ErrorCode::Internal: return 500;
    }
    MIDONET_UNREACHABLE();
}

Fault::Fault(Error error) : status(statusOf(error.code)), message(std::move(error.message)), code(error.code) {}

Fault::Fault(model::Violations wrong) : status(400), violations(std::move(wrong)), code(ErrorCode::Invalid) {
    message = "the body is not valid";
    for (const auto& violation : violations)
        message += (&violation == &violations.front() ? ": " : "; ") + violation.property + " " + violation.message;
}

tl::unexpected<Fault> refuseProperty(std::string property, std::string message) {
    return tl::unexpected<Fault>{Fault{model::Violations{{std::move(property), std::move(message)}}}};
}

Outcome<void> refuseIfAny(model::Violations wrong) {
    if (wrong.empty()) return {};
    return tl::unexpected<Fault>{Fault{std::move(wrong)}};
}

http::Response toResponse(const Fault& fault) {
    model::JsonWriter json;
    json.beginObject().key("message").string(fault.message).key("code").integer(fault.status);
    if (!fault.violations.empty()) {
        json.key("violations").beginArray();
        for (const auto& violation : fault.violations)
            json.beginObject().key("property").string(violation.property).key("message").string(violation.message).endObject();
        json.endArray();
    }
    json.endObject();
    auto response = http::Response::text(fault.status, kErrorType, json.take());
    if (fault.status == 401) response.headers.add("WWW-Authenticate", "Basic  realm=\"BASIC_AUTH_REALM\"");
    if (fault.status == 503) {
        response.headers.add("RetryAfter", "3");  // as the original server spells it
        response.headers.add("Retry-After", "3");
    }
    return response;
}

}  // namespace midonet::rest
