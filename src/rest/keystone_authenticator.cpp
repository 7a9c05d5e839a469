#include "rest/keystone_authenticator.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <mutex>

#include "base/log.h"
#include "base/sha256.h"
#include "rest/expiring_cache.h"

namespace midonet::rest {

using namespace std::chrono_literals;

namespace {

const Logger log{"keystone"};
/// How long a refused token stays refused without Keystone being asked again.
constexpr auto kRememberRefusal = 5s;
/// Our own token is renewed so long before its end.
constexpr auto kRenewBefore = 1min;
/// After a Keystone that did not answer in time nobody waits for it for so long.
constexpr auto kPause = 1s;

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

/// As the original writes dates.
std::string cookieDate(event::WallTime time) {
    return fmt::format("{:%a, %d-%m-%Y %H:%M:%S} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

/// Our own access to Keystone: a token that is renewed before it ends, and once when it is refused. Any thread.
class AdminAccess {
public:
    AdminAccess(const Keystone& keystone, const KeystoneOptions& options, const event::Clock& clock)
        : keystone_(keystone), options_(options), clock_(clock) {}

    /// What `ask(token)` gives. Refused as ourselves: Unavailable, as that is for us to mend and not for the client.
    template <class Ask>
    auto as(const Ask& ask) -> decltype(ask(std::string{})) {
        TRY(first, token(""));
        auto answer = ask(first);
        if (answer || answer.error().code != ErrorCode::PermissionDenied) return answer;
        TRY(second, token(first));
        if (second != first) answer = ask(second);
        if (answer || answer.error().code != ErrorCode::PermissionDenied) return answer;
        return fail(ErrorCode::Unavailable, "Keystone does not let us ask: look at keystone.admin_token, or keystone.user_name and what follows");
    }

private:
    /// One that is not `refused`, if there is any. Who waits here waits for one login at most: a slow Keystone is paused (Reach).
    Result<std::string> token(const std::string& refused) {
        if (!options_.adminToken.empty()) return options_.adminToken;
        const std::lock_guard lock(mutex_);
        if (!current_.key.empty() && current_.key != refused && clock_.wall() + kRenewBefore < current_.expires) return current_.key;
        auto fresh = keystone_.login(options_.user, options_.password, options_.project);
        if (!fresh && fresh.error().code == ErrorCode::PermissionDenied)
            return fail(ErrorCode::Unavailable, "Keystone refuses our own login: look at keystone.user_name, user_password and tenant_name");
        if (!fresh) return Unexpected{fresh.error()};
        current_ = std::move(*fresh);
        return current_.key;
    }

    const Keystone& keystone_;
    const KeystoneOptions& options_;
    const event::Clock& clock_;
    std::mutex mutex_;
    KeystoneToken current_;
};

/// Keeps threads from waiting one after the other for a Keystone that hangs: after one has waited in vain, the others are told so
/// at once, for a moment. Any thread.
class Reach final : public Keystone {
public:
    Reach(std::unique_ptr<Keystone> keystone, const event::Clock& clock) : keystone_(std::move(keystone)), clock_(clock) {}

    Result<KeystoneToken> login(const std::string& user, const std::string& password, const std::string& project) const override {
        return watched([&] { return keystone_->login(user, password, project); });
    }
    Result<KeystoneToken> token(const std::string& admin, const std::string& token) const override {
        return watched([&] { return keystone_->token(admin, token); });
    }
    Result<std::vector<Tenant>> tenants(const std::string& admin, const TenantRange& range) const override {
        return watched([&] { return keystone_->tenants(admin, range); });
    }
    Result<Tenant> tenant(const std::string& admin, const std::string& id) const override {
        return watched([&] { return keystone_->tenant(admin, id); });
    }

private:
    template <class Ask>
    auto watched(const Ask& ask) const -> decltype(ask()) {
        if (paused()) return fail(ErrorCode::Unavailable, "Keystone did not answer a moment ago");
        auto answer = ask();
        if (!answer && answer.error().code == ErrorCode::Timeout) pause();
        return answer;
    }
    bool paused() const {
        const std::lock_guard lock(mutex_);
        return clock_.now() < pausedUntil_;
    }
    void pause() const {
        const std::lock_guard lock(mutex_);
        pausedUntil_ = clock_.now() + kPause;
    }

    std::unique_ptr<Keystone> keystone_;
    const event::Clock& clock_;
    mutable std::mutex mutex_;
    mutable event::TimePoint pausedUntil_{};
};

class KeystoneAuthenticator final : public Authenticator {
public:
    KeystoneAuthenticator(std::unique_ptr<Keystone> keystone, KeystoneOptions options, const event::Clock& clock)
        : options_(std::move(options)), clock_(clock), keystone_(std::move(keystone), clock), admin_(keystone_, options_, clock) {
        for (auto* role : {&options_.adminRole, &options_.tenantAdminRole, &options_.tenantUserRole}) *role = lower(*role);
    }

    std::optional<Outcome<Identity>> known(std::optional<std::string_view> token) override {
        if (!token || token->empty()) return refuse(401, "send a token of /login as X-Auth-Token");
        return known(sha256(*token));
    }

    Outcome<Identity> check(std::string_view token) override {
        const auto digest = sha256(token);
        if (const auto answer = known(digest)) return *answer;  // somebody else has asked meanwhile
        auto found = admin_.as([&](const std::string& admin) { return keystone_.token(admin, std::string{token}); });
        if (found) return judge(digest, *found);
        if (found.error().code == ErrorCode::NotFound) return remember(digest, Fault{401, "the token is none of Keystone's, or not any more"});
        return unavailable(found.error());
    }

    Outcome<Token> login(const std::string& user, const std::string& password, std::optional<std::string_view> project) override {
        const auto named = project && !project->empty() ? std::string{*project} : options_.project;
        if (named.empty()) return refuse(401, "name the project to log in to, as X-Auth-Project");
        auto token = keystone_.login(user, password, named);
        if (token) return Token{token->key, cookieDate(token->expires)};
        if (token.error().code == ErrorCode::PermissionDenied) return refuse(401, "wrong user, password or project");
        return unavailable(token.error());
    }

    Outcome<std::vector<Tenant>> tenants(const TenantRange& range) override {
        return asked(admin_.as([&](const std::string& admin) { return keystone_.tenants(admin, range); }));
    }
    Outcome<Tenant> tenant(const std::string& id) override {
        return asked(admin_.as([&](const std::string& admin) { return keystone_.tenant(admin, id); }));
    }

private:
    std::optional<Outcome<Identity>> known(const Sha256& digest) {
        const std::lock_guard lock(mutex_);
        const auto now = clock_.now();
        if (const auto* identity = good_.find(digest, now)) return *identity;
        if (const auto* fault = refused_.find(digest, now)) return tl::unexpected<Fault>{*fault};
        return std::nullopt;
    }

    Outcome<Identity> judge(const Sha256& digest, const KeystoneToken& token) {
        const auto left = token.expires - clock_.wall();
        if (left <= 0s) return remember(digest, Fault{401, "the token has ended"});
        const auto role = roleOf(token);
        if (!role) return remember(digest, Fault{401, noRole()});
        Identity identity{.user = token.user, .tenant = token.projectId, .role = *role};
        const std::lock_guard lock(mutex_);
        good_.put(digest, identity, clock_.now() + std::min<event::Duration>(options_.remember, left));
        return identity;
    }

    /// The strongest; nullopt: none that counts. Without a project nobody is of a tenant.
    std::optional<Role> roleOf(const KeystoneToken& token) const {
        const auto has = [&](const std::string& name) {
            return !name.empty() && std::any_of(token.roles.begin(), token.roles.end(), [&](const std::string& role) { return lower(role) == name; });
        };
        if (has(options_.adminRole)) return Role::Administrator;
        if (token.projectId.empty()) return std::nullopt;
        if (has(options_.tenantAdminRole)) return Role::TenantAdmin;
        return has(options_.tenantUserRole) ? std::optional{Role::TenantUser} : std::nullopt;
    }
    std::string noRole() const {
        const bool tenants = !options_.tenantAdminRole.empty() || !options_.tenantUserRole.empty();
        return tenants ? "only administrators, and tenants with a role for it in the project of their token, may use the API"
                       : "only administrators may use the API";
    }

    Outcome<Identity> remember(const Sha256& digest, Fault fault) {
        const std::lock_guard lock(mutex_);
        refused_.put(digest, fault, clock_.now() + kRememberRefusal);
        return tl::unexpected<Fault>{std::move(fault)};
    }

    template <class T>
    Outcome<T> asked(Result<T> answer) {
        if (answer) return std::move(*answer);
        if (answer.error().code == ErrorCode::NotFound) return refuse(404, "Keystone knows no such project");
        return unavailable(answer.error());
    }

    /// What exactly is wrong is for the operator, not for clients.
    tl::unexpected<Fault> unavailable(const Error& why) {
        const std::lock_guard lock(mutex_);
        if (limiter_.allow(clock_.now())) log.warn("cannot ask Keystone", {kv("reason", why)});
        return refuse(503, "cannot ask Keystone now; try again");
    }

    KeystoneOptions options_;
    const event::Clock& clock_;
    Reach keystone_;
    AdminAccess admin_;
    std::mutex mutex_;  // of what follows
    /// Apart: no flood of bad tokens makes good ones be forgotten.
    ExpiringCache<Identity> good_{options_.remembered};
    ExpiringCache<Fault> refused_{options_.remembered};
    LogLimiter limiter_{10s};
};

}  // namespace

std::unique_ptr<Authenticator> makeKeystoneAuthenticator(std::unique_ptr<Keystone> keystone, KeystoneOptions options,
                                                         const event::Clock& clock) {
    return std::make_unique<KeystoneAuthenticator>(std::move(keystone), std::move(options), clock);
}

}  // namespace midonet::rest
