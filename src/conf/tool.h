#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "conf/catalogue.h"
#include "nsdb/store.h"

namespace midonet::conf {

/// Where the tool works. Blocks; one thread.
struct ToolWorld {
    std::string name;  ///< Of the program, for messages: it has two.
    std::function<Result<std::unique_ptr<nsdb::Store>>()> openExisting;
    std::function<Result<std::unique_ptr<nsdb::Store>>()> openOrMake;
    std::function<Result<HostId>()> localHost;  ///< Makes an id when this machine has none.
    const Catalogue& catalogue;
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
};

/// Exit codes; scripts know them.
enum class ExitCode { Fine = 0, NoCommand = 1, NoHostId = 2, NoStore = 3, Failed = 4, NoSuchKey = 11 };

/// One line for each command, for --help.
std::string toolUsage();

/// Runs a command: its name, then its options and words in any order.
ExitCode runTool(const ToolWorld& world, const std::vector<std::string>& words);

}  // namespace midonet::conf
