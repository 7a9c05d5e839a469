#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/command_line.h"
#include "config/settings.h"

namespace midonet::config {

/// Declares `log.level`, which every program has.
Setting<std::string> declareLogLevel(Settings& settings, std::string fallback = "info");

/// The shared start and end of a daemon. In main():
///
///     config::Settings settings;
///     const auto listen = settings.string("api.listen", "127.0.0.1:8181", "...");
///     config::Program program({"midonet-api", version, "...", "/etc/midonet/midonet-api.toml"}, settings);
///     if (const auto code = program.start(argc, argv)) return *code;
///     ...
///     program.notifyReady("midonet-api http://127.0.0.1:8181/midonet-api");
///
/// Main thread; reload() and the notifications on one thread at a time.
class Program {
public:
    Program(About about, Settings& settings);

    /// Reads the command line, the environment and the file; ignores SIGPIPE; raises the limits on
    /// descriptors and locked memory as far as allowed; sets the log level; logs version, limits and what
    /// is not at its default. An exit code when the program ends here: 0 after --help, --version or a good
    /// --check-config; 1 after a mistake, named on stderr with its fix.
    std::optional<int> start(int argc, const char* const* argv);

    /// What the command line holds besides settings; for a program that takes words (About). After start().
    const std::vector<std::string>& words() const { return words_; }

    /// Prints "ready `line`" on stdout, and READY=1 to the service manager (NOTIFY_SOCKET).
    void notifyReady(std::string_view line);
    /// STOPPING=1 to the service manager. At the beginning of an ordered end.
    void notifyStopping();

    /// For SIGHUP: reads the sources again. Live settings change; the log says which, and which wait for a
    /// restart. A mistake changes nothing and is logged.
    Result<Changes> reload();

    /// Before anything is made of the settings: what is kept elsewhere goes below the local sources
    /// (Settings::applyLayers()). The log says what has a new value, and what is refused and why.
    void applyLayers(std::vector<Layer> layers);
    /// When it changed, while the program runs: live settings change, the log names the others once. The file is not read again.
    void reloadLayers(std::vector<Layer> layers);
    /// Runs the program, whose error is that it cannot start: exit code 1. With settings from layers it is begun once more
    /// without them: a value that cannot be used on this machine keeps no program from starting.
    int run(const std::function<Result<void>()>& body);
    /// Settings that change at the next start only.
    const std::vector<std::string>& waiting() const { return waiting_; }

    /// Prints "`name`: `message`" on stderr; returns exit code 1. For what cannot even start.
    int refuse(const Error& error) const;

private:
    void logStart() const;
    void take(const Changes& changes);
    void applyLogLevel() const;

    About about_;
    Settings& settings_;
    Setting<std::string> logLevel_;
    Sources sources_;
    std::vector<std::string> words_;
    std::vector<std::string> waiting_;
    std::vector<std::string> refused_;
};

/// One datagram to the service manager, as sd_notify(3). Nothing when `socketPath` is empty.
/// '@' at the beginning = abstract socket.
Result<void> notifyServiceManager(std::string_view socketPath, std::string_view message);

}  // namespace midonet::config
