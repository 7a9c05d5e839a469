#pragma once

#include <memory>
#include <string>

#include "config/settings.h"
#include "nsdb/store.h"
#include "nsdb/store_settings.h"
#include "rest/api_server.h"
#include "rest/keystone_settings.h"

namespace midonet::rest {

/// The settings of midonet-api, declared and checked.
class ApiSettings {
public:
    explicit ApiSettings(config::Settings& settings);

    ApiOptions options() const;
    /// The clock outlives it.
    std::unique_ptr<Authenticator> makeAuthenticator(const event::Clock& clock) const;
    Result<std::unique_ptr<nsdb::Store>> openStore() const { return store_.open(); }

private:
    Result<void> check() const;
    Result<void> checkListen() const;
    Result<void> checkTls() const;

    nsdb::StoreSettings store_;
    config::Setting<std::string> listen_;
    config::Setting<std::string> auth_;
    KeystoneSettings keystone_;
    config::Setting<bool> insecure_;
    config::Setting<std::string> socketMode_;
    config::Setting<std::string> certificate_;
    config::Setting<std::string> key_;
    config::Setting<std::string> requestLog_;
    config::Setting<std::int64_t> threads_;
    config::Setting<std::int64_t> connections_;
    config::Setting<std::uint64_t> headerBytes_;
    config::Setting<std::uint64_t> bodyBytes_;
    config::Setting<std::chrono::nanoseconds> idle_;
    config::Setting<std::chrono::nanoseconds> header_;
    config::Setting<std::chrono::nanoseconds> request_;
    config::Setting<std::chrono::nanoseconds> write_;
    config::Setting<std::chrono::nanoseconds> drain_;
    config::Setting<std::int64_t> changeReaders_;
    config::Setting<std::chrono::nanoseconds> changeHeartbeat_;
};

}  // namespace midonet::rest
