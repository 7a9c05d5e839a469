#pragma once

#include <memory>
#include <string>

#include "config/settings.h"
#include "nsdb/store.h"
#include "nsdb/store_settings.h"
#include "rest/api_server.h"

namespace midonet::rest {

/// The settings of midonet-api, declared and checked.
class ApiSettings {
public:
    explicit ApiSettings(config::Settings& settings);

    ApiOptions options() const;
    std::unique_ptr<Authenticator> makeAuthenticator() const;
    Result<std::unique_ptr<nsdb::Store>> openStore() const { return store_.open(); }

private:
    Result<void> check() const;

    nsdb::StoreSettings store_;
    config::Setting<std::string> listen_;
    config::Setting<std::string> auth_;
    config::Setting<bool> insecure_;
    config::Setting<std::int64_t> threads_;
    config::Setting<std::int64_t> connections_;
    config::Setting<std::uint64_t> headerBytes_;
    config::Setting<std::uint64_t> bodyBytes_;
    config::Setting<std::chrono::nanoseconds> idle_;
    config::Setting<std::chrono::nanoseconds> header_;
    config::Setting<std::chrono::nanoseconds> request_;
    config::Setting<std::chrono::nanoseconds> write_;
    config::Setting<std::chrono::nanoseconds> drain_;
};

}  // namespace midonet::rest
