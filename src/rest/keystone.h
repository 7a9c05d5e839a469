#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "event/clock.h"
#include "http/client.h"
#include "rest/authenticator.h"

namespace midonet::rest {

/// Where Keystone is, and how it is asked.
struct KeystoneAddress {
    int version = 3;                               ///< Of its API: 2 or 3.
    std::string url = "http://localhost:35357";    ///< With or without "/v3", "/v2.0".
    std::string domainName{};                      ///< Of users and projects (version 3); stronger than the id.
    std::string domainId = "default";
    event::Duration timeout = std::chrono::seconds{5};
    http::Trust trust{};
    http::LookUp lookUp{};  ///< Empty: as the system looks up names.
};

/// What Keystone says of a token.
struct KeystoneToken {
    std::string key{};
    event::WallTime expires{};
    std::string user{};                ///< Name.
    std::string projectId{};           ///< Empty: the token is for no project.
    std::vector<std::string> roles{};  ///< Names, as Keystone spells them.
};

/// The few calls of Keystone's API that we need. They block, for about twice the timeout at most (connection, answer), on any thread. Unavailable and
/// Timeout: nobody answers; Malformed: somebody answers what cannot be understood. No error quotes a password or a token.
class Keystone {
public:
    virtual ~Keystone() = default;
    /// PermissionDenied: wrong name, password or project.
    virtual Result<KeystoneToken> login(const std::string& user, const std::string& password, const std::string& project) const = 0;
    /// NotFound: there is no such token, or not any more. PermissionDenied, here and below: `admin` is not good, or not enough.
    virtual Result<KeystoneToken> token(const std::string& admin, const std::string& token) const = 0;
    virtual Result<std::vector<Tenant>> tenants(const std::string& admin, const TenantRange& range) const = 0;
    /// NotFound: there is no such project.
    virtual Result<Tenant> tenant(const std::string& admin, const std::string& id) const = 0;
};

std::unique_ptr<Keystone> connectKeystone(KeystoneAddress address);

/// "2026-01-31T12:00:00.000000Z" (UTC); nullopt when it is none.
std::optional<event::WallTime> parseKeystoneTime(std::string_view text);

}  // namespace midonet::rest
