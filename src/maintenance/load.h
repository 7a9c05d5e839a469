#pragma once

#include <cstddef>
#include <limits>

#include "maintenance/contents.h"

namespace midonet::maintenance {

struct LoadOptions {
    /// Empties the store first; else one that holds anything is refused. Counters only grow, so that no number is given twice.
    bool replace = false;
    /// What one transaction of the backend can take, about. What needs more is loaded in several; until the last one the
    /// store holds a mark by which verify() and dump() know it is half-loaded.
    std::size_t transactionBytes = std::numeric_limits<std::size_t>::max();
};

struct LoadReport {
    std::size_t objects = 0;
    std::size_t entries = 0;
    std::size_t transactions = 0;
};

/// Puts contents into a store: whole or not at all, where one transaction takes them. Conflict when the store holds something,
/// or when sessions are alive in it: their programs would not notice that what they own is gone. What a reference names has
/// to be among the contents (NotFound), unique values must be (AlreadyExists): the message names the line.
Result<LoadReport> load(nsdb::Store& store, const model::Schema& schema, const Contents& contents, const LoadOptions& options = {});

}  // namespace midonet::maintenance
