#pragma once

#include <functional>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "cli/api.h"
#include "cli/options.h"
#include "cli/session.h"

namespace midonet::cli {

/// What midonet-cli touches besides the server.
struct World {
    /// Makes what reaches a server.
    std::function<Transport(const http::Trust&)> connect;
    /// Waits; false: the user wants what goes on to end.
    std::function<bool(event::Duration)> pause;
    Variables environment;
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool terminalIn = false;
    bool terminalOut = false;
};

/// Exit codes that scripts rely on.
enum class ExitCode : int {
    Good = 0,
    Failed = 1,    ///< The last command failed, or the server could not be asked.
    Refused = 2,   ///< Settings or arguments are wrong: nothing was tried.
};

/// Of a session that ends with that command.
ExitCode codeOf(Session::Outcome outcome);

/// midonet-cli from its arguments to its exit code.
ExitCode runProgram(const std::vector<std::string>& arguments, World& world);

}  // namespace midonet::cli
