#include "nsdb/zookeeper/log.h"

#include <algorithm>
#include <charconv>
#include <random>
#include <utility>

#include "nsdb/change_log.h"

namespace midonet::nsdb::zookeeper {
namespace {

using What = Client::Question::What;

/// Of the entries that are kept, as many may be there besides before one is removed.
constexpr std::size_t kPartsOfLog = 16;
/// In one multi; small, as others may be about the same ones.
constexpr std::size_t kTrimmedAtOnce = 64;

/// ZooKeeper counts in 32 bits and goes on with negative numbers.
std::uint32_t numberOf(std::string_view name) {
    std::int64_t number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    return static_cast<std::uint32_t>(number);
}

/// There are far fewer at a time than half of all numbers.
bool isOlder(std::string_view a, std::string_view b) { return static_cast<std::int32_t>(numberOf(a) - numberOf(b)) < 0; }

}  // namespace

/// Whoever comes while others read the log waits for one that begins then, together with all who do.
Result<LogPart> Log::changesSince(std::optional<Revision> since) {
    const auto arrival = ++arrivals_;
    const std::lock_guard lock(mutex_);
    if (covered_ < arrival) {
        covered_ = arrivals_;
        refreshed_ = refresh();
    }
    if (!refreshed_) return Unexpected{refreshed_.error()};
    return partSince(since);
}

std::vector<std::string> Log::namesOf(const std::optional<Client::Found>& folder) {
    std::vector<std::string> names;
    if (!folder) return names;
    for (const auto& child : folder->children)
        if (auto name = Paths::recordName(child)) names.push_back(std::move(*name));
    std::sort(names.begin(), names.end(), isOlder);
    return names;
}

Result<void> Log::refresh() {
    TRY(folder, client_.readSynced({{paths_.log(), What::Children}}));
    const auto names = namesOf(folder.front());
    // Entries come at the end and go at the beginning.
    const auto kept = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return !names.empty() && e.name == names.front(); });
    entries_.erase(entries_.begin(), kept);
    std::vector<Client::Question> questions;
    for (auto i = entries_.size(); i < names.size(); ++i) questions.push_back({pathOf(names[i]), What::Value});
    const auto first = entries_.size();
    TRY(found, client_.read(questions));
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i])
            entries_.push_back({names[first + i], static_cast<Revision>(found[i]->stat.modified), std::move(found[i]->value)});
        else
            entries_.clear();  // trimmed meanwhile, with all before it
    }
    return {};
}

Result<LogPart> Log::partSince(std::optional<Revision> since) const {
    const auto newest = entries_.empty() ? Revision{0} : entries_.back().revision;
    LogPart part;
    part.through = since.value_or(newest);
    // The first entry there ever was has the number 0.
    const bool trimmed = !entries_.empty() && numberOf(entries_.front().name) != 0;
    if (part.through > newest || (trimmed && part.through < entries_.front().revision)) return logForgotten(part.through);
    auto next = std::upper_bound(entries_.begin(), entries_.end(), part.through, [](Revision r, const Entry& e) { return r < e.revision; });
    for (; next != entries_.end() && next->value != kLogReset && !isFull(part); ++next) {
        part.through = next->revision;
        part.entries.push_back({next->revision, decodeLogged(next->value)});
    }
    part.more = next != entries_.end();
    if (part.more && part.entries.empty()) return logForgotten(part.through);
    return part;
}

bool Log::isTrimDue() const {
    thread_local std::minstd_rand random{std::random_device{}()};
    return std::uniform_int_distribution<std::size_t>(0, kept_ / kPartsOfLog)(random) == 0;
}

void Log::trim() {
    const auto folder = client_.read({{paths_.log(), What::Children}});
    if (!folder) return;
    const auto names = namesOf(folder->front());
    const auto excess = names.size() - std::min(names.size(), kept_);
    for (std::size_t i = 0; i < excess;) {
        std::vector<zk::Operation> steps;
        for (const auto end = std::min(i + kTrimmedAtOnce, excess); i < end; ++i)
            steps.push_back({zk::Operation::Kind::Delete, pathOf(names[i]), {}, zk::kAnyVersion});
        // Oldest first, and as a whole: who reads meanwhile misses none in between. Where others do the same, they go on.
        if (!client_.check(std::move(steps))) return;
    }
}

}  // namespace midonet::nsdb::zookeeper
