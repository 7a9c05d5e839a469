#include "cli/program.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "cli/line_editor.h"
#include "cli/tokens.h"
#include "cli/watch.h"

namespace midonet::cli {
namespace {

constexpr const char* kPrompt = "midonet> ";

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

/// Whether the server is there, before anything else is asked.
ExitCode probe(Session& session, const Api& api, const SessionOptions& how, World& world) {
    const auto probed = session.probe();
    if (probed) return ExitCode::Good;
    world.err << probeFailure(api.lost()) << '\n' << (how.debug ? probed.error().message + "\n" : "");
    return ExitCode::Failed;
}

ExitCode runWatch(Api& api, const SessionOptions& how, const Options& options, World& world) {
    std::ostringstream screen;
    Session session(api, how, screen, world.err);
    if (const auto code = probe(session, api, how, world); code != ExitCode::Good) return code;
    const auto line = join(options.words);
    const auto subject = session.subjectOf(line);
    if (subject && subject->verb != Verb::List && subject->verb != Verb::Show) return refuse(world, "--watch repeats list and show only");
    Watch watch(session, line, screen, world);
    if (options.watchSeconds) return watch.every(std::chrono::seconds{*options.watchSeconds});
    return watch.whenChanged(api, api.url() + "/changes", subject.value_or(Subject{.verb = Verb::List}));
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
    if (!options->oneCommand && options->watch) return refuse(world, "--watch needs -e");
    const auto settings = settingsOf(*options, world);
    if (const auto what = missing(settings, options->authentication)) return refuse(world, *what);

    Api api(settings.url.value_or(""), credentialsOf(settings), world.connect(settings.trust()));
    const bool interactive = world.terminalIn && !options->oneCommand;
    const bool colours = world.terminalOut && variable(world, "NO_COLOR").empty();
    const SessionOptions how{.tenant = settings.tenant.value_or(""),
                             .aliases = interactive,
                             .oneCommand = options->oneCommand,
                             .debug = options->debug,
                             .style = {.colours = colours, .json = options->json}};
    if (options->watch) return runWatch(api, how, *options, world);
    Session session(api, how, world.out, world.err);
    if (const auto code = probe(session, api, how, world); code != ExitCode::Good) return code;
    if (options->oneCommand) return codeOf(session.run(join(options->words)));
    return interactive ? runInteractive(session, world) : runPlain(session, world);
}

ExitCode codeOf(Session::Outcome outcome) {
    return outcome == Session::Outcome::Failed || outcome == Session::Outcome::Lost ? ExitCode::Failed : ExitCode::Good;
}

}  // namespace midonet::cli
