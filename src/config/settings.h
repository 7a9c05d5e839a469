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
#include "config/toml_file.h"

namespace midonet::config {

/// Where a value may come from, weakest first.
enum class Origin : std::uint8_t { Default, Layer, File, Environment, CommandLine };

/// Everything about a setting but its type.
struct SettingInfo {
    std::string key;  ///< "section.key"
    std::string doc;
    std::string kind;         ///< For people: "integer 1..65535", "duration", "ebpf | ovs".
    std::string defaultText;  ///< As one would write it behind `--set key=`.
    bool bare = false;        ///< In a file without quotes: a whole number, true or false.
    bool live = false;        ///< May change while the program runs.
    bool secret = false;      ///< Never printed.
    bool local = false;       ///< Never taken from a layer.
    Origin origin = Origin::Default;
    std::string source;  ///< "default", "/etc/midonet/midolman.toml:3", "NSDB template default", "MIDO_NSDB_PATH", "--set".
    std::string text;    ///< The effective value as text.
};

namespace detail {

enum class FileType : std::uint8_t { String, Integer, Boolean, StringOrInteger };

struct Slot {
    virtual ~Slot() = default;
    virtual Result<void> validate(std::string_view text) const = 0;
    virtual void stage(std::string_view text) = 0;  // one that validate() lets pass
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
    Result<void> validate(std::string_view text) const override {
        const auto parsed = parse(text);
        if (!parsed) return Unexpected{parsed.error()};
        return {};
    }
    void stage(std::string_view text) override { staged = *parse(text); }
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
    /// Belongs to one machine, or is needed before any layer can be read: layers cannot set it.
    Setting& local() {
        slot_->info.local = true;
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

/// Values that many machines share, or that are kept elsewhere for this one. Below the local sources.
struct Layer {
    std::string name;  ///< For people: "NSDB template default".
    std::map<std::string, std::string, std::less<>> values;  ///< By key, each as behind `--set key=`.
};

/// What became of new sources or layers.
struct Changes {
    std::vector<std::string> applied;       ///< Settings that have a new value.
    std::vector<std::string> needsRestart;  ///< Settings that differ now but are not live.
    std::vector<std::string> refused;       ///< Values of layers that are not taken, and why; one line each.
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

    /// Puts layers, weakest first, in the place of those of before: above the defaults, below the local sources, which stay
    /// as they were read. No value of a layer is a mistake: one that is unknown, bad, local(), or breaks a check is refused by
    /// itself, and what is below it counts. Sections of which nothing is declared are those of other programs.
    Changes applyLayers(std::vector<Layer> layers);
    /// applyLayers() for a running program: only live settings change.
    Changes reloadLayers(std::vector<Layer> layers);

    /// Whether the setting `value.key` can have this value; NotFound, with the closest key, when there is no such setting.
    Result<void> validate(const FileValue& value) const;
    /// The same of a text as behind `--set key=`.
    Result<void> validate(std::string_view key, std::string_view text) const;
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
    /// A value of a source that was found good.
    struct Assignment {
        detail::Slot* slot;
        std::string text;
        Origin origin;
        std::string source;
        bool taken = true;
        std::string problem = {};  ///< Why it is not.
    };
    using Assignments = std::vector<Assignment>;
    enum class Scope : std::uint8_t { All, Live };

    detail::Slot* find(std::string_view key) const;
    std::string closest(std::string_view key) const;
    bool knowsSectionOf(std::string_view key) const;
    Result<Assignments> readSources(const Sources& sources) const;
    void readFileInto(Assignments& out, const Sources& sources, std::vector<std::string>& mistakes) const;
    void readEnvironmentInto(Assignments& out, const Sources& sources, std::vector<std::string>& mistakes) const;
    void readSetInto(Assignments& out, const Sources& sources, std::vector<std::string>& mistakes) const;
    static void take(Assignments& out, detail::Slot& slot, std::string_view text, Origin origin, std::string source,
                     std::vector<std::string>& mistakes);
    static Result<void> validateText(const detail::Slot& slot, std::string_view text);
    Result<detail::Slot*> known(std::string_view key) const;
    Assignments readLayers(const std::vector<Layer>& layers, std::vector<std::string>& refused) const;
    Result<Changes> reload(const Sources& sources, Scope scope);
    Changes replaceLayers(std::vector<Layer> layers, Scope scope);
    Result<Changes> settle(Scope scope);
    void takeOneByOne();
    void stage();
    Result<void> runChecks() const;
    Result<void> tryAll();
    Result<void> commit(Scope scope);

    std::vector<std::shared_ptr<detail::Slot>> slots_;
    std::vector<Layer> layers_;
    Assignments ofLayers_;  // weakest first, as staged
    Assignments local_;
    std::vector<std::function<Result<void>()>> checks_;
};

}  // namespace midonet::config
