#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/api.h"

namespace midonet::cli {

/// Tells that something changed: who reads the change feed of the API, and goes on where it was when the connection was lost. What
/// changed is not told; whoever wants to know asks the API.
class Changes {
public:
    enum class News : std::uint8_t {
        None,    ///< Nothing changed for as long as was waited.
        Some,    ///< Something changed, or may have.
        Lost,    ///< The server does not answer any more; asked again, it may.
        Untold,  ///< The server does not tell now.
        Never,   ///< The server has no such feed, or not for this user.
    };

    /// `classes` with commas between.
    Changes(Api& api, std::string uri, std::string classes) : api_(api), uri_(std::move(uri) + "?types=" + std::move(classes)) {}

    /// The first one is Some as soon as nothing is missed any more: what is asked for then is the state to begin with. A client
    /// that comes back after it was Lost hears of what changed meanwhile.
    News next(event::Duration wait);

private:
    News begin();
    News lose();
    /// True when a line among them has changes.
    bool read(std::string_view piece);

    Api& api_;
    const std::string uri_;
    bool reading_ = false;
    std::string begun_;                     ///< Of a line that has not come whole.
    std::optional<std::uint64_t> revision_;  ///< Of the last line; unset: begins with what comes next.
    event::Duration silence_{};
};

}  // namespace midonet::cli
