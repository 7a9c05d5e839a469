#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"

namespace midonet::config {

/// Who a program is, for --help, --version and messages.
struct About {
    std::string name;     ///< "midolman"
    std::string version;  ///< "0.1.0"
    std::string purpose;  ///< One sentence.
    std::string defaultFile;  ///< Read when it exists and --config is not given: "/etc/midonet/midolman.toml".
    /// A tool: its own words and options stand among those every program knows (CommandLine::words).
    bool takesWords = false;
    std::string logLevel = "info";  ///< The default of log.level.
    std::string helpFlags = "-h,--help";
    std::string settingsOf{};  ///< The program whose settings these are, when it is another: its --help lists them.
    /// A flag of its own that prints a text and ends, as --version does; may be empty.
    struct PrintFlag {
        std::string flag;
        std::string help;
        std::function<std::string()> text;
    };
    PrintFlag printFlag = {};
};

/// What the caller of the program wants.
enum class Action : std::uint8_t {
    Run,
    CheckConfig,  ///< Print the effective settings and end.
    Print,        ///< Print `text` and end: --help, --version, About::printFlag.
};

struct CommandLine {
    Action action = Action::Run;
    std::string text;
    Sources sources;
    std::vector<std::string> words;  ///< What is left, when the program takes words; in order.
};

/// `--config FILE --set section.key=value --check-config --version --help`. Errors: unknown options,
/// `--set` without '='. Reads nothing but its arguments.
Result<CommandLine> parseCommandLine(const About& about, const Settings& settings,
                                     std::vector<std::string> arguments, Environment environment);

/// The process's environment, MIDO_ names only.
Environment midonetEnvironment();

}  // namespace midonet::config
