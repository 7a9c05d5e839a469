// What is made of the settings: apart from their declaration, so that a program which only declares them is linked with no datapath.
#include <unistd.h>

#include <climits>

#include "agent/agent_settings.h"
#include "datapath/ebpf/ebpf_datapath.h"
#include "datapath/fake/fake_datapath.h"
#include "host/host_id.h"

namespace midonet::agent {

Result<HostId> AgentSettings::hostId() const { return host::loadHostId(*hostIdFile_); }

AgentOptions AgentSettings::options(const HostId& host, std::string version) const {
    AgentOptions out;
    out.host.id = host;
    out.host.name = *hostName_;
    if (out.host.name.empty()) {
        char name[HOST_NAME_MAX + 1] = {};
        if (gethostname(name, HOST_NAME_MAX) == 0) out.host.name = name;
    }
    out.host.version = std::move(version);
    out.sessionTtl = *sessionTtl_;
    out.peerGrace = *peerGrace_;
    out.stateFile = *stateFile_;
    out.maxStates = static_cast<std::size_t>(*maxStates_);
    out.maxMacsPerPort = static_cast<std::size_t>(*maxMacsPerPort_);
    return out;
}

Result<std::unique_ptr<datapath::Datapath>> AgentSettings::openDatapath() const {
    const auto workers = static_cast<unsigned>(*workers_);
    if (*datapath_ == "fake") {
        static const event::SteadyClock clock;
        return std::make_unique<datapath::fake::FakeDatapath>(clock, datapath::fake::FakeOptions{.workers = workers});
    }
    using datapath::ebpf::AttachMode;
    using datapath::ebpf::VxlanMode;
    datapath::ebpf::EbpfOptions options;
    options.bpffs = *bpffs_;
    options.workers = workers;
    options.maxFlows = static_cast<std::uint32_t>(*maxFlows_);
    options.attach = *attach_ == "tcx" ? AttachMode::Tcx : *attach_ == "clsact" ? AttachMode::Clsact : AttachMode::Auto;
    options.vxlan = *vxlan_ == "hand" ? VxlanMode::Hand : *vxlan_ == "kernel" ? VxlanMode::Kernel : VxlanMode::Auto;
    options.vxlanPort = static_cast<std::uint16_t>(*vxlanPort_);
    options.upcallRate = static_cast<std::uint32_t>(*upcallRate_);
    options.upcallBurst = static_cast<std::uint32_t>(*upcallBurst_);
    options.ringBytes = static_cast<std::uint32_t>(*ringBytes_);
    return datapath::ebpf::openEbpfDatapath(options);
}

}  // namespace midonet::agent
