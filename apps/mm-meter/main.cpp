// Shows what ports, devices, tunnels and rules of this host have passed on.
#include <iostream>
#include <thread>

#include "host_tool.h"
#include "hosttools/meter_tool.h"

int main(int argc, char** argv) {
    using namespace midonet;
    HostTool tool("mm-meter", "Shows the packets and bytes that the agent of this host counts by port, device, tunnel and rule.\n" +
                                  hosttools::meterUsage());
    if (const auto code = tool.program.start(argc, argv)) return *code;
    auto agent = tool.agentClient();
    const hosttools::MeterWorld world{.readMeters = [&] { return agent.get("/meters"); },
                                      .sleep = [](event::Duration duration) { std::this_thread::sleep_for(duration); },
                                      .out = std::cout,
                                      .err = std::cerr};
    return hosttools::runMeterTool(world, tool.program.words());
}
