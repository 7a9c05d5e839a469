#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/schema.h"
#include "nsdb/store.h"

namespace midonet::maintenance {

/// Where the tool works: the store its settings name, and where it reads and writes. Blocks; one thread.
struct ToolWorld {
    std::function<Result<std::unique_ptr<nsdb::Store>>()> openExisting;
    std::function<Result<std::unique_ptr<nsdb::Store>>()> openOrMake;
    std::string backend;  ///< As in nsdb.backend.
    std::string path;     ///< Of an embedded store.
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    const model::Schema& schema = model::Schema::get();
};

/// Exit codes of commands.
enum class ExitCode { Fine = 0, Found = 1, Failed = 2 };

/// One line for each command, for --help.
std::string toolUsage();

/// Runs a command: its name, then its files and options in any order ("load", "-", "--replace", "--yes"). Found: verify found
/// something, or diff a difference. Failed: the message on `err` says why.
ExitCode runTool(const ToolWorld& world, const std::vector<std::string>& words);

}  // namespace midonet::maintenance
