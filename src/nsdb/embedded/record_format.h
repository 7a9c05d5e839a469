#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nsdb/backend.h"
#include "nsdb/embedded/environment.h"

namespace midonet::nsdb::embedded {

// Tables of the file; numbers are 8 bytes, big-endian, lease ids 16 bytes.
//   meta         "magic", "schema", "revision" -> number
//   records      directory NUL name -> kind (1 byte: 0 persistent, 1 leased), version, [lease], value
//   directories  directory -> version: last change of its persistent membership
//   log          revision -> what it changed (nsdb/change_log.h)
//   leases       lease -> ttl in ns, incarnation
//   owned        lease, record key -> nothing

std::string recordKeyText(std::string_view directory, std::string_view name);
/// The record in a value of `records`; the name is the caller's.
Record decodeRecord(std::string_view name, std::string_view value);
std::string encodeRecord(Revision version, const Uuid& lease, std::string_view value);

/// A lease as stored. `incarnation` tells apart the leases a session had one after the other.
struct LeaseRecord {
    Uuid id;
    event::Duration ttl{};
    std::uint64_t incarnation = 0;
};
std::string encodeLease(const LeaseRecord& lease);
LeaseRecord decodeLease(std::string_view id, std::string_view value);

// Reads, in a read or a write transaction.
Revision readRevision(MDB_txn* txn, const Databases& databases);
Result<std::optional<Record>> readRecord(MDB_txn* txn, const Databases& databases,
                                         std::string_view directory, std::string_view name);
Revision readDirectoryVersion(MDB_txn* txn, const Databases& databases, std::string_view directory);
std::optional<LeaseRecord> readLease(MDB_txn* txn, const Databases& databases, const Uuid& id);
std::vector<LeaseRecord> listLeases(MDB_txn* txn, const Databases& databases);

}  // namespace midonet::nsdb::embedded
