#include "cli/program.h"

#include <unistd.h>

#include <csignal>
#include <ctime>
#include <fstream>
#include <iterator>

#include "cli/line_editor.h"
#include "cli/session.h"
#include "cli/tokens.h"

namespace midonet::cli {
namespace {

constexpr const char* kPrompt = "midonet> ";

volatile std::sig_atomic_t interrupted = 0;

std::string variable(const World& world, std::string_view name) {
    const auto found = world.environment.find(name);
    return found == world.environment.end() ? std::string{} : found->second;
}

ServerSettings fromFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return fromIni(std::string(std::istreambuf_iterator<char>(file), {}));
}

ServerSettings settingsOf(const Options& options, const World& world) {
    auto settings = fromFile(variable(world, "HOME") + "/.midonetrc").overlaidWith(fromEnvironment(world.environment)).overlaidWith(options.server);
    if (options.askPassword && options.authentication && world.terminalIn)
        if (const char* password = ::getpass("Password: ")) settings.password = password;
    return settings;
}

std::optional<Credentials> credentialsOf(const ServerSettings& settings) {
    if (settings.user.value_or("").empty()) return std::nullopt;
    return Credentials{*settings.user, settings.password.value_or(""), settings.project.value_or("")};
}

ExitCode refuse(World& world, std::string_view why) {
    world.err << why << '\n';
    return ExitCode::Refused;
}

std::string_view probeFailure(Lost lost) {
    switch (lost) {
        case Lost::Credentials: return "Invalid credential. Wrong username/password. Bye.";
        case Lost::Connection: return "Connection to MidoNet API server refused. Bye.";
        case Lost::No: return "The API server failed to respond normally. The network DB is possibly down. Bye.";
    }
    return {};
}

ExitCode codeOf(Session::Outcome outcome) {
    return outcome == Session::Outcome::Failed || outcome == Session::Outcome::Lost ? ExitCode::Failed : ExitCode::Good;
}

/// The same command again and again; SIGINT ends it as it should.
ExitCode watch(Session& session, const std::string& line, unsigned seconds, World& world) {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    ::sigaction(SIGINT, &action, nullptr);
    while (true) {
        if (world.terminalOut) world.out << "\033[H\033[2J";
        const auto code = codeOf(session.run(line));
        world.out.flush();
        if (code != ExitCode::Good) return code;
        timespec left{static_cast<time_t>(seconds), 0};
        while (!interrupted && ::nanosleep(&left, &left) != 0) {
        }
        if (interrupted) return ExitCode::Good;
    }
}

ExitCode runOne(Session& session, const Options& options, World& world) {
    const auto line = join(options.words);
    const auto verb = options.watchSeconds ? session.verbOf(line) : std::nullopt;
    if (!verb) return codeOf(session.run(line));
    if (verb != Verb::List && verb != Verb::Show) return refuse(world, "--watch repeats list and show only");
    return watch(session, line, *options.watchSeconds, world);
}

/// Lines from a terminal or a pipe until they end.
ExitCode runSession(Session& session, const std::function<std::optional<std::string>()>& nextLine, World& world) {
    auto last = ExitCode::Good;
    while (true) {
        const auto line = nextLine();
        if (!line) {
            world.out << '\n';
            return last;
        }
        const auto outcome = session.run(*line);
        world.out.flush();
        if (outcome == Session::Outcome::Ended) return last;
        if (outcome != Session::Outcome::Nothing) last = codeOf(outcome);
        if (outcome == Session::Outcome::Lost) return last;
    }
}

ExitCode runPlain(Session& session, World& world) {
    const auto next = [&world]() -> std::optional<std::string> {
        world.out << kPrompt << std::flush;
        std::string line;
        return std::getline(world.in, line) ? std::optional{line} : std::nullopt;
    };
    return runSession(session, next, world);
}

ExitCode runInteractive(Session& session, World& world) {
    const auto editor = LineEditor::load([&session](const std::string& line) { return session.complete(line); });
    if (!editor) {
        world.err << editor.error().message << '\n';
        return runPlain(session, world);
    }
    return runSession(session, [&editor] { return (*editor)->read(kPrompt); }, world);
}

}  // namespace

ExitCode runProgram(const std::vector<std::string>& arguments, World& world) {
    const auto options = parseOptions(arguments);
    if (!options) return refuse(world, "Usage: midonet-cli [options] [-e WORD ...]\n\nmidonet-cli: error: " + options.error().message);
    if (options->help) {
        world.out << usage();
        return ExitCode::Good;
    }
    if (!options->oneCommand && !options->words.empty()) return refuse(world, "Unrecognized command");
    if (!options->oneCommand && options->watchSeconds) return refuse(world, "--watch needs -e");
    const auto settings = settingsOf(*options, world);
    if (const auto what = missing(settings, options->authentication)) return refuse(world, *what);

    Api api(settings.url.value_or(""), credentialsOf(settings), world.connect(settings.trust()));
    const bool interactive = world.terminalIn && !options->oneCommand;
    const bool colours = world.terminalOut && variable(world, "NO_COLOR").empty();
    Session session(api,
                    {.tenant = settings.tenant.value_or(""),
                     .aliases = interactive,
                     .oneCommand = options->oneCommand,
                     .debug = options->debug,
                     .style = {.colours = colours, .json = options->json}},
                    world.out, world.err);
    if (const auto probed = session.probe(); !probed) {
        world.err << probeFailure(api.lost()) << '\n' << (options->debug ? probed.error().message + "\n" : "");
        return ExitCode::Failed;
    }
    if (options->oneCommand) return runOne(session, *options, world);
    return interactive ? runInteractive(session, world) : runPlain(session, world);
}

}  // namespace midonet::cli
