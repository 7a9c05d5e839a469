#include "nsdb/store_settings.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "nsdb/layout.h"
#include "nsdb/zookeeper/paths.h"
#include "zookeeper/hosts.h"

namespace midonet::nsdb {
namespace {

/// Of programs that serve: where all machines start at once, the servers have much to do at first.
constexpr event::Duration kStartPatience = std::chrono::seconds(30);

}  // namespace

StoreSettings::StoreSettings(config::Settings& settings)
    : backend_(settings.choice("nsdb.backend", {"embedded", "memory", "zookeeper"}, "embedded",
                               "Where the topology is kept: embedded = files on this machine, shared by its processes; "
                               "memory = in this process, lost with it; zookeeper = an ensemble, shared by machines.").local()),
      path_(settings.string("nsdb.path", "/var/lib/midonet/nsdb", "Folder of the embedded store.").local()),
      hosts_(settings.string("zookeeper.hosts", "127.0.0.1:2181",
                             "The ensemble's servers, as host:port,host:port; with nsdb.backend = zookeeper.").local()),
      root_(settings.string("zookeeper.root", "/midonet", "Path in the ensemble below which all is kept.").local()),
      user_(settings.string("zookeeper.user", "",
                            "User of digest authentication; what is made belongs to this user alone. Empty: to everybody.").local()),
      password_(settings.string("zookeeper.password", "", "Password of that user.").secret().local()) {
    settings.check([hosts = hosts_, root = root_, user = user_, password = password_]() -> Result<void> {
        if (const auto parsed = zookeeper::Paths::parseRoot(*root); !parsed)
            return Unexpected{parsed.error().withContext(root.key())};
        if (const auto parsed = midonet::zookeeper::parseHosts(*hosts); !parsed)
            return Unexpected{parsed.error().withContext(hosts.key())};
        if (user->find(':') != user->npos) return fail(ErrorCode::Invalid, "zookeeper.user must not hold a ':'");
        if (user->empty() && !password->empty())
            return fail(ErrorCode::Invalid, "zookeeper.password needs zookeeper.user");
        return {};
    });
}

Result<std::unique_ptr<Store>> StoreSettings::open() const {
    TRY(store, openOrMake());
    auto load = store->readTable(kLoadTable);
    // Its servers may be busy with many that start.
    const auto deadline = std::chrono::steady_clock::now() + kStartPatience;
    while (*backend_ == "zookeeper" && !load && load.error().code == ErrorCode::Unavailable && std::chrono::steady_clock::now() < deadline)
        load = store->readTable(kLoadTable);
    if (!load) return Unexpected{load.error()};
    if (load->empty()) return store;
    return fail(ErrorCode::Conflict, "the store is half-loaded: its midonet-nsdb load did not come to its end; load it again, with --replace");
}

Result<std::unique_ptr<Store>> StoreSettings::openOrMake() const {
    if (*backend_ == "memory") return openMemory();
    if (*backend_ == "zookeeper") {
        auto options = zookeeperOptions();
        options.connectPatience = kStartPatience;
        return openZookeeper(options);
    }
    auto store = openEmbedded({.path = *path_});
    if (!store) return Unexpected{store.error().withContext("nsdb.path = " + *path_)};
    return store;
}

Result<std::unique_ptr<Store>> StoreSettings::openExisting() const {
    if (*backend_ == "embedded" && ::access((*path_ + "/data.mdb").c_str(), F_OK) != 0)
        return fail(ErrorCode::NotFound, "nsdb.path = {}: there is no store (data.mdb): {}", *path_, std::strerror(errno));
    if (*backend_ != "zookeeper") return openOrMake();
    auto options = zookeeperOptions();
    options.create = false;
    return openZookeeper(options);
}

ZookeeperOptions StoreSettings::zookeeperOptions() const {
    return {.hosts = *hosts_, .root = *root_, .user = *user_, .password = *password_};
}

}  // namespace midonet::nsdb
