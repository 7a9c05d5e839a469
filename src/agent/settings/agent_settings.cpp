#include "agent/settings/agent_settings.h"

#include <bit>

#include "host/host_id.h"
#include "http/server.h"

namespace midonet::agent {

using namespace std::chrono_literals;

AgentSettings::AgentSettings(config::Settings& s)
    : hostIdFile(host::declareHostIdFile(s)),
      hostName(s.string("agent.host_name", "", "Name under which this host registers; empty = the system's host name.")),
      listen(s.string("agent.listen", "127.0.0.1:7300", "ADDRESS:PORT of the agent's metrics and status page; empty = none.")),
      socket(s.string("agent.socket", "/run/midolman/midolman.sock",
                      "Unix socket on which the agent serves the tools of this host (mm-ctl, mm-meter, mm-trace), for its own user alone; empty = "
                      "none. One for each agent.")
                 .local()),
      metersInMetrics(s.choice("agent.meters_in_metrics", {"all", "user", "none"}, "all",
                               "Which meters the agent's page /metrics has; user = those of rules. A meter is two lines for each "
                               "worker, a port has three meters.")),
      datapath(s.choice("agent.datapath", {"ebpf", "ovs", "fake"}, "ebpf",
                        "What forwards packets: ebpf = programs in the kernel; ovs = openvswitch.ko (not in this build); fake = in "
                        "memory, no packet leaves.")),
      workers(s.integer("agent.workers", 1, {1, 16}, "Threads that simulate packets.")),
      bpffs(s.string("agent.bpffs", "/sys/fs/bpf/midonet",
                     "Folder of a BPF file system where programs and maps outlive the agent; mounted when it is none.")),
      stateFile(s.string("agent.state_file", "/var/lib/midonet/connections",
                         "File in which the connections of this host outlive a restart of the agent; empty = they do not.")),
      traceLog(s.string("agent.trace_log", "/var/log/midolman/mm-trace.log",
                        "File that tells of the packets which mm-trace asks for; empty = none, and no packet is traced.")),
      maxStates(s.integer("agent.max_states", 1'000'000, {1000, 100'000'000},
                          "Entries of the connection state: a tracked connection has one, a translated one up to five.")),
      maxMacsPerPort(s.integer("agent.max_macs_per_port", 4096, {1, 1'000'000}, "MAC addresses learned behind one port at a time.")),
      peerGrace(
          s.duration("agent.peer_grace", 30s, {0s, 1h}, "How long the ports of a host whose agent vanished are still taken for active.")),
      sessionTtl(s.duration("nsdb.session_timeout", 30s, {1s, 1h},
                            "How long what this host reports outlives an agent that is frozen or cut off from the NSDB.")
                     .local()),
      sessionFile(s.string("nsdb.session_file", "/run/midonet/midolman.session",
                           "File that names this agent's session with the NSDB: an agent that follows a killed one ends what that one "
                           "left at once; empty = after nsdb.session_timeout.")
                      .local()),
      nsdbGrace(s.duration("nsdb.grace_time", 30s, {0s, 1h}, "How long a host may be cut off from the NSDB before it counts as isolated.")
                    .local()),
      maxFlows(s.integer("datapath.max_flows", 262144, {1024, 16'777'216}, "Flows in the kernel, of all workers together.")),
      attach(s.choice("datapath.attach", {"auto", "tcx", "clsact"}, "auto",
                      "How programs are hooked to interfaces; auto = tcx where the kernel has it.")),
      vxlan(
          s.choice("datapath.vxlan", {"auto", "hand", "kernel"}, "auto",
                   "Who encapsulates VXLAN: hand = our programs, kernel = its vxlan device, auto = hand, but the device towards taps.")),
      vxlanPort(s.integer("datapath.vxlan_port", 6677, {1, 65535}, "UDP port of VXLAN tunnels; the same on all hosts.")),
      upcallRate(s.integer("datapath.upcall_rate", 20'000, {10, 10'000'000}, "First packets of flows a second, for each port.")),
      upcallBurst(s.integer("datapath.upcall_burst", 4000, {1, 1'000'000}, "First packets of flows at once, for each port.")),
      ringBytes(
          s.size("datapath.ring_size", 4 << 20, {1 << 17, 1 << 30}, "Buffer for packets on their way to a worker; a power of two.")) {
    s.check([self = *this] { return self.check(); });
}

Result<void> AgentSettings::check() const {
    if (*datapath == "ovs")
        return fail(ErrorCode::Unsupported, "agent.datapath = ovs: this build has no openvswitch backend; use agent.datapath = ebpf");
    if (!std::has_single_bit(*ringBytes))
        return fail(ErrorCode::Invalid, "datapath.ring_size = {}: must be a power of two, as 4MiB", *ringBytes);
    if (!listen->empty() && !http::isLoopback(*listen).value_or(false))
        return fail(ErrorCode::Invalid, "agent.listen = {}: the page asks nobody for a password, so only loopback addresses are served; use 127.0.0.1:7300", *listen);
    return {};
}

}  // namespace midonet::agent
