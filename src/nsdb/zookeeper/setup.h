#pragma once

#include "nsdb/store.h"
#include "nsdb/zookeeper/client.h"
#include "nsdb/zookeeper/paths.h"

namespace midonet::nsdb::zookeeper {

/// Waits for the first connection, then makes the root if it is new and looks at its version. Errors name the setting
/// to mend. Blocks.
Result<void> setUp(Client& client, const Paths& paths, const ZookeeperOptions& options);

}  // namespace midonet::nsdb::zookeeper
