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
    return {response.status == 404 ? ErrorCode::NotFound : ErrorCode::Invalid, explanation(response)};
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
    if (credentials_ && token_.empty()) TRY_VOID(login(*credentials_));
    http::Request request{.method = method, .target = uri, .headers = {}, .body = {}, .peer = {}};
    if (!mediaType.empty()) request.headers.add(method == http::Method::Get ? "Accept" : "Content-Type", mediaType);
    if (method == http::Method::Post || method == http::Method::Put) request.body = json::serialize(body);
    const auto withToken = [&] {
        auto out = request;
        if (!token_.empty()) out.headers.add("X-Auth-Token", token_);
        return out;
    };
    auto response = send(withToken());
    if (response && response->status == 401 && credentials_) {
        TRY_VOID(login(*credentials_));
        response = send(withToken());
    }
    if (!response) return response;
    if (response->status == 401) lost_ = Lost::Credentials;
    if (response->status > 300) return Unexpected{toError(*response)};
    return response;
}

Result<http::Response> Api::send(http::Request request) {
    if (trace_) trace_(fmt::format("{} {} {}", toString(request.method), request.target, request.body));
    auto response = transport_(request);
    if (trace_) trace_(response ? fmt::format("{} {}", response->status, response->body) : response.error().message);
    if (!response) lost_ = Lost::Connection;
    return response;
}

Result<void> Api::login(const Credentials& credentials) {
    http::Request request{.method = http::Method::Post, .target = url_ + "/login", .headers = {}, .body = "{}", .peer = {}};
    request.headers.add("Authorization", "Basic " + base64(credentials.user + ":" + credentials.password));
    request.headers.add("X-Auth-Project", credentials.project);
    TRY(response, send(std::move(request)));
    if (response.status == 401) lost_ = Lost::Credentials;
    if (response.status > 300) return Unexpected{toError(response)};
    const std::string_view cookie = response.headers.find("Set-Cookie").value_or("");
    const auto value = cookie.substr(std::min(cookie.find('=') + 1, cookie.size()));
    token_ = value.substr(0, value.find(';'));
    if (token_.empty()) return fail(ErrorCode::Malformed, "{}/login answered no token", url_);
    return {};
}

}  // namespace midonet::cli
