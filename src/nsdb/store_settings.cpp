#include "nsdb/store_settings.h"

namespace midonet::nsdb {

StoreSettings::StoreSettings(config::Settings& settings)
    : backend_(settings.choice("nsdb.backend", {"embedded", "memory", "zookeeper"}, "embedded",
                               "Where the topology is kept: embedded = files on this machine, shared by its processes; "
                               "memory = in this process, lost with it; zookeeper = an ensemble (not in this build).")),
      path_(settings.string("nsdb.path", "/var/lib/midonet/nsdb", "Folder of the embedded store.")) {
    settings.check([backend = backend_]() -> Result<void> {
        if (*backend != "zookeeper") return {};
        return fail(ErrorCode::Unsupported,
                    "nsdb.backend = zookeeper: this build has no ZooKeeper backend; use nsdb.backend = embedded");
    });
}

Result<std::unique_ptr<Store>> StoreSettings::open() const {
    if (*backend_ == "memory") return openMemory();
    auto store = openEmbedded({.path = *path_});
    if (!store) return Unexpected{store.error().withContext("nsdb.path = " + *path_)};
    return store;
}

}  // namespace midonet::nsdb
