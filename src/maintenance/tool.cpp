#include "maintenance/tool.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "maintenance/diff.h"
#include "maintenance/dump.h"
#include "maintenance/load.h"
#include "maintenance/status.h"
#include "maintenance/verify.h"
#include "nsdb/object_store.h"

namespace midonet::maintenance {
namespace {

/// Below what one request to ZooKeeper may hold (1 MiB, unless set otherwise).
constexpr std::size_t kRequestBytes = 512 << 10;
constexpr std::string_view kStandardStream = "-";

struct Arguments {
    std::vector<std::string> files;
    std::vector<std::string> options;
    bool has(std::string_view option) const { return std::find(options.begin(), options.end(), option) != options.end(); }
    std::string file(std::size_t index) const { return index < files.size() ? files[index] : std::string(kStandardStream); }
};

struct Command {
    std::string_view name;
    std::string_view files;  ///< As usage shows them.
    std::size_t leastFiles;
    std::size_t mostFiles;
    std::vector<std::string_view> options;
    std::string_view purpose;
    Result<ExitCode> (*run)(const ToolWorld&, const Arguments&);
};

/// A file is there whole or as it was: it has another name until it is complete. Devices and pipes are written as they are.
Result<void> writeFile(const std::string& path, const std::string& text) {
    std::error_code error;
    const auto target = std::filesystem::weakly_canonical(path, error).string();  // a link stays a link
    const bool replaced = !std::filesystem::exists(target, error) || std::filesystem::is_regular_file(target, error);
    const auto written = replaced ? target + ".tmp" : target;
    std::ofstream file(written, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (file && (!replaced || std::rename(written.c_str(), target.c_str()) == 0)) return {};
    const auto reason = errno;
    if (replaced) std::remove(written.c_str());
    return fail(ErrorCode::Unavailable, "{} cannot be written: {}", path, std::strerror(reason));
}

Result<Contents> readFile(const ToolWorld& world, const std::string& path) {
    if (path == kStandardStream) return readDump(world.in, world.schema);
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(ErrorCode::NotFound, "{} cannot be read: {}", path, std::strerror(errno));
    auto contents = readDump(file, world.schema);
    if (!contents) return Unexpected{contents.error().withContext(path)};
    return contents;
}

Result<ExitCode> runDump(const ToolWorld& world, const Arguments& arguments) {
    TRY(store, world.openExisting());
    TRY(text, dump(*store, world.schema, {std::chrono::system_clock::now(), arguments.has("--with-leased")}));
    if (const auto file = arguments.file(0); file != kStandardStream) {
        TRY_VOID(writeFile(file, text));
    } else if (!(world.out << text << std::flush)) {
        return fail(ErrorCode::Unavailable, "the dump cannot be written: {}", std::strerror(errno));
    }
    return ExitCode::Fine;
}

Result<ExitCode> runLoad(const ToolWorld& world, const Arguments& arguments) {
    LoadOptions options;
    options.replace = arguments.has("--replace");
    if (options.replace && !arguments.has("--yes"))
        return fail(ErrorCode::Invalid, "--replace deletes all that is in the store: say --yes too");
    if (world.backend == "zookeeper") options.transactionBytes = kRequestBytes;
    TRY(contents, readFile(world, arguments.file(0)));
    TRY(store, world.openOrMake());
    TRY(report, load(*store, world.schema, contents, options));
    world.out << fmt::format("loaded {} objects and {} table entries in {} transactions\n", report.objects, report.entries,
                             report.transactions);
    return ExitCode::Fine;
}

void print(std::ostream& out, const Finding& finding, bool mendable) {
    out << fmt::format("{}\n    {}: {}\n", finding.what, mendable ? "gc" : "fix", finding.fix);
}

Result<ExitCode> runVerify(const ToolWorld& world, const Arguments&) {
    TRY(store, world.openExisting());
    TRY(image, readImage(nsdb::backendOf(*store), kAllRoots));
    const auto findings = verify(image, world.schema);
    for (const auto& finding : findings) print(world.out, finding, finding.mend != nullptr);
    world.out << (findings.empty() ? fmt::format("revision {}: nothing found\n", image.revision)
                                   : fmt::format("revision {}: {} findings\n", image.revision, findings.size()));
    return findings.empty() ? ExitCode::Fine : ExitCode::Found;
}

Result<ExitCode> runGc(const ToolWorld& world, const Arguments& arguments) {
    TRY(store, world.openExisting());
    if (arguments.has("--yes")) {
        TRY(collected, collectGarbage(*store, world.schema));
        for (const auto& finding : collected.left) print(world.out, finding, false);
        world.out << fmt::format("{} mended, {} left\n", collected.mended, collected.left.size());
        return collected.left.empty() ? ExitCode::Fine : ExitCode::Found;
    }
    TRY(image, readImage(nsdb::backendOf(*store), kAllRoots));
    std::size_t mendable = 0;
    for (const auto& finding : verify(image, world.schema)) {
        if (!finding.mend) continue;
        print(world.out, finding, true);
        ++mendable;
    }
    world.out << fmt::format("{} would be mended; say --yes to do it\n", mendable);
    return ExitCode::Fine;
}

Result<ExitCode> runDiff(const ToolWorld& world, const Arguments& arguments) {
    TRY(before, readFile(world, arguments.file(0)));
    Contents after;
    if (arguments.files.size() == 2) {
        TRY(other, readFile(world, arguments.file(1)));
        after = std::move(other);
    } else {
        TRY(store, world.openExisting());
        TRY(image, readImage(nsdb::backendOf(*store), kPersistentRoots));
        TRY(live, contentsOf(image, world.schema));
        after = std::move(live);
    }
    const auto lines = diff(before, after, world.schema);
    for (const auto& line : lines) world.out << line << '\n';
    return lines.empty() ? ExitCode::Fine : ExitCode::Found;
}

Result<ExitCode> runStatus(const ToolWorld& world, const Arguments&) {
    TRY(store, world.openExisting());
    TRY(image, readImage(nsdb::backendOf(*store), kRootsWithoutIndexes));
    world.out << fmt::format("{:<18} {}\n", "backend", world.backend);
    if (world.backend == "embedded")
        world.out << fmt::format("{:<18} {}\n{:<18} {} bytes\n", "path", world.path, "size", sizeOfFolder(world.path));
    world.out << describe(image, world.schema);
    return ExitCode::Fine;
}

const std::array<Command, 6>& commands() {
    static const std::array<Command, 6> kCommands{{
        {"dump", "[FILE]", 0, 1, {"--with-leased"}, "writes all objects as text; --with-leased: also what sessions own", runDump},
        {"load", "FILE|-", 1, 1, {"--replace", "--yes"}, "fills an empty store from a dump; --replace --yes: empties it first", runLoad},
        {"verify", "", 0, 0, {}, "finds what cannot be right; exit code 1 when there is anything", runVerify},
        {"diff", "FILE [FILE]", 1, 2, {}, "compares two dumps, or a dump with the store; exit code 1 when they differ", runDiff},
        {"gc", "", 0, 0, {"--yes"}, "shows which findings of verify it would mend; --yes: mends them", runGc},
        {"status", "", 0, 0, {}, "says what is in the store, and whose sessions", runStatus},
    }};
    return kCommands;
}

Result<Arguments> readArguments(const Command& command, const std::vector<std::string>& words) {
    Arguments out;
    for (auto word = words.begin() + 1; word != words.end(); ++word) {
        if (*word == kStandardStream || !word->starts_with('-')) {
            out.files.push_back(*word);
        } else if (std::find(command.options.begin(), command.options.end(), *word) == command.options.end()) {
            return fail(ErrorCode::Invalid, "{} has no option {}", command.name, *word);
        } else {
            out.options.push_back(*word);
        }
    }
    if (out.files.size() >= command.leastFiles && out.files.size() <= command.mostFiles) return out;
    return fail(ErrorCode::Invalid, "write: {} {}", command.name, command.mostFiles == 0 ? "without a file" : command.files);
}

Result<ExitCode> run(const ToolWorld& world, const std::vector<std::string>& words) {
    if (words.empty()) return fail(ErrorCode::Invalid, "which command? Commands:\n{}", toolUsage());
    const auto command = std::find_if(commands().begin(), commands().end(), [&](const Command& c) { return c.name == words.front(); });
    if (command == commands().end()) return fail(ErrorCode::Invalid, "there is no command {}. Commands:\n{}", words.front(), toolUsage());
    TRY(arguments, readArguments(*command, words));
    if (world.backend == "memory")
        return fail(ErrorCode::Invalid, "nsdb.backend = memory: such a store is seen by its own process alone; name another backend");
    return command->run(world, arguments);
}

}  // namespace

std::string toolUsage() {
    std::string out;
    for (const auto& command : commands())
        out += fmt::format("  {:<20} {}\n", fmt::format("{} {}", command.name, command.files), command.purpose);
    return out;
}

ExitCode runTool(const ToolWorld& world, const std::vector<std::string>& words) {
    const auto done = run(world, words);
    if (done) return *done;
    world.err << "midonet-nsdb: " << done.error().message << '\n';
    return ExitCode::Failed;
}

}  // namespace midonet::maintenance
