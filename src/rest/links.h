#pragma once

#include "rest/resource.h"

namespace midonet::model {
class Port;
}

namespace midonet::rest {

/// Makes the peers follow a change of `peerId`: who was the port's peer is free, who is its peer now names
/// it. `before` is nullptr for a new port. 404 for a missing peer, 409 for one that has another peer, 400 for
/// one that cannot be.
Outcome<void> movePeer(nsdb::Transaction& transaction, const model::Port* before, const model::Port& now);

}  // namespace midonet::rest
