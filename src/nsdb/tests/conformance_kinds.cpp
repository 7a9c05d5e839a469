#include "world.h"

namespace midonet::nsdb {

std::vector<BackendKind> conformanceKinds() { return {memoryKind(), embeddedKind()}; }

}  // namespace midonet::nsdb
