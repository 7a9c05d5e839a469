#include "flowcontrol/paths.h"

#include <algorithm>
#include <iterator>

namespace midonet::flowcontrol {

Paths::Path Paths::find(std::span<const flow::FlowTag> tags, std::span<const flow::FlowTag> moreTags) {
    Places places;
    for (const auto some : {tags, moreTags})
        std::copy_if(some.begin(), some.end(), std::back_inserter(places), [](auto tag) { return tag.isPlace(); });
    std::uint64_t hash = 0;
    for (const auto place : places) hash = combineHash(hash, place.value());
    // Another path with this hash: the next number is as good.
    for (auto known = byHash_.find(hash); known != byHash_.end(); known = byHash_.find(++hash))
        if (hasPlaces(known->second, places)) return known->second;
    return add(hash, places);
}

/// A flood passes hundreds: what comes again, and little does, is looked for; the rest is met in order.
bool Paths::hasPlaces(Path path, const Places& places) const {
    Places known;
    byPlace_.forEachTag(paths_[path].firstPlace, [&](auto tag) { known.push_back(tag); });
    std::reverse(known.begin(), known.end());
    auto next = known.begin();
    for (const auto place : places) {
        if (next != known.end() && *next == place)
            ++next;
        else if (std::find(known.begin(), next, place) == next)
            return false;
    }
    return next == known.end();
}

Paths::Path Paths::add(std::uint64_t hash, const Places& places) {
    if (idle_ > kIdlePaths && idle_ > used_ / 2) forgetIdle();
    const auto [path, entry] = paths_.take();
    entry = {};
    entry.hash = hash;
    entry.used = true;
    for (const auto place : places) byPlace_.add(place, path, entry.firstPlace);
    byHash_.emplace(hash, path);
    ++used_;
    ++idle_;
    return path;
}

void Paths::hold(Path path) {
    if (paths_[path].flows++ == 0) --idle_;
}

void Paths::release(Path path, const MeterCount& flow) {
    auto& entry = paths_[path];
    entry.count += flow;
    if (--entry.flows == 0) ++idle_;
}

void Paths::addTo(MeterCounts& meters, const Entry& entry, const MeterCount& count) const {
    byPlace_.forEachTag(entry.firstPlace, [&](auto tag) {
        if (tag.isMetered()) meters[tag] += count;
    });
}

MeterCounts Paths::read(std::span<const MeterCount> live) const {
    auto out = ended_;
    for (Path path = 0; path < paths_.size(); ++path) {
        const auto& entry = paths_[path];
        if (!entry.used) continue;
        auto count = entry.count;
        if (path < live.size()) count += live[path];
        addTo(out, entry, count);
    }
    return out;
}

/// Their counts stay. Of more meters than a host can have devices, most are of devices that are gone: then all begin anew.
void Paths::forgetIdle() {
    for (Path path = 0; path < paths_.size(); ++path) {
        auto& entry = paths_[path];
        if (!entry.used || entry.flows > 0) continue;
        addTo(ended_, entry, entry.count);
        byPlace_.drop(entry.firstPlace);
        byHash_.erase(entry.hash);
        entry.used = false;
        paths_.release(path, entry);
        --used_;
        --idle_;
    }
    if (ended_.size() > kMeters) ended_.clear();
}

void Paths::giveBackMemory() {
    forgetIdle();
    paths_.giveBack();
    byPlace_.giveBackMemory();
    byHash_.rehash(0);
}

}  // namespace midonet::flowcontrol
