#pragma once

#include <memory>
#include <string>

#include "config/settings.h"
#include "nsdb/store.h"

namespace midonet::nsdb {

/// The settings that say which NSDB a program uses: nsdb.backend, nsdb.path, zookeeper.*. The same words in
/// every program.
class StoreSettings {
public:
    explicit StoreSettings(config::Settings& settings);
    /// Opens what the settings name; errors name the setting to mend. Conflict when it is half-loaded.
    Result<std::unique_ptr<Store>> open() const;
    /// For the tool that loads a store: whatever it holds.
    Result<std::unique_ptr<Store>> openOrMake() const;
    /// For tools that look at a store: NotFound instead of making one.
    Result<std::unique_ptr<Store>> openExisting() const;

    const std::string& backend() const { return *backend_; }
    /// Of the embedded backend.
    const std::string& path() const { return *path_; }

private:
    ZookeeperOptions zookeeperOptions() const;

    config::Setting<std::string> backend_;
    config::Setting<std::string> path_;
    config::Setting<std::string> hosts_;
    config::Setting<std::string> root_;
    config::Setting<std::string> user_;
    config::Setting<std::string> password_;
};

}  // namespace midonet::nsdb
