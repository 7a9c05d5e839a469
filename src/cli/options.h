#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client.h"

namespace midonet::cli {

/// What to talk to, and as whom. A source sets some of these; unset ones are nullopt.
struct ServerSettings {
    std::optional<std::string> url;
    std::optional<std::string> skipCertificateCheck;
    std::optional<std::string> caFile;
    std::optional<std::string> user;
    std::optional<std::string> password;
    std::optional<std::string> project;
    std::optional<std::string> tenant;

    /// Which https servers are believed.
    http::Trust trust() const;
    /// What `stronger` sets, and else this.
    ServerSettings overlaidWith(const ServerSettings& stronger) const;
};

/// The command line of midonet-cli.
struct Options {
    ServerSettings server;
    bool help = false;
    bool authentication = true;
    bool oneCommand = false;
    bool askPassword = false;
    bool debug = false;
    bool json = false;
    bool watch = false;
    std::optional<unsigned> watchSeconds;  ///< Of --watch, where it is given.
    std::vector<std::string> words;
};

/// Options before, between and behind the words; `--name=value`, `--name value`, unambiguous abbreviations, `-Ae`, `-uNAME`; `--` ends
/// them. Invalid: what the line does wrong.
Result<Options> parseOptions(const std::vector<std::string>& arguments);
std::string usage();

using Variables = std::map<std::string, std::string, std::less<>>;
ServerSettings fromEnvironment(const Variables& environment);
/// Section [cli] of an INI file (~/.midonetrc).
ServerSettings fromIni(std::string_view text);

/// The first thing that is missing to start with; nullopt: nothing.
std::optional<std::string> missing(const ServerSettings& settings, bool authentication);

}  // namespace midonet::cli
