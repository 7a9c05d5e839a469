// Asks the agent of this host what becomes of packets.
#include <iostream>

#include "host_tool.h"
#include "hosttools/trace_tool.h"

int main(int argc, char** argv) {
    using namespace midonet;
    HostTool tool("mm-trace", "Asks the agent of this host to tell what becomes of packets that match.\n" + hosttools::traceUsage());
    if (const auto code = tool.program.start(argc, argv)) return *code;
    auto agent = tool.agentClient();
    return hosttools::runTraceTool({.agent = agent, .out = std::cout, .err = std::cerr}, tool.program.words());
}
