#pragma once

#include <memory>
#include <string>

#include "event/clock.h"
#include "rest/authenticator.h"
#include "rest/keystone.h"

namespace midonet::rest {

/// As whom we ask Keystone, whom it may name, and how long we believe it.
struct KeystoneOptions {
    std::string adminToken{};  ///< Asks in our name; empty: we log in, as below.
    std::string user{};
    std::string password{};
    std::string project{};                               ///< Also of logins that name none.
    std::string adminRole = "admin";                     ///< In any spelling, as the others; who has it may do everything.
    std::string tenantAdminRole{};                       ///< Who has it may read and write what is of his tenant; empty: nobody.
    std::string tenantUserRole{};                        ///< Who has it may read that; empty: nobody.
    event::Duration remember = std::chrono::seconds{60};  ///< How long a good token stays good, at most.
    std::size_t remembered = 10'000;                     ///< Tokens; not 0.
};

/// Users and tokens are Keystone's. What it says of a token is remembered for a while, a refusal for a short one. Whenever
/// it cannot be asked, nobody is let in whom it has not named before: 503. The clock outlives this.
std::unique_ptr<Authenticator> makeKeystoneAuthenticator(std::unique_ptr<Keystone> keystone, KeystoneOptions options,
                                                         const event::Clock& clock);

}  // namespace midonet::rest
