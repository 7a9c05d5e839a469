#pragma once

#include <vector>

#include "nsdb/store.h"
#include "rest/fault.h"

namespace midonet::model {
class Bridge;
}

namespace midonet::rest {

/// The ports of a bridge that stand for its bindings to VTEPs: one for each VTEP.
Outcome<std::vector<Uuid>> vxlanPortsOf(nsdb::View& view, const model::Bridge& bridge);

}  // namespace midonet::rest
