#include "flowcontrol/meters.h"

#include <algorithm>

namespace midonet::flowcontrol {
namespace {

std::uint64_t hashOf(std::span<const flow::FlowTag> tags, std::uint64_t hash) {
    for (const auto tag : tags)
        if (tag.isMetered()) hash = combineHash(hash, tag.value());
    return hash;
}

}  // namespace

/// Of two paths with one hash the packets count for the first.
Meters::Path Meters::count(std::span<const flow::FlowTag> tags, std::span<const flow::FlowTag> moreTags, std::size_t bytes) {
    const auto hash = hashOf(moreTags, hashOf(tags, 0));
    const auto known = byHash_.find(hash);
    const auto path = known != byHash_.end() ? known->second : add(hash, tags, moreTags);
    paths_[path].count += {1, bytes};
    return path;
}

Meters::Path Meters::add(std::uint64_t hash, std::span<const flow::FlowTag> tags, std::span<const flow::FlowTag> moreTags) {
    if (idle_ > kIdlePaths && idle_ > paths_.size() / 2) forgetIdlePaths();
    const auto path = free_.empty() ? static_cast<Path>(paths_.size()) : free_.back();
    if (free_.empty())
        paths_.emplace_back();
    else
        free_.pop_back();
    auto& entry = paths_[path];
    entry.hash = hash;
    for (const auto some : {tags, moreTags})
        std::copy_if(some.begin(), some.end(), std::back_inserter(entry.tags), [](auto tag) { return tag.isMetered(); });
    std::sort(entry.tags.begin(), entry.tags.end());
    entry.tags.erase(std::unique(entry.tags.begin(), entry.tags.end()), entry.tags.end());
    byHash_.emplace(hash, path);
    ++idle_;
    return path;
}

void Meters::hold(Path path) {
    if (paths_[path].flows++ == 0) --idle_;
}

void Meters::release(Path path, const MeterCount& flow) {
    paths_[path].count += flow;
    if (--paths_[path].flows == 0) ++idle_;
}

MeterCounts Meters::read(std::span<const MeterCount> live) const {
    auto out = ended_;
    for (std::size_t path = 0; path < paths_.size(); ++path) {
        auto count = paths_[path].count;
        if (path < live.size()) count += live[path];
        for (const auto tag : paths_[path].tags) out[tag] += count;
    }
    return out;
}

/// Their counts stay. Of more meters than a host can have devices, most are of devices that are gone: then all begin anew.
void Meters::forgetIdlePaths() {
    for (Path path = 0; path < paths_.size(); ++path) {
        auto& entry = paths_[path];
        if (entry.flows > 0 || entry.tags.empty()) continue;
        for (const auto tag : entry.tags) ended_[tag] += entry.count;
        byHash_.erase(entry.hash);
        entry = {};
        free_.push_back(path);
        --idle_;
    }
    if (ended_.size() > kMeters) ended_.clear();
}

}  // namespace midonet::flowcontrol
