#include "agent/agent_options.h"

#include <unistd.h>

#include <climits>

#include "datapath/ebpf/ebpf_datapath.h"
#include "datapath/fake/fake_datapath.h"

namespace midonet::agent {

Management::Options managementOptions(const AgentSettings& settings) {
    using Shown = Management::MetersShown;
    const auto shown = *settings.metersInMetrics == "all" ? Shown::All : *settings.metersInMetrics == "user" ? Shown::User : Shown::None;
    return {*settings.listen, *settings.socket, shown};
}

AgentOptions agentOptions(const AgentSettings& settings, const HostId& host, std::string version) {
    AgentOptions out;
    out.host.id = host;
    out.host.name = *settings.hostName;
    if (out.host.name.empty()) {
        char name[HOST_NAME_MAX + 1] = {};
        if (gethostname(name, HOST_NAME_MAX) == 0) out.host.name = name;
    }
    out.host.version = std::move(version);
    out.session = {*settings.sessionTtl, *settings.sessionFile};
    out.nsdbGrace = *settings.nsdbGrace;
    out.peerGrace = *settings.peerGrace;
    out.stateFile = *settings.stateFile;
    out.traceLog = *settings.traceLog;
    out.maxStates = static_cast<std::size_t>(*settings.maxStates);
    out.maxMacsPerPort = static_cast<std::size_t>(*settings.maxMacsPerPort);
    return out;
}

Result<std::unique_ptr<datapath::Datapath>> openDatapath(const AgentSettings& settings) {
    const auto workers = static_cast<unsigned>(*settings.workers);
    if (*settings.datapath == "fake") {
        static const event::SteadyClock clock;
        return std::make_unique<datapath::fake::FakeDatapath>(clock, datapath::fake::FakeOptions{.workers = workers});
    }
    using datapath::ebpf::AttachMode;
    using datapath::ebpf::VxlanMode;
    datapath::ebpf::EbpfOptions options;
    options.bpffs = *settings.bpffs;
    options.workers = workers;
    options.maxFlows = static_cast<std::uint32_t>(*settings.maxFlows);
    options.attach = *settings.attach == "tcx" ? AttachMode::Tcx : *settings.attach == "clsact" ? AttachMode::Clsact : AttachMode::Auto;
    options.vxlan = *settings.vxlan == "hand" ? VxlanMode::Hand : *settings.vxlan == "kernel" ? VxlanMode::Kernel : VxlanMode::Auto;
    options.vxlanPort = static_cast<std::uint16_t>(*settings.vxlanPort);
    options.upcallRate = static_cast<std::uint32_t>(*settings.upcallRate);
    options.upcallBurst = static_cast<std::uint32_t>(*settings.upcallBurst);
    options.ringBytes = static_cast<std::uint32_t>(*settings.ringBytes);
    return datapath::ebpf::openEbpfDatapath(options);
}

}  // namespace midonet::agent
