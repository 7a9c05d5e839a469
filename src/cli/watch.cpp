#include "cli/watch.h"

#include <fmt/ranges.h>

namespace midonet::cli {
namespace {

using News = Changes::News;
using namespace std::chrono_literals;

/// How long the user may have to wait for his Ctrl-C.
constexpr auto kSlice = 200ms;
/// Between two looks at what the server does not tell.
constexpr auto kLookAgain = 5s;
/// Changes that follow each other faster are one; a store that is never quiet is shown all the same.
constexpr auto kQuiet = 100ms;
constexpr int kMostAtOnce = 10;
/// How often a server that went is asked for again, once a second.
constexpr int kPatience = 30;

void gather(Changes& changes) {
    for (int more = 0; more < kMostAtOnce && changes.next(kQuiet) == News::Some;) ++more;
}

}  // namespace

ExitCode Watch::every(event::Duration time) {
    while (world_.pause({})) {
        if (const auto code = look(Print::Always); code != ExitCode::Good) return code;
        if (!world_.pause(time)) break;
    }
    return ExitCode::Good;
}

ExitCode Watch::whenChanged(Api& api, const std::string& changesUri, const Subject& subject) {
    Changes changes(api, changesUri, fmt::format("{}", fmt::join(subject.classes, ",")));
    bool isTold = !subject.classes.empty();
    int lost = 0;
    event::Duration unseen{};
    while (world_.pause({})) {
        bool due = !printed_;
        switch (isTold ? changes.next(kSlice) : News::Never) {
            case News::None:
                lost = 0;
                unseen += kSlice;
                due = due || (subject.isLive && unseen >= kLookAgain);
                break;
            case News::Some:
                lost = 0;
                if (printed_) gather(changes);
                due = true;
                break;
            case News::Lost:
                if (!due && !world_.pause(1s)) return ExitCode::Good;
                due = due || ++lost > kPatience;  // it fails, and says why
                break;
            case News::Never: isTold = false; [[fallthrough]];
            case News::Untold:
                if (!due && !world_.pause(kLookAgain)) return ExitCode::Good;
                due = true;
                break;
        }
        if (!due) continue;
        unseen = {};
        if (const auto code = look(Print::WhenOther); code != ExitCode::Good) return code;
    }
    return ExitCode::Good;
}

ExitCode Watch::look(Print print) {
    screen_.str({});
    const auto code = codeOf(session_.run(line_));
    auto text = screen_.str();
    const bool isOther = text != printed_;
    if (print == Print::Always || code != ExitCode::Good || isOther) {
        if (world_.terminalOut) world_.out << "\033[H\033[2J";
        world_.out << text << std::flush;
    }
    printed_ = std::move(text);
    return code;
}

}  // namespace midonet::cli
