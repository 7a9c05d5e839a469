#pragma once

#include <chrono>
#include <iosfwd>
#include <string>

#include "base/result.h"
#include "maintenance/contents.h"

namespace midonet::maintenance {

// A dump: text, one JSON object a line, each kind with members of its own.
//
//   {"dump":"midonet-nsdb","format":1,"schema":1,"revision":R,"time":"..."}       the first line
//   {"class":"Bridge","object":{...}}                    every field that is set, under its name in the schema
//   {"table":"Bridge/ID/ip4_mac_map","key":"...","value":"..."}       persistent entries
//   {"counter":"tunnel_key","next":33}
//   {"state":...} {"learned":...} {"candidate":...}      what sessions own, when asked for; never loaded
//   {"end":N}          the last line, without which a dump is not whole; N lines were before it, but edited dumps are welcome
//
// Ordered by class and id, table and key: equal stores give equal dumps, but for the first line. Values that are no
// printable ASCII stand in hex digits under "value_hex", keys under "key_hex".

inline constexpr std::string_view kDumpName = "midonet-nsdb";
/// Raised when a program that knows only lower ones would misread a dump.
inline constexpr std::uint64_t kDumpFormat = 1;

struct DumpOptions {
    std::chrono::system_clock::time_point time{};
    bool withLeased = false;  ///< Also what sessions own.
};

/// The store's contents as a dump. Fails as readImage() and contentsOf() do.
Result<std::string> dump(nsdb::Store& store, const model::Schema& schema, const DumpOptions& options);

/// What a dump holds. Malformed, with a line for each mistake that names line and field; Unsupported when a newer program
/// wrote it. What sessions owned is left out.
Result<Contents> readDump(std::istream& in, const model::Schema& schema);

}  // namespace midonet::maintenance
