#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "datapath/datapath_contents.h"
#include "event/clock.h"
#include "hosttools/interface_stats.h"

namespace midonet::hosttools {

/// Where mm-dpctl works. Blocks; one thread.
struct DatapathWorld {
    /// NotFound: there is no datapath.
    std::function<Result<datapath::DatapathContents>(event::Duration patience)> read;
    std::function<InterfaceStats(const std::string& interface)> statsOf;
    std::string tapName;  ///< The interface that stands for the host's own port, number 0.
    std::uint32_t tapIndex = 0;
    std::ostream& out;
    std::ostream& err;
};

/// For --help.
std::string datapathUsage();

/// Runs a command of mm-dpctl. It looks, and changes nothing: what the agent installs is the agent's. Exit code 0, or 1 with
/// "[mm-dpctl] Error: ..." on `err`.
int runDatapathTool(const DatapathWorld& world, const std::vector<std::string>& words);

}  // namespace midonet::hosttools
