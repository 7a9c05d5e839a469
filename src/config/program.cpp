#include "config/program.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "base/log.h"
#include "base/scope_guard.h"

namespace midonet::config {
namespace {

const Logger kLog{"program"};

/// Enough for any host; more only makes loops over all descriptors slow.
constexpr rlim_t kDescriptorLimit = 1U << 20;

void raiseDescriptorLimit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kDescriptorLimit) return;
    rlimit wanted{kDescriptorLimit, std::max(limit.rlim_max, kDescriptorLimit)};
    if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) return;  // the hard limit too: needs privilege
    limit.rlim_cur = std::min(limit.rlim_max, kDescriptorLimit);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// BPF maps and rings count as locked memory on older kernels.
void raiseLockedMemoryLimit() {
    const rlimit wanted{RLIM_INFINITY, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_MEMLOCK, &wanted) == 0) return;
    rlimit limit{};
    if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_MEMLOCK, &limit);
}

std::string limitText(decltype(RLIMIT_NOFILE) resource) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0) return "unknown";
    return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : fmt::format("{}", limit.rlim_cur);
}

void print(std::FILE* out, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), out);
    std::fflush(out);
}

std::string_view serviceSocket() {
    const char* const path = std::getenv("NOTIFY_SOCKET");
    return path == nullptr ? std::string_view{} : std::string_view{path};
}

void tellServiceManager(std::string_view message) {
    if (const auto sent = notifyServiceManager(serviceSocket(), message); !sent)
        kLog.warn("service manager not told", {kv("reason", sent.error())});
}

std::string listed(const std::vector<std::string>& parts) { return fmt::format("{}", fmt::join(parts, ",")); }

/// Those of `now` that are not in `before`.
std::vector<std::string> newOnes(const std::vector<std::string>& now, const std::vector<std::string>& before) {
    std::vector<std::string> out;
    std::copy_if(now.begin(), now.end(), std::back_inserter(out),
                 [&](const auto& one) { return std::find(before.begin(), before.end(), one) == before.end(); });
    return out;
}

void logSetting(const SettingInfo& info) {
    kLog.info("setting", {kv("key", info.key), kv("value", info.secret ? "***" : info.text), kv("from", info.source)});
}

}  // namespace

Setting<std::string> declareLogLevel(Settings& settings, std::string fallback) {
    return settings
        .choice("log.level", {"trace", "debug", "info", "warn", "error", "off"}, std::move(fallback),
                "The least important lines that are logged.")
        .live();
}

Program::Program(About about, Settings& settings)
    : about_(std::move(about)), settings_(settings), logLevel_(declareLogLevel(settings, about_.logLevel)) {}

std::optional<int> Program::start(int argc, const char* const* argv) {
    auto line = parseCommandLine(about_, settings_, {argv + std::min(argc, 1), argv + argc},
                                 midonetEnvironment());
    if (!line) return refuse(line.error());
    if (line->action == Action::Print) {
        print(stdout, line->text);
        return 0;
    }
    if (const auto applied = settings_.apply(line->sources); !applied) return refuse(applied.error());
    if (line->action == Action::CheckConfig) {
        print(stdout, settings_.effectiveText());
        return 0;
    }
    sources_ = std::move(line->sources);
    words_ = std::move(line->words);
    std::signal(SIGPIPE, SIG_IGN);
    raiseDescriptorLimit();
    raiseLockedMemoryLimit();
    applyLogLevel();
    logStart();
    return std::nullopt;
}

void Program::notifyReady(std::string_view line) {
    print(stdout, fmt::format("ready {}\n", line));
    tellServiceManager(fmt::format("READY=1\nSTATUS={}", line));
}

void Program::notifyStopping() { tellServiceManager("STOPPING=1"); }

Result<Changes> Program::reload() {
    auto changes = settings_.reload(sources_);
    if (!changes) {
        kLog.error("settings not read again; the old ones stay", {kv("reason", changes.error())});
        return changes;
    }
    kLog.info("settings read again", {kv("changed", listed(changes->applied))});
    waiting_.clear();  // who asks is told again
    take(*changes);
    return changes;
}

void Program::applyLayers(std::vector<Layer> layers) { take(settings_.applyLayers(std::move(layers))); }
void Program::reloadLayers(std::vector<Layer> layers) { take(settings_.reloadLayers(std::move(layers))); }

/// What is refused, or waits, is said once.
void Program::take(const Changes& changes) {
    if (!Logger::enabled(LogLevel::Info)) applyLogLevel();  // else a log that falls silent says why
    for (const auto& info : settings_.list())
        if (std::find(changes.applied.begin(), changes.applied.end(), info.key) != changes.applied.end()) logSetting(info);
    for (const auto& reason : newOnes(changes.refused, refused_))
        kLog.warn("setting refused; what is below it counts", {kv("reason", reason)});
    if (const auto waiting = newOnes(changes.needsRestart, waiting_); !waiting.empty())
        kLog.warn("settings that take effect at the next start", {kv("settings", listed(waiting))});
    refused_ = changes.refused;
    waiting_ = changes.needsRestart;
    applyLogLevel();
}

int Program::run(const std::function<Result<void>()>& body) {
    auto done = body();
    const auto settings = settings_.list();
    const bool layered = std::any_of(settings.begin(), settings.end(), [](const auto& info) { return info.origin == Origin::Layer; });
    if (!done && layered) {
        kLog.error("cannot start with the settings of the NSDB; once more without them", {kv("reason", done.error())});
        settings_.applyLayers({});
        applyLogLevel();
        done = body();
    }
    return done ? 0 : refuse(done.error());
}

int Program::refuse(const Error& error) const {
    std::string_view rest = error.message;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        print(stderr, fmt::format("{}: {}\n", about_.name, rest.substr(0, end)));
        rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
    }
    return 1;
}

void Program::logStart() const {
    kLog.info("starting", {kv("program", about_.name), kv("version", about_.version),
                           kv("descriptors", limitText(RLIMIT_NOFILE)),
                           kv("locked_memory", limitText(RLIMIT_MEMLOCK))});
    for (const auto& info : settings_.list())
        if (info.origin != Origin::Default) logSetting(info);
}

void Program::applyLogLevel() const {
    LogLevel level = LogLevel::Info;
    if (parseLogLevel(*logLevel_, level)) setLogLevel(level);
}

Result<void> notifyServiceManager(std::string_view socketPath, std::string_view message) {
    if (socketPath.empty()) return {};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socketPath.size() >= sizeof address.sun_path)
        return fail(ErrorCode::Invalid, "NOTIFY_SOCKET {} is too long for a socket", socketPath);
    std::copy(socketPath.begin(), socketPath.end(), address.sun_path);
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
    const auto length =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socketPath.size());
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(ErrorCode::Unavailable, "no socket: {}", std::strerror(errno));
    const ScopeGuard close([fd] { ::close(fd); });
    if (::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&address), length) < 0)
        return fail(ErrorCode::Unavailable, "NOTIFY_SOCKET {}: {}", socketPath, std::strerror(errno));
    return {};
}

}  // namespace midonet::config
