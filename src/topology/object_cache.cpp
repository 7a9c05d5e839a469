#include "topology/object_cache.h"

#include <algorithm>

#include "base/assert.h"
#include "base/bytes.h"

namespace midonet::topology {

Reads::~Reads() {
    if (cache_ != nullptr) cache_->release(*this, entries_);
}

std::size_t ObjectCache::KeyHash::operator()(const Key& key) const noexcept {
    // One class is read in a few ways only: the length of the name tells most of them apart.
    const auto how = (static_cast<std::uint64_t>(key.kind) << 8) | key.name.size();
    return combineHash(std::hash<Uuid>{}(key.id), reinterpret_cast<std::uintptr_t>(key.type) ^ how);
}

ObjectCache::ObjectCache(event::Loop& loop, nsdb::Store& store, std::function<void()> onChange)
    : loop_(loop), store_(store), onChange_(std::move(onChange)) {}

ObjectCache::~ObjectCache() { MIDONET_ASSERT(entries_.empty(), "something derived is older than what it was made of"); }

const ObjectCache::Entry& ObjectCache::ask(const Key& key) {
    MIDONET_ASSERT(recording_ != nullptr, "nobody to be told of changes");
    auto found = entries_.find(key);
    if (found == entries_.end()) {
        found = entries_.insert(std::make_unique<Entry>(key)).first;
        ++missing_;
        (*found)->watch = watch(**found);
    }
    auto& entry = **found;
    record(*recording_, entry);
    return entry;
}

event::HandlePtr ObjectCache::watch(Entry& entry) {
    const auto& key = entry.key;
    switch (key.kind) {
        case Kind::Object:
            return store_.watchObject(loop_, key.type, key.id,
                                      [this, &entry](std::shared_ptr<const nsdb::Message> object) { set(entry, std::move(object)); });
        case Kind::Referrers:
            return store_.watchReferrers(loop_, key.type, key.name, key.id, [this, &entry](std::vector<Uuid> ids) {
                static const auto kNone = std::make_shared<const std::vector<Uuid>>();
                std::sort(ids.begin(), ids.end());
                set(entry, ids.empty() ? kNone : std::make_shared<const std::vector<Uuid>>(std::move(ids)));
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
    if (!std::exchange(entry.loaded, true)) --missing_;
    for (auto* const reader : entry.readers) reader->forget();
    onChange_();
}

void ObjectCache::record(Reads& reads, Entry& entry) {
    reads.entries_.push_back(&entry);
    entry.readers.push_back(&reads);
}

bool ObjectCache::isLoaded(const Reads& reads) {
    return std::all_of(reads.entries_.begin(), reads.entries_.end(), [](const Entry* entry) { return entry->loaded; });
}

void ObjectCache::release(Reads& reads, const std::vector<Entry*>& entries) {
    for (auto* const entry : entries) {
        auto& readers = entry->readers;
        readers.erase(std::find(readers.begin(), readers.end(), &reads));
        if (!readers.empty()) continue;
        if (!entry->loaded) --missing_;
        entry->watch.reset();
        entries_.erase(entries_.find(entry->key));
    }
}

}  // namespace midonet::topology
