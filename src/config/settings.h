#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace midonet::config {

/// Where a value may come from, weakest first.
enum class Origin : std::uint8_t { Default, File, Environment, CommandLine };

/// Everything about a setting but its type.
struct SettingInfo {
    std::string key;  ///< "section.key"
    std::string doc;
    std::string kind;         ///< For people: "integer 1..65535", "duration", "ebpf | ovs".
    std::string defaultText;  ///< As one would write it behind `--set key=`.
    bool live = false;        ///< reload() may change it.
    bool secret = false;      ///< Never printed.
    Origin origin = Origin::Default;
    std::string source;  ///< "default", "/etc/midonet/midolman.toml:3", "MIDO_NSDB_PATH", "--set".
    std::string text;    ///< The effective value as text.
};

namespace detail {

enum class FileType : std::uint8_t { String, Integer, Boolean, StringOrInteger };

struct Slot {
    virtual ~Slot() = default;
    virtual Result<void> stage(std::string_view text) = 0;
    virtual void stageDefault() = 0;
    virtual bool stagedDiffers() const = 0;
    virtual void commit() = 0;
    virtual void rollback() = 0;  // the last commit()
    virtual std::string valueText() const = 0;
    virtual std::string defaultText() const = 0;

    SettingInfo info;
    FileType fileType = FileType::String;
    Origin stagedOrigin = Origin::Default;
    std::string stagedSource;
};

template <class T>
struct TypedSlot final : Slot {
    Result<void> stage(std::string_view text) override {
        auto parsed = parse(text);
        if (!parsed) return Unexpected{std::move(parsed).error()};
        staged = std::move(*parsed);
        return {};
    }
    void stageDefault() override { staged = fallback; }
    bool stagedDiffers() const override { return staged != value; }
    void commit() override { previous = std::exchange(value, staged); }
    void rollback() override { value = previous; }
    std::string valueText() const override { return format(value); }
    std::string defaultText() const override { return format(fallback); }

    T value{};
    T previous{};
    T staged{};
    T fallback{};
    std::function<Result<T>(std::string_view)> parse;
    std::function<std::string(const T&)> format;
};

}  // namespace detail

/// One typed setting, cheap to copy. Holds its default until Settings::apply(). Reading is for the
/// thread that applies and reloads (the control loop); others get a copy of the value at start.
template <class T>
class Setting {
public:
    const T& operator*() const { return slot_->value; }
    const T* operator->() const { return &slot_->value; }
    const std::string& key() const { return slot_->info.key; }

    /// May change while the program runs.
    Setting& live() {
        slot_->info.live = true;
        return *this;
    }
    /// Its value is never printed.
    Setting& secret() {
        slot_->info.secret = true;
        return *this;
    }

private:
    friend class Settings;
    explicit Setting(std::shared_ptr<detail::TypedSlot<T>> slot) : slot_(std::move(slot)) {}
    std::shared_ptr<detail::TypedSlot<T>> slot_;
};

template <class T>
struct Range {
    T min;
    T max;
};

using Environment = std::map<std::string, std::string, std::less<>>;

/// What apply() reads, weakest first.
struct Sources {
    std::string file;           ///< TOML; empty = none.
    bool fileRequired = false;  ///< Else a missing file is as good as an empty one.
    Environment environment;    ///< Only names that begin with MIDO_ matter.
    std::vector<std::pair<std::string, std::string>> set;  ///< `--set`; the later one wins.
};

/// What reload() did.
struct Changes {
    std::vector<std::string> applied;       ///< Live settings that have a new value.
    std::vector<std::string> needsRestart;  ///< Settings that differ now but are not live.
};

/// The settings a program knows: declare them all, then apply() the sources. A key is
/// "section.key" of [a-z0-9_]; its environment name is MIDO_SECTION_KEY. One thread.
class Settings {
public:
    Setting<std::string> string(std::string key, std::string fallback, std::string doc);
    Setting<std::int64_t> integer(std::string key, std::int64_t fallback, Range<std::int64_t> range,
                                  std::string doc);
    Setting<bool> boolean(std::string key, bool fallback, std::string doc);
    /// Written "30s", "250ms" (units.h).
    Setting<std::chrono::nanoseconds> duration(std::string key, std::chrono::nanoseconds fallback,
                                               Range<std::chrono::nanoseconds> range,
                                               std::string doc);
    /// Bytes; written "8MiB" (units.h).
    Setting<std::uint64_t> size(std::string key, std::uint64_t fallback, Range<std::uint64_t> range,
                                std::string doc);
    /// One of `choices`.
    Setting<std::string> choice(std::string key, std::vector<std::string> choices,
                                std::string fallback, std::string doc);

    /// A condition on effective values, looked at by apply() and --check-config; the message names the fix.
    /// It sees the values through its settings.
    void check(std::function<Result<void>()> condition);

    /// Takes every setting from its strongest source. On any mistake nothing changes, and the
    /// message has one line for each: unknown keys (with the closest known one), bad values, checks that failed.
    Result<void> apply(const Sources& sources);
    /// apply() for a running program: only live settings change.
    Result<Changes> reload(const Sources& sources);

    /// All of them, in the order of declaration.
    std::vector<SettingInfo> list() const;
    /// `key = value  # source` lines, readable as TOML.
    std::string effectiveText() const;
    /// A paragraph for each: key, kind, default, documentation.
    std::string helpText() const;
    static std::string environmentName(std::string_view key);

private:
    template <class T>
    std::shared_ptr<detail::TypedSlot<T>> add(std::string key, T fallback, std::string doc);
    detail::Slot* find(std::string_view key);
    std::string closest(std::string_view key) const;
    void stageOne(detail::Slot& slot, std::string_view text, Origin origin, std::string source,
                  std::vector<std::string>& mistakes);
    void stageFile(const Sources& sources, std::vector<std::string>& mistakes);
    void stageEnvironment(const Sources& sources, std::vector<std::string>& mistakes);
    void stageSet(const Sources& sources, std::vector<std::string>& mistakes);
    std::vector<std::string> stageAll(const Sources& sources);
    Result<void> commit(const std::vector<detail::Slot*>& slots);

    std::vector<std::shared_ptr<detail::Slot>> slots_;
    std::vector<std::function<Result<void>()>> checks_;
};

}  // namespace midonet::config
