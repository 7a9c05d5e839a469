#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "base/result.h"
#include "nsdb/backend.h"

namespace midonet::maintenance {

/// A record as an image keeps it.
struct ImageRecord {
    std::string value;
    nsdb::Revision version = 0;
    Uuid lease;
};

/// The records of a store at one moment, by directory and name: what all commands work on. A plain value.
struct Image {
    using Directory = std::map<std::string, ImageRecord, std::less<>>;

    nsdb::Revision revision = 0;
    std::map<std::string, Directory, std::less<>> directories;
    /// The leases there are; nullopt where no record can outlive its lease.
    std::optional<std::set<Uuid>> leases;

    /// nullptr when absent.
    const ImageRecord* find(const nsdb::RecordKey& key) const;
    /// Empty when absent.
    const Directory& directory(std::string_view path) const;
    /// Calls `visit(path, directory)` for each directory below `parent` ("o": all of objects).
    template <class Visit>
    void forEachBelow(std::string_view parent, const Visit& visit) const {
        const auto prefix = std::string(parent) + '/';
        for (auto it = directories.lower_bound(prefix); it != directories.end() && it->first.starts_with(prefix); ++it)
            visit(it->first, it->second);
    }
};

/// Reads the directories named, with all below. Of one moment also where the backend's snapshots are not: there it reads
/// again until no persistent record changed between two reads; Stale when others keep changing them.
Result<Image> readImage(nsdb::Backend& backend, std::span<const std::string_view> roots);

}  // namespace midonet::maintenance
