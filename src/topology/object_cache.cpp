#include "topology/object_cache.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "base/bytes.h"

namespace midonet::topology {
namespace {

/// Of an entry that is watched no more: equals no version that was read.
constexpr auto kDropped = std::numeric_limits<std::uint64_t>::max();

}  // namespace

std::size_t ObjectCache::KeyHash::operator()(const Key& key) const noexcept {
    // One class is read in a few ways only: the length of the name tells most of them apart.
    const auto how = (static_cast<std::uint64_t>(key.kind) << 8) | key.name.size();
    return combineHash(std::hash<Uuid>{}(key.id), reinterpret_cast<std::uintptr_t>(key.type) ^ how);
}

ObjectCache::ObjectCache(event::Loop& loop, nsdb::Store& store, std::function<void()> onChange)
    : loop_(loop), store_(store), onChange_(std::move(onChange)) {}

ObjectCache::~ObjectCache() {
    for (const auto& [key, entry] : entries_) entry->watch.reset();  // what was derived may hold the entry longer
}

void ObjectCache::beginRound() {
    ++round_;
    asked_ = 0;
    complete_ = true;
}

void ObjectCache::endRound() {
    if (asked_ == entries_.size()) return;
    boost::unordered::erase_if(entries_, [&](const auto& slot) {
        auto& entry = *slot.second;
        if (entry.round == round_) return false;
        entry.watch.reset();
        entry.version = kDropped;
        return true;
    });
}

const ObjectCache::Entry& ObjectCache::ask(const Key& key) {
    auto& slot = entries_[key];
    if (!slot) {
        slot = std::make_shared<Entry>();
        slot->watch = watch(key, *slot);
    }
    touch(*slot);
    if (recording_ != nullptr) recording_->add(slot);
    return *slot;
}

event::HandlePtr ObjectCache::watch(const Key& key, Entry& entry) {
    switch (key.kind) {
        case Kind::Object:
            return store_.watchObject(loop_, key.type, key.id,
                                      [this, &entry](std::shared_ptr<const nsdb::Message> object) { set(entry, std::move(object)); });
        case Kind::Referrers:
            return store_.watchReferrers(loop_, key.type, key.name, key.id, [this, &entry](std::vector<Uuid> ids) {
                std::sort(ids.begin(), ids.end());
                set(entry, std::make_shared<const std::vector<Uuid>>(std::move(ids)));
            });
        case Kind::State:
            return store_.watchState(loop_, key.type, key.id, key.name, [this, &entry](std::optional<std::string> bytes) {
                set(entry, bytes ? std::make_shared<const std::string>(std::move(*bytes)) : nullptr);
            });
    }
    MIDONET_UNREACHABLE();
}

void ObjectCache::set(Entry& entry, std::shared_ptr<const void> value) {
    entry.value = std::move(value);
    entry.version = ++lastVersion_;
    onChange_();
}

void ObjectCache::touch(Entry& entry) {
    if (entry.round != round_) {
        entry.round = round_;
        ++asked_;
    }
    if (!entry.loaded()) complete_ = false;
}

bool ObjectCache::stillHolds(const Reads& reads) {
    if (reads.entries_.empty()) return false;
    // None is asked for anew before all are known to be the same: what is read next may be something else.
    for (const auto& [entry, version] : reads.entries_)
        if (entry->version != version) return false;
    for (const auto& [entry, version] : reads.entries_) touch(*entry);
    return true;
}

}  // namespace midonet::topology
