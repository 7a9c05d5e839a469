#include "config/command_line.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace midonet::config {
namespace {

std::string footer(const About& about, const Settings& settings) {
    if (!about.settingsOf.empty())
        return fmt::format("Settings are those of {0}, from the same sources: {0} --help lists them.\n", about.settingsOf);
    return "Settings, strongest source first: --set, environment (agent.datapath is "
           "MIDO_AGENT_DATAPATH), file, NSDB (mm-conf), default:\n" +
           settings.helpText();
}

}  // namespace

Result<CommandLine> parseCommandLine(const About& about, const Settings& settings,
                                     std::vector<std::string> arguments, Environment environment) {
    CommandLine out;
    out.sources.environment = std::move(environment);
    out.sources.file = about.defaultFile;

    CLI::App app(about.purpose, about.name);
    std::string file;
    std::vector<std::string> sets;
    bool check = false;
    app.add_option("--config", file, fmt::format("TOML file of settings [{}]", about.defaultFile))
        ->option_text("FILE");
    app.add_option("--set", sets, "Set one setting; may be repeated")
        ->option_text("section.key=value")
        ->allow_extra_args(false);
    app.add_flag("--check-config", check,
                 "Print the effective settings and where each came from; exit code 0 or 1");
    app.set_help_flag(about.helpFlags, "Print this help message and exit");
    app.set_version_flag("--version", about.name + " " + about.version);
    bool print = false;
    if (!about.printFlag.flag.empty()) app.add_flag(about.printFlag.flag, print, about.printFlag.help);
    app.allow_extras(about.takesWords);
    app.footer([&about, &settings] { return footer(about, settings); });
    try {
        std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
        app.parse(arguments);
    } catch (const CLI::CallForHelp&) {
        out.action = Action::Print;
        out.text = app.help();
        return out;
    } catch (const CLI::CallForVersion&) {
        out.action = Action::Print;
        out.text = about.name + " " + about.version + "\n";
        return out;
    } catch (const CLI::ParseError& error) {
        return fail(ErrorCode::Invalid, "{}; see {} --help", error.what(), about.name);
    }

    if (print) {
        out.action = Action::Print;
        out.text = about.printFlag.text();
        return out;
    }
    out.words = app.remaining();
    if (check) out.action = Action::CheckConfig;
    if (app.count("--config") > 0) {
        out.sources.file = file;
        out.sources.fileRequired = true;
    }
    for (const auto& assignment : sets) {
        const auto equals = assignment.find('=');
        if (equals == assignment.npos)
            return fail(ErrorCode::Invalid, "--set {}: write --set section.key=value", assignment);
        out.sources.set.emplace_back(assignment.substr(0, equals), assignment.substr(equals + 1));
    }
    return out;
}

Environment midonetEnvironment() {
    Environment out;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const auto equals = text.find('=');
        if (!text.starts_with("MIDO_") || equals == text.npos) continue;
        out.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return out;
}

}  // namespace midonet::config
