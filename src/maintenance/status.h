#pragma once

#include <string>

#include "maintenance/image.h"
#include "model/schema.h"

namespace midonet::maintenance {

/// What is in a store, for people: its revision, objects of each class, table entries, counters, each session with the host
/// whose agent it is and what it owns. API servers have no session. Of an image of kRootsWithoutIndexes at least.
std::string describe(const Image& image, const model::Schema& schema);

/// Bytes of all files below a folder.
std::uint64_t sizeOfFolder(const std::string& path);

}  // namespace midonet::maintenance
