#pragma once

#include <optional>
#include <sstream>
#include <string>

#include "cli/changes.h"
#include "cli/program.h"
#include "cli/session.h"

namespace midonet::cli {

/// A `list` or `show` that is executed again and again (`--watch`), until the user ends it or it fails.
class Watch {
public:
    /// The session writes to `screen`, which ends up in `world.out`.
    Watch(Session& session, std::string line, std::ostringstream& screen, World& world)
        : session_(session), line_(std::move(line)), screen_(screen), world_(world) {}

    /// Printed each time.
    ExitCode every(event::Duration time);
    /// Printed again when it is another: asked for when the server tells of a change, and from time to time where it cannot tell.
    ExitCode whenChanged(Api& api, const std::string& changesUri, const Subject& subject);

private:
    enum class Print : std::uint8_t { Always, WhenOther };
    ExitCode look(Print print);

    Session& session_;
    const std::string line_;
    std::ostringstream& screen_;
    World& world_;
    std::optional<std::string> printed_;
};

}  // namespace midonet::cli
