// The REST API server: serves the topology of one store. Any number of them may run.
#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include "all_settings.h"
#include "base/log.h"
#include "conf/follow.h"
#include "config/program.h"
#include "event/loop.h"
#include "host/host_id.h"
#include "metrics/process.h"
#include "metrics/registry.h"
#include "rest/api_server.h"
#include "rest/api_settings.h"
#include "rest/openapi.h"

namespace {

using namespace midonet;
const Logger log{"midonet-api"};

/// A machine without an agent need not have an id.
std::optional<HostId> hostIdOf(const std::string& file) {
    const auto id = host::findHostId(file);
    if (id) return *id;
    if (id.error().code != ErrorCode::NotFound)
        log.warn("the template `default` of the NSDB counts here, nothing of this host", {kv("reason", id.error())});
    return std::nullopt;
}

Result<void> serve(config::Program& program, const rest::ApiSettings& settings, nsdb::Store& store, const std::optional<HostId>& host) {
    metrics::Registry registry;
    const auto processMetrics = metrics::collectProcess(registry);
    const event::SteadyClock clock;
    const auto loop = event::Loop::create("control");
    auto options = settings.options();
    options.catalogue = declareAllSettings();
    TRY(server, rest::ApiServer::start(*loop, store, registry, settings.makeAuthenticator(clock), std::move(options)));

    bool ending = false;
    const auto end = loop->onSignal({SIGTERM, SIGINT}, [&](int) {
        if (std::exchange(ending, true)) return loop->stop();  // asked twice: at once
        log.info("ending: finishing what is running");
        program.notifyStopping();
        server->drain([&] { loop->stop(); });
    });
    const auto reload = loop->onSignal({SIGHUP}, [&](int) {
        (void)program.reload();
        if (const auto renewed = server->renewTls(); !renewed) log.error("certificate and key stay as they are", {kv("reason", renewed.error())});
    });
    const auto configuration = conf::followConfiguration(*loop, program, store, host);
    program.notifyReady("api " + server->urls());
    loop->run();
    log.info("ended");
    return {};
}

int run(config::Program& program, const rest::ApiSettings& settings, const std::string& hostIdFile) {
    const auto store = settings.openStore();
    if (!store) return program.refuse(store.error());
    const auto host = hostIdOf(hostIdFile);
    conf::applyConfiguration(program, **store, host);
    return program.run([&] { return serve(program, settings, **store, host); });
}

}  // namespace

int main(int argc, char** argv) {
    config::Settings settings;
    const rest::ApiSettings api(settings);
    const auto hostIdFile = host::declareHostIdFile(settings);
    config::Program program({.name = "midonet-api",
                             .version = MIDONET_VERSION,
                             .purpose = "Serves the MidoNet REST API.",
                             .defaultFile = "/etc/midonet/midonet-api.toml",
                             .printFlag = {"--print-openapi", "Print the description of the REST API (OpenAPI 3.1, YAML) and exit", rest::openapi}},
                            settings);
    if (const auto code = program.start(argc, argv)) return *code;
    return run(program, api, *hostIdFile);
}
