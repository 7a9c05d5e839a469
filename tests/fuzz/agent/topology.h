#pragma once

#include "topology/snapshot.h"

namespace midonet::fuzz {

/// The cloud of agent/host.h, as its hosts see it.
const topology::TopologySnapshotPtr& fuzzedTopology();

}  // namespace midonet::fuzz
