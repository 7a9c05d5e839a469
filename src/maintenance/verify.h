#pragma once

#include <functional>
#include <string>
#include <vector>

#include "maintenance/image.h"
#include "model/schema.h"
#include "nsdb/store.h"

namespace midonet::maintenance {

/// Something in a store that cannot be right.
struct Finding {
    std::string what;
    std::string fix;
    /// Does what `fix` says, in one transaction; Stale when the store has changed meanwhile. Empty: a person has to decide.
    std::function<Result<void>(nsdb::Store&)> mend;
};

/// Checks an image of kAllRoots: each object can be read, each reference names an object, indexes and unique keys say what the
/// objects say, state and tables are of living objects and name such, leased records of living sessions, no load was left half-way.
/// Findings are in the order in which they are to be mended. What only a newer program can know is a finding, but never mended.
std::vector<Finding> verify(const Image& image, const model::Schema& schema);

struct Collected {
    std::size_t mended = 0;
    std::vector<Finding> left;  ///< Those a person has to decide, or that others' changes kept from being mended.
};

/// Mends what can be, until nothing more is found that can.
Result<Collected> collectGarbage(nsdb::Store& store, const model::Schema& schema);

}  // namespace midonet::maintenance
