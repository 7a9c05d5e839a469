// The REST API server: serves the topology of one store. Any number of them may run.
#include <csignal>
#include <memory>

#include "base/log.h"
#include "config/program.h"
#include "event/loop.h"
#include "metrics/process.h"
#include "metrics/registry.h"
#include "rest/api_server.h"
#include "rest/api_settings.h"

namespace {

using namespace midonet;
const Logger log{"midonet-api"};

int serve(config::Program& program, const rest::ApiSettings& settings) {
    metrics::Registry registry;
    const auto processMetrics = metrics::collectProcess(registry);
    const auto store = settings.openStore();
    if (!store) return program.refuse(store.error());
    const auto loop = event::Loop::create("control");
    auto server = rest::ApiServer::start(*loop, **store, registry, settings.makeAuthenticator(), settings.options());
    if (!server) return program.refuse(server.error());

    bool ending = false;
    const auto end = loop->onSignal({SIGTERM, SIGINT}, [&](int) {
        if (std::exchange(ending, true)) return loop->stop();  // asked twice: at once
        log.info("ending: finishing what is running");
        program.notifyStopping();
        (*server)->drain([&] { loop->stop(); });
    });
    const auto reload = loop->onSignal({SIGHUP}, [&](int) { (void)program.reload(); });
    program.notifyReady("api " + (*server)->url());
    loop->run();
    log.info("ended");
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    config::Settings settings;
    const rest::ApiSettings api(settings);
    config::Program program({.name = "midonet-api",
                             .version = MIDONET_VERSION,
                             .purpose = "Serves the MidoNet REST API.",
                             .defaultFile = "/etc/midonet/midonet-api.toml"},
                            settings);
    if (const auto code = program.start(argc, argv)) return *code;
    return serve(program, api);
}
