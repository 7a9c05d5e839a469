#pragma once

#include <memory>

#include "rest/authenticator.h"

namespace midonet::rest::testing {

/// Knows everybody by name: a token is "admin", or the id of a tenant and what its bearer may do there, as "red/admin" or "red/user". Each
/// tenant that is asked for exists.
class People final : public Authenticator {
public:
    std::optional<Outcome<Identity>> known(std::optional<std::string_view> token) override { return check(token.value_or("")); }
    Outcome<Identity> check(std::string_view token) override {
        if (token == "admin") return Identity{.user = "ann", .tenant = "service"};
        const auto slash = token.find('/');
        if (slash == token.npos) return refuse(401, "nobody");
        return Identity{.user = "bob", .tenant = std::string{token.substr(0, slash)}, .role = token.ends_with("/admin") ? Role::TenantAdmin : Role::TenantUser};
    }
    Outcome<Token> login(const std::string&, const std::string&, std::optional<std::string_view>) override { return refuse(401, "nobody logs in here"); }
    Outcome<std::vector<Tenant>> tenants(const TenantRange&) override { return std::vector{named("red"), named("blue")}; }
    Outcome<Tenant> tenant(const std::string& id) override { return named(id); }

private:
    static Tenant named(const std::string& id) { return {id, id, id}; }
};

}  // namespace midonet::rest::testing
