#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "rest/fault.h"

namespace midonet::rest {

/// What a login gives.
struct Token {
    std::string key;
    std::optional<std::string> expires;  ///< "Sun, 06-Nov-1994 08:49:37 UTC"
};

/// Whom objects belong to, by their `tenantId`; the one who gives out tokens knows them.
struct Tenant {
    std::string id;
    std::string name;
    std::string description;
    bool enabled = true;
};

/// Which tenants are asked for, as the client says it: those after `marker`, at most `limit`.
struct TenantRange {
    std::optional<std::string> marker;
    std::optional<std::string> limit;
};

/// Who may use the API. check() is asked on any thread, also on loops: it must not block.
class Authenticator {
public:
    virtual ~Authenticator() = default;
    /// 401 when the token is not one of an administrator.
    virtual Outcome<void> check(std::optional<std::string_view> token) = 0;
    virtual Outcome<Token> login(const std::string& user, const std::string& password,
                                 std::optional<std::string_view> project) = 0;
    /// May block, as the next one.
    virtual Outcome<std::vector<Tenant>> tenants(const TenantRange& range) = 0;
    virtual Outcome<Tenant> tenant(const std::string& id) = 0;
};

/// Everybody is administrator, also without a token, as clients of cloud controllers on the same machine need it. Every
/// login gives the token "00000000". There is a tenant "admin", and any other that is asked for.
std::unique_ptr<Authenticator> makeMockAuthenticator();

/// Answers /login: Basic credentials against a token, also as cookie. 401 tells how to log in.
http::Response answerLogin(Authenticator& authenticator, const http::Request& request);

}  // namespace midonet::rest
