// Binds ports to interfaces of this host: what a hypervisor calls when it plugs a machine in.
#include <net/if.h>

#include <iostream>

#include "host/host_id.h"
#include "host_tool.h"
#include "hosttools/control.h"

int main(int argc, char** argv) {
    using namespace midonet;
    HostTool tool("mm-ctl", "Binds ports to interfaces of this host, and ends that.\n" + hosttools::controlUsage());
    if (const auto code = tool.program.start(argc, argv)) return *code;
    auto agent = tool.agentClient();
    const hosttools::ControlWorld world{.agent = agent,
                                        .openStore = [&] { return tool.store.openExisting(); },
                                        .localHost = [&] { return host::findHostId(*tool.agent.hostIdFile); },
                                        .hasInterface = [](const std::string& name) { return ::if_nametoindex(name.c_str()) != 0; },
                                        .out = std::cout,
                                        .err = std::cerr};
    return static_cast<int>(hosttools::runControl(world, tool.program.words()));
}
