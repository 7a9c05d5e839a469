// The command line of the REST API: one command, a script or a session.
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <memory>

#include "cli/interrupt.h"
#include "cli/program.h"
#include "http/client.h"

namespace {

midonet::cli::Variables environment() {
    midonet::cli::Variables out;
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const auto equals = text.find('=');
        if (equals != text.npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return out;
}

midonet::cli::Transport connect(const midonet::http::Trust& trust) {
    using namespace midonet;
    const auto client = std::make_shared<http::Client>(http::ClientOptions{.trust = trust});
    const auto stream = std::make_shared<http::Client>(http::ClientOptions{.trust = trust});
    return {.send = [client](const http::Request& request) { return client->send(request); },
            .open = [stream](const http::Request& request) { return stream->open(request); },
            .more = [stream](event::Duration wait) { return stream->more(wait); }};
}

}  // namespace

int main(int argc, char** argv) {
    using namespace midonet;
    std::signal(SIGPIPE, SIG_IGN);
    cli::World world{.connect = connect,
                     .pause = cli::pauseUnlessInterrupted,
                     .environment = environment(),
                     .in = std::cin,
                     .out = std::cout,
                     .err = std::cerr,
                     .terminalIn = ::isatty(STDIN_FILENO) == 1,
                     .terminalOut = ::isatty(STDOUT_FILENO) == 1};
    return static_cast<int>(cli::runProgram({argv + 1, argv + argc}, world));
}
