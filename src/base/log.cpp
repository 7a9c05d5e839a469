#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <iterator>

namespace midonet {
namespace {

spdlog::level::level_enum toSpdlog(LogLevel level) {
    switch (level) {
        case LogLevel::Trace: return spdlog::level::trace;
        case LogLevel::Debug: return spdlog::level::debug;
        case LogLevel::Info: return spdlog::level::info;
        case LogLevel::Warn: return spdlog::level::warn;
        case LogLevel::Error: return spdlog::level::err;
        case LogLevel::Off: return spdlog::level::off;
    }
    return spdlog::level::info;
}

/// Leaked on purpose: threads may log while statics are being destroyed.
spdlog::logger& sink() {
    static auto* const logger = [] {
        auto* l = new spdlog::logger("midonet", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        l->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
        l->flush_on(spdlog::level::trace);
        return l;
    }();
    return *logger;
}

void appendValue(fmt::memory_buffer& line, std::string_view value) {
    if (!value.empty() && value.find_first_of(" \"=\n\t") == value.npos) {
        line.append(value);
        return;
    }
    line.push_back('"');
    for (const char c : value) {
        if (c == '"' || c == '\\') line.push_back('\\');
        if (c == '\n') {
            line.append(std::string_view("\\n"));
            continue;
        }
        line.push_back(c);
    }
    line.push_back('"');
}

void write(LogLevel level, std::string_view name, std::string_view message,
           std::initializer_list<LogField> fields) {
    auto& logger = sink();
    if (!logger.should_log(toSpdlog(level))) return;
    fmt::memory_buffer line;
    fmt::format_to(std::back_inserter(line), "{} {}", name, message);
    for (const auto& field : fields) {
        fmt::format_to(std::back_inserter(line), " {}=", field.key);
        appendValue(line, field.value);
    }
    logger.log(toSpdlog(level), std::string_view(line.data(), line.size()));
}

}  // namespace

void Logger::trace(std::string_view m, std::initializer_list<LogField> f) const { write(LogLevel::Trace, name_, m, f); }
void Logger::debug(std::string_view m, std::initializer_list<LogField> f) const { write(LogLevel::Debug, name_, m, f); }
void Logger::info(std::string_view m, std::initializer_list<LogField> f) const { write(LogLevel::Info, name_, m, f); }
void Logger::warn(std::string_view m, std::initializer_list<LogField> f) const { write(LogLevel::Warn, name_, m, f); }
void Logger::error(std::string_view m, std::initializer_list<LogField> f) const { write(LogLevel::Error, name_, m, f); }
bool Logger::enabled(LogLevel level) { return sink().should_log(toSpdlog(level)); }

void setLogLevel(LogLevel level) { sink().set_level(toSpdlog(level)); }

bool parseLogLevel(std::string_view text, LogLevel& level) {
    static constexpr std::pair<std::string_view, LogLevel> kNames[] = {
        {"trace", LogLevel::Trace}, {"debug", LogLevel::Debug}, {"info", LogLevel::Info},
        {"warn", LogLevel::Warn},   {"error", LogLevel::Error}, {"off", LogLevel::Off}};
    for (const auto& [name, value] : kNames) {
        if (name != text) continue;
        level = value;
        return true;
    }
    return false;
}

bool LogLimiter::allow(std::chrono::steady_clock::time_point now) {
    if (now - windowStart_ >= interval_) {
        windowStart_ = now;
        used_ = 0;
    }
    if (used_ < burst_) {
        ++used_;
        return true;
    }
    ++suppressed_;
    return false;
}

std::uint64_t LogLimiter::takeSuppressed() { return std::exchange(suppressed_, 0); }

}  // namespace midonet
