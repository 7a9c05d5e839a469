#include "cli/changes.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

namespace midonet::cli {

namespace json = boost::json;

namespace {

/// The server breaks its silence several times within it.
constexpr auto kLongestSilence = std::chrono::seconds{60};

}  // namespace

Changes::News Changes::next(event::Duration wait) {
    if (!reading_) return begin();
    const auto piece = api_.more(wait);
    if (!piece || !*piece) return lose();
    silence_ = (*piece)->empty() ? silence_ + wait : event::Duration{};
    if (silence_ > kLongestSilence) return lose();
    return read(**piece) ? News::Some : News::None;
}

Changes::News Changes::begin() {
    const auto status = api_.open(revision_ ? fmt::format("{}&since={}", uri_, *revision_) : uri_);
    if (!status) return News::Lost;
    if (*status == 410 && std::exchange(revision_, std::nullopt)) return begin();
    if (*status >= 500) return News::Untold;
    if (*status != 200) return News::Never;
    reading_ = true;
    silence_ = {};
    begun_.clear();
    return revision_ ? News::None : News::Some;
}

Changes::News Changes::lose() {
    reading_ = false;
    return News::Lost;
}

bool Changes::read(std::string_view piece) {
    begun_ += piece;
    bool changed = false;
    for (auto end = begun_.find('\n'); end != begun_.npos; end = begun_.find('\n')) {
        boost::system::error_code error;
        const auto line = json::parse(std::string_view{begun_}.substr(0, end), error);
        begun_.erase(0, end + 1);
        const auto* revision = error ? nullptr : line.is_object() ? line.get_object().if_contains("revision") : nullptr;
        const auto* changes = revision == nullptr ? nullptr : line.get_object().if_contains("changes");
        if (changes == nullptr || !changes->is_array()) continue;
        revision_ = revision->to_number<std::uint64_t>(error);
        changed = changed || !changes->get_array().empty();
    }
    return changed;
}

}  // namespace midonet::cli
