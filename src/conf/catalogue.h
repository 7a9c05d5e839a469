#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/repository.h"
#include "conf/text.h"
#include "config/settings.h"

namespace midonet::conf {

/// The settings that the programs of this version declare: what the keys in the NSDB mean. Immutable; any thread.
class Catalogue {
public:
    /// The settings are declared, and nobody applies them.
    explicit Catalogue(config::Settings settings = {});

    const std::vector<config::SettingInfo>& settings() const { return list_; }
    /// nullptr when no program of this version declares it.
    const config::SettingInfo* find(std::string_view key) const;

    /// What a text says.
    struct Accepted {
        Values values;
        std::vector<std::string> unknown;  ///< Keys among them that no program of this version declares.
        std::vector<std::string> local;    ///< Keys that were left out.
    };
    /// Settings that a machine has from itself alone (SettingInfo::local) are a mistake in a text, or left out.
    enum class Local : bool { Refuse, LeaveOut };
    /// Reads a text (parseText()); Invalid with one line for each value that cannot be. `name` is for messages.
    Result<Accepted> accept(std::string_view text, std::string_view name, Local local = Local::Refuse) const;

    /// For showing; values of secrets as the beginning of their SHA-256.
    std::vector<Entry> entries(const Values& values, const std::string& source) const;
    /// The defaults.
    std::vector<Entry> defaults() const;
    /// What counts for a program that has no local settings: of every setting that is not local the value of the strongest
    /// layer that has a good one, or its default; then keys that are not known.
    std::vector<Entry> effective(const std::vector<config::Layer>& layers) const;

private:
    Entry entry(const std::string& key, const std::string& text, const std::string& source) const;
    bool isSecret(std::string_view key) const;
    Result<void> check(const config::FileValue& value) const;

    config::Settings settings_;
    std::vector<config::SettingInfo> list_;
};

}  // namespace midonet::conf
