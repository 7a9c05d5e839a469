#pragma once

#include <fmt/core.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.h"

namespace midonet {

enum class LogLevel : std::uint8_t { Trace, Debug, Info, Warn, Error, Off };

/// One `key=value` of a log line. Values with blanks are quoted.
struct LogField {
    std::string_view key;
    std::string value;
};

template <class T>
LogField kv(std::string_view key, const T& value) {
    return {key, fmt::format("{}", value)};
}
inline LogField kv(std::string_view key, const Error& error) { return {key, error.message}; }

/// A named logger: `const Logger log{"host"}; log.info("port bound", {kv("port", id)});`
/// Cheap to make, safe on every thread; lines go to stderr as
/// `2026-01-31T12:00:00.123Z info host port bound port=...`.
class Logger {
public:
    constexpr explicit Logger(std::string_view name) : name_(name) {}

    void trace(std::string_view message, std::initializer_list<LogField> fields = {}) const;
    void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const;
    void info(std::string_view message, std::initializer_list<LogField> fields = {}) const;
    void warn(std::string_view message, std::initializer_list<LogField> fields = {}) const;
    void error(std::string_view message, std::initializer_list<LogField> fields = {}) const;
    /// Guards field formatting on hot paths: `if (log.enabled(LogLevel::Debug)) log.debug(...)`.
    static bool enabled(LogLevel level);

private:
    std::string_view name_;
};

/// Lets at most `burst` lines through per `interval`; for the packet path. Not thread-safe: one per
/// object of a loop. `suppressed` since the last line that passed is handed back for the log.
class LogLimiter {
public:
    explicit LogLimiter(std::chrono::steady_clock::duration interval, std::uint32_t burst = 1)
        : interval_(interval), burst_(burst) {}
    /// True when a line may be written at `now`.
    bool allow(std::chrono::steady_clock::time_point now);
    std::uint64_t takeSuppressed();

private:
    std::chrono::steady_clock::duration interval_;
    std::uint32_t burst_;
    std::uint32_t used_ = 0;
    std::uint64_t suppressed_ = 0;
    std::chrono::steady_clock::time_point windowStart_{};
};

/// Process-wide level; Info at start. Safe on every thread.
void setLogLevel(LogLevel level);
/// Parses "trace" .. "off"; nullopt-like: false when the text is none of them.
bool parseLogLevel(std::string_view text, LogLevel& level);

}  // namespace midonet
