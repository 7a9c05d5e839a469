#pragma once

#include <cstdint>
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
    std::optional<std::string> expires;  ///< "Sun, 06-11-1994 08:49:37 UTC"
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

/// What somebody may do.
enum class Role : std::uint8_t {
    Administrator,  ///< Everything.
    TenantAdmin,    ///< Read and write what is of his tenant.
    TenantUser,     ///< Read it.
};

/// Who asks, once that is known.
struct Identity {
    std::string user;    ///< Name.
    std::string tenant;  ///< Id; may be empty for administrators only.
    Role role = Role::Administrator;

    bool isAdministrator() const { return role == Role::Administrator; }
};

/// Who may use the API. Asked on any thread.
class Authenticator {
public:
    virtual ~Authenticator() = default;
    /// What can be said of a token at once; nullopt: ask check(). Never blocks.
    virtual std::optional<Outcome<Identity>> known(std::optional<std::string_view> token) = 0;
    /// 401 when the token is not one of somebody who may use the API, 503 when that cannot be found out. May block, as all below.
    virtual Outcome<Identity> check(std::string_view token) = 0;
    virtual Outcome<Token> login(const std::string& user, const std::string& password,
                                 std::optional<std::string_view> project) = 0;
    virtual Outcome<std::vector<Tenant>> tenants(const TenantRange& range) = 0;
    virtual Outcome<Tenant> tenant(const std::string& id) = 0;
};

/// Everybody is administrator, also without a token, as clients of cloud controllers on the same machine need it. Every
/// login gives the token "00000000". There is a tenant "admin", and any other that is asked for.
std::unique_ptr<Authenticator> makeMockAuthenticator();

/// Answers /login: Basic credentials against a token, also as cookie. May block.
http::Response answerLogin(Authenticator& authenticator, const http::Request& request);

}  // namespace midonet::rest
