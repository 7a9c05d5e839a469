#include "rest/keystone_settings.h"

#include "rest/keystone_authenticator.h"

namespace midonet::rest {

using namespace std::chrono_literals;

KeystoneSettings::KeystoneSettings(config::Settings& s)
    : version_(s.integer("keystone.version", 3, {2, 3}, "Of Keystone's API.").local()),
      url_(s.string("keystone.url", "", "Where Keystone is, with or without /v3 or /v2.0; stronger than protocol, host and port.").local()),
      protocol_(s.choice("keystone.protocol", {"http", "https"}, "http", "How Keystone is reached.").local()),
      host_(s.string("keystone.host", "localhost", "Name or address of Keystone.").local()),
      port_(s.integer("keystone.port", 35357, {1, 65535}, "Port of Keystone.").local()),
      adminToken_(s.string("keystone.admin_token", "", "Token to ask Keystone with; empty = one is got for user_name.").secret().local()),
      user_(s.string("keystone.user_name", "", "Who asks Keystone about the tokens of others.").local()),
      password_(s.string("keystone.user_password", "", "Password of user_name.").secret().local()),
      project_(s.string("keystone.tenant_name", "", "Project of user_name, and of logins without X-Auth-Project.").local()),
      domainName_(s.string("keystone.domain_name", "", "Domain of users and projects (version 3); stronger than domain_id.").local()),
      domainId_(s.string("keystone.domain_id", "default", "The same, by its id.").local()),
      authorities_(s.string("keystone.ca_file", "", "PEM file of who may vouch for Keystone's certificate; empty = those the system knows.").local()),
      insecure_(s.boolean("keystone.insecure", false, "Believe any certificate.").local()),
      timeout_(s.duration("keystone.timeout", 5s, {100ms, 60s}, "How long Keystone may take to answer; longer is answered 503.")),
      remember_(s.duration("keystone.cache_time", 60s, {1s, 1h}, "How long a good token is not asked for again; one that is revoked stays good so long.")),
      remembered_(s.integer("keystone.cache_size", 10'000, {1, 1'000'000}, "How many tokens are remembered.")),
      adminRole_(s.string("api.admin_role", "admin", "Who has this role of Keystone, in any spelling, may use the API.")),
      tenantAccess_(s.boolean("api.tenant_access", false, "Tenants may use the API for what is theirs, and see nothing else; false = administrators only.")),
      tenantAdminRole_(s.string("api.tenant_admin_role", "tenant_admin",
                                "With api.tenant_access: who has this role in a project may read and write what is of it; empty = nobody.")),
      tenantUserRole_(s.string("api.tenant_user_role", "tenant_user",
                               "With api.tenant_access: who has this role in a project may read what is of it; empty = nobody.")) {}

std::string KeystoneSettings::url() const {
    if (!url_->empty()) return *url_;
    const bool v6 = host_->find(':') != std::string::npos && !host_->starts_with('[');
    return fmt::format("{}://{}{}{}:{}", *protocol_, v6 ? "[" : "", *host_, v6 ? "]" : "", *port_);
}

Result<void> KeystoneSettings::check() const {
    if (const auto address = http::Address::parse(url()); !address) return Unexpected{address.error().withContext("keystone.url")};
    if (adminToken_->empty() && (user_->empty() || password_->empty() || project_->empty()))
        return fail(ErrorCode::Invalid,
                    "api.auth = keystone: somebody must ask Keystone about tokens; set keystone.user_name, keystone.user_password and "
                    "keystone.tenant_name, or keystone.admin_token");
    if (adminRole_->empty()) return fail(ErrorCode::Invalid, "api.admin_role is empty: name the role of administrators");
    if (*tenantAccess_ && tenantAdminRole_->empty() && tenantUserRole_->empty())
        return fail(ErrorCode::Invalid, "api.tenant_access: nobody would have it; name a role as api.tenant_admin_role or api.tenant_user_role");
    return {};
}

std::unique_ptr<Authenticator> KeystoneSettings::makeAuthenticator(const event::Clock& clock) const {
    auto keystone = connectKeystone({.version = static_cast<int>(*version_), .url = url(), .domainName = *domainName_, .domainId = *domainId_,
                                     .timeout = *timeout_, .trust = {.authorities = *authorities_, .anybody = *insecure_}});
    return makeKeystoneAuthenticator(std::move(keystone),
                                     {.adminToken = *adminToken_, .user = *user_, .password = *password_, .project = *project_,
                                      .adminRole = *adminRole_, .tenantAdminRole = *tenantAccess_ ? *tenantAdminRole_ : std::string{},
                                      .tenantUserRole = *tenantAccess_ ? *tenantUserRole_ : std::string{},
                                      .remember = *remember_, .remembered = static_cast<std::size_t>(*remembered_)},
                                     clock);
}

}  // namespace midonet::rest
