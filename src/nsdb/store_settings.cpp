#include "nsdb/store_settings.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

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

Result<std::unique_ptr<Store>> StoreSettings::openExisting() const {
    if (*backend_ == "embedded" && ::access((*path_ + "/data.mdb").c_str(), F_OK) != 0)
        return fail(ErrorCode::NotFound, "nsdb.path = {}: there is no store (data.mdb): {}", *path_, std::strerror(errno));
    return open();
}

}  // namespace midonet::nsdb
