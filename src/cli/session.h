#pragma once

#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/matcher.h"
#include "cli/output.h"

namespace midonet::cli {

struct SessionOptions {
    std::string tenant = {};    ///< Empty: none.
    bool aliases = false;       ///< People get short names, scripts UUIDs.
    bool oneCommand = false;    ///< -e
    bool debug = false;
    OutputStyle style = {};
};

/// What a line is about.
struct Subject {
    Verb verb;
    /// Whose changes can change what it shows, as the change feed calls them.
    std::set<std::string, std::less<>> classes = {};
    /// It shows what the change feed does not tell, too.
    bool isLive = false;
};

/// Reads and executes lines.
class Session {
public:
    enum class Outcome : std::uint8_t {
        Nothing,    ///< An empty line, help.
        Succeeded,
        Failed,
        Ended,      ///< exit
        Lost,       ///< The server cannot be asked any more.
    };

    /// Answers go to `out`, hints and debugging to `err`.
    Session(Api& api, SessionOptions options, std::ostream& out, std::ostream& err);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Reads the root and the state of the system, whose information goes to `err`.
    Result<void> probe();
    Outcome run(std::string_view line);
    /// nullopt where the line cannot be read.
    std::optional<Subject> subjectOf(std::string_view line);
    /// What the last word of an unfinished line can be.
    std::vector<std::string> complete(std::string_view line);

private:
    Outcome execute(const Command& command);
    Result<void> perform(const Command& command);
    Result<void> list(const Command& command);
    Result<void> show(const Command& command);
    Result<void> create(const Command& command);
    Result<void> set(const Command& command);
    Result<void> clearFields(const Command& command);
    Result<void> describe(const Command& command);
    Result<void> trace(const Command& command);
    Result<void> help(const Command& command);
    void setTenant(const std::string& tenant);
    void setDebug(bool on);

    Outcome notUnderstood(const Matcher& matcher, const std::vector<std::string>& words);
    Outcome failed(const Error& error);
    Outcome lost();

    Api& api_;
    SessionOptions options_;
    std::ostream& out_;
    std::ostream& err_;
    Objects objects_;
    Names names_;
    Output output_;
};

}  // namespace midonet::cli
