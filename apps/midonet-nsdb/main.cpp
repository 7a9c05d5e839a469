// The operator's tool for the Network State Database: dump, load, verify, diff, gc, status.
#include <iostream>

#include "config/program.h"
#include "maintenance/tool.h"
#include "nsdb/store_settings.h"

int main(int argc, char** argv) {
    using namespace midonet;
    config::Settings settings;
    const nsdb::StoreSettings store(settings);
    config::Program program({.name = "midonet-nsdb",
                             .version = MIDONET_VERSION,
                             .purpose = "Backs up, restores, checks and mends the Network State Database.\n" + maintenance::toolUsage(),
                             .defaultFile = "/etc/midonet/midonet-nsdb.toml",
                             .takesWords = true,
                             .logLevel = "warn"},
                            settings);
    if (const auto code = program.start(argc, argv)) return *code;
    const maintenance::ToolWorld world{.openExisting = [&store] { return store.openExisting(); },
                                       .openOrMake = [&store] { return store.openOrMake(); },
                                       .backend = store.backend(),
                                       .path = store.path(),
                                       .in = std::cin,
                                       .out = std::cout,
                                       .err = std::cerr};
    return static_cast<int>(maintenance::runTool(world, program.words()));
}
