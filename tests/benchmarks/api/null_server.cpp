// The yardstick of the API benchmark: the same HTTP server with a handler that does nothing but answer
// the text given on the command line.
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "event/loop.h"
#include "http/server.h"

using namespace midonet;

int main(int argc, char** argv) {
    const std::string body = argc > 1 ? argv[1] : "{}";
    const auto loop = event::Loop::create("null");
    const auto server = http::Server::listen({loop.get()}, {}, [&body](const http::RequestPtr&, const http::Responder& answer) {
        answer(http::Response::text(200, "application/json", body));
    });
    if (!server) {
        std::fprintf(stderr, "api_null_server: %s\n", server.error().message.c_str());
        return 1;
    }
    const auto end = loop->onSignal({SIGTERM, SIGINT}, [&loop](int) { loop->stop(); });
    std::printf("ready null http://%s/\n", (*server)->address().c_str());
    std::fflush(stdout);
    loop->run();
    return 0;
}
