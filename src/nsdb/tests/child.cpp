// A process of its own for the tests that kill, freeze and crowd: says what it does, line by line, on
// stdout. Usage: nsdb_child ACTION STORE ARGUMENTS...
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "base/log.h"
#include "model/ids.h"
#include "nsdb/embedded/embedded_backend.h"
#include "nsdb/zookeeper/zookeeper_backend.h"
#include "world.h"

namespace midonet::nsdb {
namespace {

using fleet::Harbour;
using fleet::Ship;
using Arguments = std::vector<std::string>;

void say(const std::string& line) {
    std::fputs((line + "\n").c_str(), stdout);
    std::fflush(stdout);
}

[[noreturn]] void giveUp(const Error& error) {
    say("error " + error.message);
    std::_Exit(1);
}

/// "zookeeper:HOSTS/ROOT", or the folder of an embedded store.
Result<std::unique_ptr<Backend>> makeBackend(const std::string& path) {
    constexpr std::string_view kZookeeper = "zookeeper:";
    if (!path.starts_with(kZookeeper)) return embedded::makeBackend({.path = path, .mapSize = std::size_t{1} << 30});
    const auto slash = path.find('/');
    return zookeeper::makeBackend({.hosts = path.substr(kZookeeper.size(), slash - kZookeeper.size()), .root = path.substr(slash)});
}

std::unique_ptr<Store> openStore(const std::string& path) {
    auto backend = makeBackend(path);
    if (!backend) giveUp(backend.error());
    return makeObjectStore(std::move(*backend), fleetSchema());
}

/// The loop runs until stdin is closed.
void runUntilEof(event::Loop& loop) {
    const auto eof = loop.onReadable(STDIN_FILENO, [&] {
        char byte = 0;
        if (::read(STDIN_FILENO, &byte, 1) <= 0) loop.stop();
    });
    loop.run();
}

/// A harbour and three ships in it, all in one transaction; for ever. Says each number once durable.
int writeFleets(const Arguments& arguments) {
    const auto store = openStore(arguments[0]);
    for (int n = std::stoi(arguments[1]);; ++n) {
        const auto done = store->transact([&](Transaction& t) -> Result<void> {
            const auto id = Uuid::random();
            TRY_VOID(t.create(harbour(id, std::to_string(n))));
            for (int i = 0; i < 3; ++i) TRY_VOID(t.create(ship(Uuid::random(), id)));
            return {};
        });
        if (!done) giveUp(done.error());
        say(std::to_string(n));
    }
}

int increment(const Arguments& arguments) {
    const auto store = openStore(arguments[0]);
    const auto id = *Uuid::parse(arguments[1]);
    for (int n = std::stoi(arguments[2]); n > 0; --n) {
        const auto done = store->transact([&](Transaction& t) -> Result<void> {
            TRY(found, t.get<Ship>(id));
            auto next = *found.object;
            next.set_tonnage(next.tonnage() + 1);
            return t.update(next);
        });
        if (!done) giveUp(done.error());
    }
    say("done");
    return 0;
}

/// Holds the state "alive" of a ship and a table entry under a session with this ttl in ms, and perhaps a file.
int hold(const Arguments& arguments) {
    const auto store = openStore(arguments[0]);
    const auto id = *Uuid::parse(arguments[1]);
    const auto loop = event::Loop::create("child");
    const SessionOptions options{std::chrono::milliseconds(std::stoi(arguments[2])), arguments.size() > 3 ? arguments[3] : ""};
    const auto session = store->openSession(*loop, options);
    session->onConnectionChange([](bool connected) { say(connected ? "connected" : "lost"); });
    session->putState(Ship::descriptor(), id, "alive", "yes");
    session->learn("Ship/" + id.toString() + "/crew", "cook", "here");
    session->flush([] { say("holding"); });
    runUntilEof(*loop);
    return 0;
}

int watch(const Arguments& arguments) {
    const auto store = openStore(arguments[0]);
    const auto loop = event::Loop::create("child");
    const auto handle =
        store->watchObject(*loop, Ship::descriptor(), *Uuid::parse(arguments[1]), [](const auto& object) {
            say(object ? std::to_string(static_cast<const Ship&>(*object).tonnage()) : "-");
        });
    runUntilEof(*loop);
    return 0;
}

int opens(const Arguments& arguments) {
    openStore(arguments[0]);
    say("opened");
    return 0;
}

/// As another user.
int opensAsNobody(const Arguments& arguments) {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) giveUp({ErrorCode::Internal, "not root"});
    return opens(arguments);
}

Result<Revision> createLarge(Store& store, const Uuid& id) {
    return store.transact([&](Transaction& t) -> Result<void> {
        TRY_VOID(t.create(harbour(id)));
        for (int i = 0; i < 50; ++i) {
            auto large = ship(Uuid::random(), id);
            large.set_name(std::string(2000, 'x'));
            TRY_VOID(t.create(large));
        }
        return {};
    });
}

/// On a small tmpfs in a mount namespace of its own (root): fills it up, looks, makes it larger.
int fillDisk(const Arguments& arguments) {
    const auto& path = arguments[0];
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=4m") != 0)
        giveUp({ErrorCode::Internal, "a tmpfs cannot be mounted"});
    const auto store = openStore(path + "/store");
    std::size_t fleets = 0;
    Result<Revision> result;
    for (;; ++fleets) {
        result = createLarge(*store, Uuid::random());
        if (!result) break;
    }
    say(std::string(toString(result.error().code)));
    say(result.error().message);
    const auto look = [&] {
        const auto view = store->view();
        const auto harbours = (*view)->list<Harbour>();
        const auto ships = (*view)->list<Ship>();
        say(fmt::format("{} {} {}", fleets, harbours->size(), ships->size()));
    };
    look();
    if (::mount("tmpfs", path.c_str(), "tmpfs", MS_REMOUNT, "size=64m") != 0)
        giveUp({ErrorCode::Internal, "the tmpfs cannot be made larger"});
    result = createLarge(*store, Uuid::random());
    if (!result) giveUp(result.error());
    ++fleets;
    look();
    return 0;
}

int run(const std::string& action, const Arguments& arguments) {
    if (action == "write") return writeFleets(arguments);
    if (action == "increment") return increment(arguments);
    if (action == "hold") return hold(arguments);
    if (action == "watch") return watch(arguments);
    if (action == "open") return opens(arguments);
    if (action == "open-as-nobody") return opensAsNobody(arguments);
    if (action == "fill-disk") return fillDisk(arguments);
    return 2;
}

}  // namespace
}  // namespace midonet::nsdb

int main(int argc, char** argv) {
    midonet::setLogLevel(midonet::LogLevel::Error);
    return argc < 3 ? 2 : midonet::nsdb::run(argv[1], {argv + 2, argv + argc});
}
