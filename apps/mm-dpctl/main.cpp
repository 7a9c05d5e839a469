// Shows what the agent of this host has put into the kernel: ports, tunnels, flows.
#include <net/if.h>

#include <iostream>

#include "datapath/ebpf/ebpf_datapath.h"
#include "datapath/ebpf/reader.h"
#include "host_tool.h"
#include "hosttools/datapath_tool.h"

int main(int argc, char** argv) {
    using namespace midonet;
    HostTool tool("mm-dpctl", "Shows the datapath of this host, whether its agent runs or not.\n" + hosttools::datapathUsage());
    if (const auto code = tool.program.start(argc, argv)) return *code;
    const auto read = [&](event::Duration patience) -> Result<datapath::DatapathContents> {
        if (*tool.agent.datapath == "fake")
            return fail(ErrorCode::Unsupported, "agent.datapath = fake: that one is in the memory of the agent; see its page /status");
        return datapath::ebpf::readEbpfDatapath(*tool.agent.bpffs, patience);
    };
    const auto tap = datapath::ebpf::EbpfOptions{}.tapName;
    const hosttools::DatapathWorld world{.read = read,
                                         .statsOf = hosttools::readInterfaceStats,
                                         .tapName = tap,
                                         .tapIndex = ::if_nametoindex(tap.c_str()),
                                         .out = std::cout,
                                         .err = std::cerr};
    return hosttools::runDatapathTool(world, tool.program.words());
}
