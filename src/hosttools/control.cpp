#include "hosttools/control.h"

#include <ostream>

#include "config/toml_file.h"
#include "host/port_binder.h"

namespace midonet::hosttools {
namespace {

struct Command {
    PortId port;
    std::string interface;  ///< Empty: unbind.
    bool binds() const { return !interface.empty(); }
};

Result<Command> readCommand(const std::vector<std::string>& words) {
    const bool binds = words.size() == 3 && words[0] == "--bind-port";
    const bool unbinds = words.size() == 2 && words[0] == "--unbind-port";
    if (!binds && !unbinds) return fail(ErrorCode::Invalid, "{}", words.empty() ? "what is to be done?" : "wrong arguments");
    TRY(port, Uuid::parse(words[1]));
    if (binds && words[2].empty()) return fail(ErrorCode::Invalid, "an interface has a name");
    return Command{PortId{port}, binds ? words[2] : ""};
}

ControlExit failed(const ControlWorld& world, ControlExit code, const std::string& what, const std::string& why) {
    world.err << what << ": " << why << '\n';
    return code;
}

Result<http::Response> askAgent(const ControlWorld& world, const Command& command) {
    const auto path = "/binding/" + command.port.toString();
    if (!command.binds()) return world.agent.send(http::Method::Delete, path);
    return world.agent.send(http::Method::Put, path, fmt::format(R"({{"interfaceName": {}}})", config::quoted(command.interface)));
}

ControlExit writeToStore(const ControlWorld& world, const Command& command) {
    const auto host = world.localHost();
    if (!host) return failed(world, ControlExit::NoHostId, "Failed to get host ID", host.error().message);
    const auto store = world.openStore();
    if (!store && store.error().code == ErrorCode::PermissionDenied)
        return failed(world, ControlExit::PermissionDenied, "Permission denied", store.error().message);
    if (!store) return failed(world, ControlExit::NoStore, "State configuration error", store.error().message);
    const auto done = command.binds() ? host::bindPort(**store, *host, command.port, command.interface)
                                      : host::unbindPort(**store, *host, command.port);
    if (!done) return failed(world, ControlExit::Failed, "Command failed", done.error().message);
    world.out << "Command succeeded\n";
    return ControlExit::Fine;
}

/// Only what refuses the command itself: another agent, or the NSDB, would say the same.
bool isVerdict(const http::Response& response) { return response.status >= 400 && response.status < 500; }

}  // namespace

std::string controlUsage() {
    return "  --bind-port PORT INTERFACE\n      binds the port of this UUID to an interface of this host, whoever had it before\n"
           "  --unbind-port PORT\n      ends that, if the port is bound to this host\n";
}

ControlExit runControl(const ControlWorld& world, const std::vector<std::string>& words) {
    const auto command = readCommand(words);
    if (!command) {
        world.err << "Invalid command: " << command.error().message << "\nUsage: mm-ctl COMMAND\n" << controlUsage();
        return ControlExit::BadCommand;
    }
    if (command->binds() && !world.hasInterface(command->interface))
        world.err << "note: there is no interface " << command->interface << " now; the port becomes active when it is there\n";
    const auto answer = askAgent(world, *command);
    if (answer && answer->status < 300) return ControlExit::Fine;
    if (answer && isVerdict(*answer)) return failed(world, ControlExit::Failed, "Command failed", messageOf(*answer));
    const auto reason = answer ? messageOf(*answer) : answer.error().message;
    if (!answer && answer.error().code == ErrorCode::PermissionDenied)
        return failed(world, ControlExit::PermissionDenied, "This command should be executed by root", reason);
    world.err << reason << "\nFalling back to legacy method\n";
    return writeToStore(world, *command);
}

}  // namespace midonet::hosttools
