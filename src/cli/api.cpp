#include "cli/api.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace midonet::cli {

namespace json = boost::json;

namespace {

/// RFC 4648 section 4.
std::string base64(std::string_view text) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 3) {
        const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<std::uint8_t>(text[at]) : 0U; };
        const std::uint32_t group = (byte(i) << 16) | (byte(i + 1) << 8) | byte(i + 2);
        for (std::size_t digit = 0; digit < 4; ++digit)
            out += i + digit <= text.size() ? kDigits[(group >> (18 - 6 * digit)) & 63] : '=';
    }
    return out;
}

/// What the server says went wrong: `message` and the violations of an error body, else the whole body.
std::string explanation(const http::Response& response) {
    boost::system::error_code error;
    const auto body = json::parse(response.body, error);
    const auto* object = error ? nullptr : body.if_object();
    const auto* message = object ? object->if_contains("message") : nullptr;
    if (!message || !message->is_string())
        return response.body.empty() ? fmt::format("{} {}", response.status, http::reasonPhrase(response.status)) : response.body;
    return std::string{message->get_string()};
}

Error toError(const http::Response& response) {
    const auto code = response.status == 404 ? ErrorCode::NotFound : response.status == 405 ? ErrorCode::Unsupported : ErrorCode::Invalid;
    return {code, explanation(response)};
}

/// Null when there is none.
Result<json::value> documentIn(const http::Response& response, const std::string& uri) {
    if (response.body.empty()) return json::value{};
    boost::system::error_code error;
    auto body = json::parse(response.body, error);
    if (error) return fail(ErrorCode::Malformed, "{} answered what is no JSON", uri);
    return body;
}

}  // namespace

std::string itemType(std::string_view name) { return fmt::format("application/vnd.org.midonet.{}+json", name); }
std::string collectionType(std::string_view name) { return fmt::format("application/vnd.org.midonet.collection.{}+json", name); }

Api::Api(std::string url, std::optional<Credentials> credentials, Transport transport)
    : url_(std::move(url)), credentials_(std::move(credentials)), transport_(std::move(transport)) {
    while (url_.ends_with('/')) url_.pop_back();
}

Result<json::value> Api::get(const std::string& uri, const std::string& mediaType) {
    TRY(response, ask(http::Method::Get, uri, mediaType, {}));
    return documentIn(response, uri);
}

Result<json::value> Api::question(const std::string& uri, const json::object& body) {
    TRY(response, ask(http::Method::Post, uri, "application/json", body));
    return documentIn(response, uri);
}

Result<std::string> Api::post(const std::string& uri, const std::string& mediaType, const json::object& body) {
    TRY(response, ask(http::Method::Post, uri, mediaType, body));
    return std::string{response.headers.find("Location").value_or("")};
}

Result<void> Api::put(const std::string& uri, const std::string& mediaType, const json::object& body) {
    TRY_VOID(ask(http::Method::Put, uri, mediaType, body));
    return {};
}

Result<void> Api::remove(const std::string& uri) {
    TRY_VOID(ask(http::Method::Delete, uri, {}, {}));
    return {};
}

Result<http::Response> Api::ask(http::Method method, const std::string& uri, const std::string& mediaType, const json::object& body) {
    http::Request request{.method = method, .target = uri, .headers = {}, .body = {}, .peer = {}};
    if (!mediaType.empty()) request.headers.add(method == http::Method::Get ? "Accept" : "Content-Type", mediaType);
    if (method == http::Method::Post || method == http::Method::Put) request.body = json::serialize(body);
    auto response = withToken(request, [this](const http::Request& one) { return send(one); });
    if (!response) return response;
    if (response->status == 401) lost_ = Lost::Credentials;
    if (response->status > 300) return Unexpected{toError(*response)};
    return response;
}

Result<int> Api::open(const std::string& uri) {
    const http::Request request{.method = http::Method::Get, .target = uri, .headers = {}, .body = {}, .peer = {}};
    TRY(head, withToken(request, [this](const http::Request& one) { return traced(one, transport_.open); }));
    return head.status;
}

Result<std::optional<std::string>> Api::more(event::Duration wait) {
    auto piece = transport_.more(wait);
    if (trace_ && !piece) trace_(piece.error().message);
    if (trace_ && piece && !piece->value_or("-").empty()) trace_(piece->value_or("that was all"));
    return piece;
}

Result<http::Response> Api::withToken(const http::Request& request, const Exchange& exchange) {
    if (credentials_ && token_.empty()) TRY_VOID(login(*credentials_));
    const auto once = [&] {
        auto signedRequest = request;
        if (!token_.empty()) signedRequest.headers.add("X-Auth-Token", token_);
        return exchange(signedRequest);
    };
    auto response = once();
    if (!response || response->status != 401 || !credentials_) return response;
    TRY_VOID(login(*credentials_));
    return once();
}

Result<http::Response> Api::send(const http::Request& request) {
    auto response = traced(request, transport_.send);
    lost_ = response ? Lost::No : Lost::Connection;
    return response;
}

Result<http::Response> Api::traced(const http::Request& request, const Exchange& exchange) {
    if (trace_) trace_(fmt::format("{} {} {}", toString(request.method), request.target, request.body));
    auto response = exchange(request);
    if (trace_) trace_(response ? fmt::format("{} {}", response->status, response->body) : response.error().message);
    return response;
}

Result<void> Api::login(const Credentials& credentials) {
    http::Request request{.method = http::Method::Post, .target = url_ + "/login", .headers = {}, .body = "{}", .peer = {}};
    request.headers.add("Authorization", "Basic " + base64(credentials.user + ":" + credentials.password));
    request.headers.add("X-Auth-Project", credentials.project);
    TRY(response, send(request));
    if (response.status == 401) lost_ = Lost::Credentials;
    if (response.status > 300) return Unexpected{toError(response)};
    const std::string_view cookie = response.headers.find("Set-Cookie").value_or("");
    const auto value = cookie.substr(std::min(cookie.find('=') + 1, cookie.size()));
    token_ = value.substr(0, value.find(';'));
    if (token_.empty()) return fail(ErrorCode::Malformed, "{}/login answered no token", url_);
    return {};
}

}  // namespace midonet::cli
