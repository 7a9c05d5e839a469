#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/settings.h"
#include "event/clock.h"
#include "rest/authenticator.h"

namespace midonet::rest {

/// The settings of `api.auth = keystone`, declared and checked. What is secret, and where it is sent to, is never taken from the
/// NSDB: whoever may write there would get the password.
class KeystoneSettings {
public:
    explicit KeystoneSettings(config::Settings& settings);

    /// What is missing or wrong, if Keystone is to be used.
    Result<void> check() const;
    /// The clock outlives it.
    std::unique_ptr<Authenticator> makeAuthenticator(const event::Clock& clock) const;

private:
    std::string url() const;

    config::Setting<std::int64_t> version_;
    config::Setting<std::string> url_;
    config::Setting<std::string> protocol_;
    config::Setting<std::string> host_;
    config::Setting<std::int64_t> port_;
    config::Setting<std::string> adminToken_;
    config::Setting<std::string> user_;
    config::Setting<std::string> password_;
    config::Setting<std::string> project_;
    config::Setting<std::string> domainName_;
    config::Setting<std::string> domainId_;
    config::Setting<std::string> authorities_;
    config::Setting<bool> insecure_;
    config::Setting<std::chrono::nanoseconds> timeout_;
    config::Setting<std::chrono::nanoseconds> remember_;
    config::Setting<std::int64_t> remembered_;
    config::Setting<std::string> adminRole_;
    config::Setting<bool> tenantAccess_;
    config::Setting<std::string> tenantAdminRole_;
    config::Setting<std::string> tenantUserRole_;
};

}  // namespace midonet::rest
