#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "nsdb/backend.h"

namespace midonet::nsdb {

/// What the log of changes is kept of: objects.
inline bool isLogged(std::string_view directory) { return directory.starts_with("o/"); }

/// By whether the record was there before, and is now.
inline RecordChange::Kind kindOf(bool before, bool now) {
    if (!now) return RecordChange::Kind::Removed;
    return before ? RecordChange::Kind::Updated : RecordChange::Kind::Created;
}

/// At most so many revisions are given at once, and those behind one with more changes than the other wait as well.
inline constexpr std::size_t kMostLogEntries = 256;
inline constexpr std::size_t kMostLoggedChanges = 1024;
/// Whether a part of the log is long enough.
bool isFull(const LogPart& part);

/// Stale: who has read up to `since` must read everything anew.
Unexpected logForgotten(Revision since);

/// Changes as text: for each (length 2, directory NUL name), with one letter in the same form in front where it was created or
/// removed. Readers that know no letters take them for nothing.
std::string encodeChanges(std::span<const RecordChange> changes);
std::vector<RecordChange> decodeChanges(std::string_view bytes);
/// Those of what is logged.
std::vector<RecordChange> decodeLogged(std::string_view bytes);

}  // namespace midonet::nsdb
