#include "rest/authenticator.h"

#include <array>
#include <cstdint>

#include "model/json_writer.h"
#include "rest/media_type.h"

namespace midonet::rest {
namespace {

class MockAuthenticator final : public Authenticator {
public:
    std::optional<Outcome<Identity>> known(std::optional<std::string_view>) override { return Identity{.user = "admin", .tenant = "admin"}; }
    Outcome<Identity> check(std::string_view) override { return Identity{.user = "admin", .tenant = "admin"}; }
    Outcome<Token> login(const std::string&, const std::string&, std::optional<std::string_view>) override {
        return Token{"00000000", std::nullopt};
    }
    Outcome<std::vector<Tenant>> tenants(const TenantRange&) override { return std::vector{named("admin")}; }
    Outcome<Tenant> tenant(const std::string& id) override { return named(id); }

private:
    static Tenant named(const std::string& id) { return {id, id, id}; }
};

/// RFC 4648 section 4; padding may be left out.
std::optional<std::string> decodeBase64(std::string_view text) {
    while (!text.empty() && text.back() == '=') text.remove_suffix(1);
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const auto digit = kAlphabet.find(c);
        if (digit == kAlphabet.npos) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out += static_cast<char>(bits >> count & 0xff);
        }
    }
    return out;
}

struct Credentials {
    std::string user;
    std::string password;
};

/// "Basic dXNlcjpwYXNz"; the text must split at ':' into exactly two parts.
std::optional<Credentials> parseBasic(std::optional<std::string_view> header) {
    constexpr std::string_view kScheme = "Basic ";
    if (!header || !http::equalNoCase(header->substr(0, kScheme.size()), kScheme)) return std::nullopt;
    const auto text = decodeBase64(header->substr(kScheme.size()));
    if (!text) return std::nullopt;
    const auto colon = text->find(':');
    if (colon == std::string::npos || text->find(':', colon + 1) != std::string::npos) return std::nullopt;
    return Credentials{text->substr(0, colon), text->substr(colon + 1)};
}

}  // namespace

std::unique_ptr<Authenticator> makeMockAuthenticator() { return std::make_unique<MockAuthenticator>(); }

http::Response answerLogin(Authenticator& authenticator, const http::Request& request) {
    const auto credentials = parseBasic(request.headers.find("Authorization"));
    if (!credentials) return toResponse({401, "log in with 'Authorization: Basic' and user:password"});
    const auto token = authenticator.login(credentials->user, credentials->password, request.headers.find("X-Auth-Project"));
    if (!token) return toResponse(token.error());
    model::JsonWriter json;
    json.beginObject().key("key").string(token->key).key("expires");
    token->expires ? json.string(*token->expires) : json.null();
    auto response = http::Response::text(200, itemType("Token", 1), json.endObject().take());
    response.headers.add("Set-Cookie", "sessionId=" + token->key + (token->expires ? "; Expires=" + *token->expires : ""));
    response.user = credentials->user;
    return response;
}

}  // namespace midonet::rest
