#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "nsdb/backend.h"

namespace midonet::nsdb::zookeeper {

/// Where records are below the root (docs/design/nsdb.md):
///   <root>/schema                          version of all this
///   <root>/<directory>/=<name>             record; '=' tells it from a directory below
///   <root>/o/<Class>/<xx>/=<id>            objects, in 256 shards by the first byte of the id
///   <root>/v/<xxx>                         buckets: 4096 znodes that are written when records come and go, never deleted
///   <root>/m/<id>                          markers of writers
///   <root>/l/=<number>                     log of the changes of objects, numbered by ZooKeeper
class Paths {
public:
    /// `root` as parseRoot() gives it.
    explicit Paths(std::string root) : root_(std::move(root)) {}

    /// Invalid, and says why, when it is no absolute path of its own.
    static Result<std::string> parseRoot(std::string_view text);

    const std::string& root() const { return root_; }
    std::string schema() const { return root_ + "/schema"; }
    std::string buckets() const { return root_ + "/v"; }
    std::string markers() const { return root_ + "/m"; }
    std::string log() const { return directory(kLogDirectory); }
    /// What ZooKeeper puts the number behind.
    std::string newLogEntry() const { return record({std::string(kLogDirectory), {}}); }
    std::string directory(std::string_view directory) const;
    /// Where the record's znode is: its directory or a shard of it.
    std::string parent(const RecordKey& key) const;
    std::string record(const RecordKey& key) const;
    /// Written when a record is created: it tells a record from one that was removed and created again, which has the
    /// same versions.
    std::string recordBucket(const RecordKey& key) const;
    /// Written when persistent records are added or removed: its version is the directory's.
    std::string directoryBucket(std::string_view directory) const;

    /// Its records are in shards.
    static bool isSharded(std::string_view directory);
    /// The name of the record in a znode's name; nullopt: it is a directory.
    static std::optional<std::string> recordName(std::string_view znode);
    /// The directory in a znode's name, which is no record.
    static std::string directoryName(std::string_view znode);

    /// Whether a folder is never removed: those that belong to one object go with it.
    bool isLasting(std::string_view folder) const;
    static std::string parentOf(std::string_view path);

private:
    std::string bucket(std::uint64_t hash) const;

    std::string root_;
};

}  // namespace midonet::nsdb::zookeeper
