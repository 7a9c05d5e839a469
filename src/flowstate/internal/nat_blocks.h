#pragma once

#include <vector>

#include "base/id.h"
#include "event/clock.h"
#include "flowstate/nat_ports.h"
#include "nsdb/store.h"

namespace midonet::flowstate::internal {

/// The NatBlock objects of the NSDB. All of it blocks: for the pool.

struct BlockHolder {
    HostId host;
    event::WallTime now;
    /// How long connections of a block that was given back, or whose holder died, are left in peace.
    std::chrono::seconds grace{};
};

struct BlockWish {
    Uuid device;
    bool deviceIsBridge = false;
    std::vector<NatRange> ranges;
    std::uint64_t seed = 0;  ///< Hosts that ask at once should not want the same block.
};

/// Per address, in the order of the wish: a block that nobody ever had; else the one that was given back longest
/// ago. Blocks of dead hosts are marked, to be had after the grace time. Exhausted when there is none.
Result<NatBlockId> leaseBlock(nsdb::Store& store, const BlockHolder& holder, const BlockWish& wish);
/// The blocks that the host has, from before: in use, or marked within the grace time, which is taken back.
Result<std::vector<NatBlockId>> reclaimBlocks(nsdb::Store& store, const BlockHolder& holder);
/// Blocks that are not the holder's are left alone.
Result<void> releaseBlocks(nsdb::Store& store, const BlockHolder& holder, const std::vector<NatBlockId>& blocks);

}  // namespace midonet::flowstate::internal
