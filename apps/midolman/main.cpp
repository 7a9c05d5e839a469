// The agent of one host: makes the ports that are bound to it real.
#include <malloc.h>

#include <csignal>
#include <memory>

#include "agent/agent.h"
#include "agent/agent_options.h"
#include "agent/management.h"
#include "base/log.h"
#include "conf/follow.h"
#include "config/program.h"
#include "event/blocking_pool.h"
#include "event/loop.h"
#include "host/host_id.h"
#include "host/interfaces.h"
#include "host/underlay.h"
#include "netlink/monitor.h"
#include "nsdb/store_settings.h"

namespace {

using namespace midonet;
const Logger kLog{"midolman"};

/// What a burst of connections took is given back. By itself glibc learns from each large block that is freed to keep the next ones,
/// 32 MB for each thread.
void keepNoLargeBlocks() {
    ::mallopt(M_MMAP_THRESHOLD, 512 * 1024);
    ::mallopt(M_TRIM_THRESHOLD, 1024 * 1024);
}

Result<void> serve(config::Program& program, const agent::AgentSettings& settings, nsdb::Store& store, const HostId& host) {
    auto options = agent::agentOptions(settings, host, MIDONET_VERSION);
    options.waitingSettings = [&program] { return program.waiting(); };
    TRY(datapath, agent::openDatapath(settings));

    const auto loop = event::Loop::create("control");
    event::BlockingPool pool(1, 64);
    TRY(monitor, netlink::Monitor::start(*loop));
    const auto interfaces = host::followInterfaces(*monitor);
    TRY(underlay, host::followUnderlay(*loop, *monitor));

    for (const auto& [feature, how] : datapath->capabilities().features)
        kLog.info("datapath feature", {kv("feature", feature), kv("how", how)});

    std::unique_ptr<agent::Management> management;
    agent::Agent agent({*loop, pool, store, *datapath, *interfaces, *underlay}, options, [&] {
        const auto page = settings.listen->empty() ? std::string{} : " management=http://" + management->address();
        program.notifyReady("agent host=" + host.toString() + page);
    });
    TRY(started, agent::Management::start(*loop, agent, agent::managementOptions(settings)));
    management = std::move(started);
    const auto end = loop->onSignal({SIGTERM, SIGINT}, [&](int) {
        kLog.info("ending: the kernel goes on forwarding what is installed");
        program.notifyStopping();
        loop->stop();
    });
    const auto reload = loop->onSignal({SIGHUP}, [&](int) { (void)program.reload(); });
    const auto configuration = conf::followConfiguration(*loop, program, store, host);
    agent.start();
    loop->run();
    kLog.info("ended");
    return {};
}

int run(config::Program& program, const agent::AgentSettings& settings, const nsdb::StoreSettings& storeSettings) {
    const auto host = host::loadHostId(*settings.hostIdFile);
    if (!host) return program.refuse(host.error());
    const auto store = storeSettings.open();
    if (!store) return program.refuse(store.error());
    conf::applyConfiguration(program, **store, *host);
    return program.run([&] { return serve(program, settings, **store, *host); });
}

}  // namespace

int main(int argc, char** argv) {
    keepNoLargeBlocks();
    config::Settings settings;
    const agent::AgentSettings agentSettings(settings);
    const nsdb::StoreSettings storeSettings(settings);
    config::Program program({.name = "midolman",
                             .version = MIDONET_VERSION,
                             .purpose = "The MidoNet agent: makes the virtual ports that are bound to this host real.",
                             .defaultFile = "/etc/midonet/midolman.toml"},
                            settings);
    if (const auto code = program.start(argc, argv)) return *code;
    return run(program, agentSettings, storeSettings);
}
