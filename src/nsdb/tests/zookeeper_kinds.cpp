#include "world.h"

namespace midonet::nsdb {

std::vector<BackendKind> conformanceKinds() { return {zookeeperKind(), ensembleKind()}; }

}  // namespace midonet::nsdb
