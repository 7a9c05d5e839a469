#include "cli/options.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "cli/values.h"

namespace midonet::cli {
namespace {

/// One setting in each of its sources.
struct SettingName {
    std::optional<std::string> ServerSettings::*member;
    std::string_view key;
    std::string_view variable;
};
constexpr std::array<SettingName, 7> kSettings{{
    {&ServerSettings::url, "api_url", "MIDO_API_URL"},
    {&ServerSettings::skipCertificateCheck, "disable_ssl_certificate_validation", "MIDO_DISABLE_SSL_CERTIFICATE_VALIDATION"},
    {&ServerSettings::caFile, "ca_file", "MIDO_CA_FILE"},
    {&ServerSettings::user, "username", "MIDO_USER"},
    {&ServerSettings::password, "password", "MIDO_PASSWORD"},
    {&ServerSettings::project, "project_id", "MIDO_PROJECT_ID"},
    {&ServerSettings::tenant, "tenant", "MIDO_TENANT"},
}};

struct Option {
    std::string_view longName;
    char shortName;             ///< 0: none.
    std::string_view argument;  ///< As usage shows it; empty: a flag; "[N]": a number that may be left out.
    std::string_view purpose;
    Result<void> (*apply)(Options& options, const std::string& value);
};

template <bool Options::*Flag, bool Value = true>
Result<void> setFlag(Options& options, const std::string& /*value*/) {
    options.*Flag = Value;
    return {};
}
template <std::optional<std::string> ServerSettings::*Member>
Result<void> setServer(Options& options, const std::string& value) {
    options.server.*Member = value;
    return {};
}
Result<void> setWatch(Options& options, const std::string& value) {
    options.watch = true;
    if (value.empty()) return {};
    unsigned seconds = 0;
    const auto [end, wrong] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (wrong != std::errc{} || end != value.data() + value.size() || seconds == 0)
        return fail(ErrorCode::Invalid, "option --watch: invalid number of seconds: '{}'", value);
    options.watchSeconds = seconds;
    return {};
}

constexpr std::array<Option, 13> kOptions{{
    {"help", 'h', "", "show this text and end", setFlag<&Options::help>},
    {"no-auth", 'A', "", "require no user, project and password", setFlag<&Options::authentication, false>},
    {"midonet-url", 0, "URL", "root of the REST API", setServer<&ServerSettings::url>},
    {"disable_ssl_certificate_validation", 0, "V", "'true': do not check certificates", setServer<&ServerSettings::skipCertificateCheck>},
    {"ca-file", 0, "FILE", "PEM file of who may vouch for the server, in place of those the system knows", setServer<&ServerSettings::caFile>},
    {"user", 'u', "NAME", "user name", setServer<&ServerSettings::user>},
    {"project-id", 'i', "ID", "project to log in to", setServer<&ServerSettings::project>},
    {"tenant", 0, "ID", "current tenant of the session", setServer<&ServerSettings::tenant>},
    {"eval", 'e', "", "execute the words as one command and end", setFlag<&Options::oneCommand>},
    {"password", 'p', "", "ask for the password", setFlag<&Options::askPassword>},
    {"debug", 'd', "", "show the requests to the server", setFlag<&Options::debug>},
    {"json", 0, "", "print objects as the server shows them", setFlag<&Options::json>},
    {"watch", 0, "[N]", "with -e list or show: again when it changes, or every N seconds, until interrupted", setWatch},
}};

Result<const Option*> byName(std::string_view name) {
    std::vector<const Option*> found;
    for (const auto& option : kOptions) {
        if (option.longName == name) return &option;
        if (option.longName.starts_with(name)) found.push_back(&option);
    }
    if (found.size() == 1) return found.front();
    if (found.empty()) return fail(ErrorCode::Invalid, "no such option: --{}", name);
    std::string names;
    for (const auto* option : found) names += fmt::format("{}--{}", names.empty() ? "" : ", ", option->longName);
    return fail(ErrorCode::Invalid, "ambiguous option: --{} ({}?)", name, names);
}

/// Goes through the arguments once.
class Parser {
public:
    explicit Parser(const std::vector<std::string>& arguments) : arguments_(arguments) {}

    Result<Options> run() {
        while (at_ < arguments_.size()) {
            const auto& argument = arguments_[at_++];
            if (argument == "--") {
                options_.words.insert(options_.words.end(), arguments_.begin() + static_cast<std::ptrdiff_t>(at_), arguments_.end());
                break;
            }
            if (argument.starts_with("--")) {
                TRY_VOID(longOption(std::string_view{argument}.substr(2)));
            } else if (argument.size() > 1 && argument.starts_with('-')) {
                TRY_VOID(shortOptions(std::string_view{argument}.substr(1)));
            } else {
                options_.words.push_back(argument);
            }
        }
        return std::move(options_);
    }

private:
    Result<void> longOption(std::string_view text) {
        const auto equals = text.find('=');
        TRY(option, byName(text.substr(0, equals)));
        if (option->argument.empty()) {
            if (equals != text.npos) return fail(ErrorCode::Invalid, "--{} option does not take a value", option->longName);
            return option->apply(options_, {});
        }
        if (equals != text.npos) return option->apply(options_, std::string{text.substr(equals + 1)});
        if (option->argument.starts_with('[')) return option->apply(options_, nextIsNumber() ? arguments_[at_++] : std::string{});
        return withNext(*option, fmt::format("--{}", option->longName));
    }

    Result<void> shortOptions(std::string_view letters) {
        while (!letters.empty()) {
            const char letter = letters.front();
            letters.remove_prefix(1);
            const auto* const option = std::find_if(kOptions.begin(), kOptions.end(), [&](const Option& o) { return o.shortName == letter; });
            if (option == kOptions.end()) return fail(ErrorCode::Invalid, "no such option: -{}", letter);
            if (option->argument.empty()) {
                TRY_VOID(option->apply(options_, {}));
                continue;
            }
            if (letters.empty()) return withNext(*option, fmt::format("-{}", letter));
            return option->apply(options_, std::string{letters});
        }
        return {};
    }

    bool nextIsNumber() const {
        return at_ < arguments_.size() && !arguments_[at_].empty() && arguments_[at_].find_first_not_of("0123456789") == std::string::npos;
    }

    Result<void> withNext(const Option& option, std::string_view spelled) {
        if (at_ == arguments_.size()) return fail(ErrorCode::Invalid, "{} option requires 1 argument", spelled);
        return option.apply(options_, arguments_[at_++]);
    }

    const std::vector<std::string>& arguments_;
    std::size_t at_ = 0;
    Options options_;
};

std::string_view trim(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r";
    const auto first = text.find_first_not_of(kBlanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

}  // namespace

ServerSettings ServerSettings::overlaidWith(const ServerSettings& stronger) const {
    auto out = *this;
    for (const auto& setting : kSettings)
        if (stronger.*setting.member) out.*setting.member = stronger.*setting.member;
    return out;
}

http::Trust ServerSettings::trust() const {
    return {.authorities = caFile.value_or(""), .anybody = http::equalNoCase(skipCertificateCheck.value_or(""), "true")};
}

Result<Options> parseOptions(const std::vector<std::string>& arguments) { return Parser(arguments).run(); }

std::string usage() {
    std::string out =
        "Usage: midonet-cli [options]                     a session; commands from stdin when it is no terminal\n"
        "       midonet-cli [options] -e WORD WORD ...    one command\n\nOptions:\n";
    for (const auto& option : kOptions) {
        auto spelled = option.shortName ? fmt::format("-{}, --{}", option.shortName, option.longName) : fmt::format("--{}", option.longName);
        if (!option.argument.empty()) spelled += fmt::format(" {}", option.argument);
        out += spelled.size() > 28 ? fmt::format("  {}\n{:32}{}\n", spelled, "", option.purpose) : fmt::format("  {:<30}{}\n", spelled, option.purpose);
    }
    out += "\nSettings, weakest source first: ~/.midonetrc (section [cli]), environment, options:\n";
    for (const auto& setting : kSettings) out += fmt::format("  {:<36}{}\n", setting.key, setting.variable);
    return out;
}

ServerSettings fromEnvironment(const Variables& environment) {
    ServerSettings out;
    for (const auto& setting : kSettings)
        if (const auto found = environment.find(setting.variable); found != environment.end()) out.*setting.member = found->second;
    return out;
}

ServerSettings fromIni(std::string_view text) {
    ServerSettings out;
    bool inSection = false;
    for (const auto raw : splitAt(text, '\n')) {
        const auto line = trim(raw);
        if (line.empty() || line.front() == '#' || line.front() == ';') continue;
        if (line.front() == '[') {
            inSection = line == "[cli]";
            continue;
        }
        const auto separator = line.find_first_of("=:");
        if (!inSection || separator == line.npos) continue;
        const auto key = lower(trim(line.substr(0, separator)));
        for (const auto& setting : kSettings)
            if (setting.key == key) out.*setting.member = std::string{trim(line.substr(separator + 1))};
    }
    return out;
}

std::optional<std::string> missing(const ServerSettings& settings, bool authentication) {
    const auto isUnset = [](const std::optional<std::string>& setting) { return !setting || setting->empty(); };
    if (isUnset(settings.url)) return "Missing: Midonet API URL";
    if (!authentication) return std::nullopt;
    if (isUnset(settings.user)) return "Missing: username";
    if (isUnset(settings.project)) return "Missing: Midonet Project ID";
    if (isUnset(settings.password)) return "No password given (add it to ~/.midonetrc or get a prompt using the -p option)";
    return std::nullopt;
}

}  // namespace midonet::cli
