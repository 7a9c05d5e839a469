// The operator's tool for the configuration in the NSDB: values for the settings of hosts, and templates. mn-conf is its other name.
#include <iostream>
#include <string_view>

#include "all_settings.h"
#include "conf/tool.h"
#include "config/program.h"
#include "host/host_id.h"
#include "nsdb/store_settings.h"

int main(int argc, char** argv) {
    using namespace midonet;
    const std::string name = std::string_view(argv[0]).ends_with("mn-conf") ? "mn-conf" : "mm-conf";
    config::Settings settings;
    const nsdb::StoreSettings store(settings);
    const auto hostIdFile = host::declareHostIdFile(settings);
    config::Program program({.name = name,
                             .version = MIDONET_VERSION,
                             .purpose = "Configures the programs of all hosts: values for their settings, kept in the NSDB.\n" +
                                        conf::toolUsage(),
                             .defaultFile = "/etc/midonet/mm-conf.toml",
                             .takesWords = true,
                             .logLevel = "warn",
                             .helpFlags = "--help"},
                            settings);
    if (const auto code = program.start(argc, argv)) return *code;
    const auto catalogue = declareAllSettings();
    const auto seenByOthers = [&store](auto open) -> Result<std::unique_ptr<nsdb::Store>> {
        if (store.backend() == "memory")
            return fail(ErrorCode::Invalid, "nsdb.backend = memory: such a store is seen by its own process alone; name another backend");
        return open();
    };
    const conf::ToolWorld world{.name = name,
                                .openExisting = [&] { return seenByOthers([&] { return store.openExisting(); }); },
                                .openOrMake = [&] { return seenByOthers([&] { return store.open(); }); },
                                .localHost = [&] { return host::loadHostId(*hostIdFile); },
                                .catalogue = catalogue,
                                .in = std::cin,
                                .out = std::cout,
                                .err = std::cerr};
    return static_cast<int>(conf::runTool(world, program.words()));
}
