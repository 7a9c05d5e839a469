#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nsdb/store.h"

namespace midonet::topology {

/// A value of the NSDB as it is known here. Without a value it is absent or, when not `loaded`, not known yet.
template <class T>
struct Cached {
    std::shared_ptr<const T> value;
    bool loaded = false;
    explicit operator bool() const { return value != nullptr; }
    const T* operator->() const { return value.get(); }
    const T& operator*() const { return *value; }
};

/// What a computation read of an ObjectCache.
class Reads;

/// Something made of values of an ObjectCache (ObjectCache::derive). Stays as it was while what it is to be
/// made of now is still being loaded.
template <class T>
struct Derived;

/// The part of the NSDB that somebody is interested in, known by being asked for: asking gives the present value and
/// starts a watch when there is none; what is not asked for in a round is dropped with its watch at the end of
/// that round. `onChange` is called when a value that is watched changes or is there for the first time.
///
/// Values are held by pointer: one that did not change is the same pointer. Belongs to one loop.
class ObjectCache {
public:
    ObjectCache(event::Loop& loop, nsdb::Store& store, std::function<void()> onChange);
    ~ObjectCache();
    ObjectCache(const ObjectCache&) = delete;
    ObjectCache& operator=(const ObjectCache&) = delete;

    void beginRound();
    void endRound();
    std::uint64_t round() const { return round_; }
    /// All that was asked for in this round is loaded.
    bool complete() const { return complete_; }

    template <class T>
    Cached<T> object(const Uuid& id) {
        const auto& found = ask({Kind::Object, T::descriptor(), {}, id});
        return {std::static_pointer_cast<const T>(std::static_pointer_cast<const nsdb::Message>(found.value)), found.loaded()};
    }
    /// Objects of class T whose reference `field` (a literal) names `target`, ordered.
    template <class T>
    Cached<std::vector<Uuid>> referrers(std::string_view field, const Uuid& target) {
        const auto& found = ask({Kind::Referrers, T::descriptor(), field, target});
        return {std::static_pointer_cast<const std::vector<Uuid>>(found.value), found.loaded()};
    }
    /// State `key` (a literal) of an object of class T.
    template <class T>
    Cached<std::string> state(const Uuid& id, std::string_view key) {
        const auto& found = ask({Kind::State, T::descriptor(), key, id});
        return {std::static_pointer_cast<const std::string>(found.value), found.loaded()};
    }

    /// Runs `make` (which asks this cache and returns a shared_ptr, nullptr for what does not exist) unless all
    /// that it read the last time is unchanged; that counts as asked for then. An equal result keeps its pointer.
    template <class T, class Make>
    void derive(Derived<T>& derived, Make make);

private:
    friend class Reads;
    enum class Kind : std::uint8_t { Object, Referrers, State };
    struct Key {
        Kind kind;
        nsdb::Class type;
        std::string_view name;
        Uuid id;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept;
    };
    struct Entry {
        std::shared_ptr<const void> value;
        std::uint64_t version = 0;  // 0: not loaded
        std::uint64_t round = 0;    // when it was last asked for
        event::HandlePtr watch;
        bool loaded() const { return version != 0; }
    };
    using EntryPtr = std::shared_ptr<Entry>;

    const Entry& ask(const Key& key);
    event::HandlePtr watch(const Key& key, Entry& entry);
    void set(Entry& entry, std::shared_ptr<const void> value);
    void touch(Entry& entry);
    bool stillHolds(const Reads& reads);

    event::Loop& loop_;
    nsdb::Store& store_;
    const std::function<void()> onChange_;
    boost::unordered_flat_map<Key, EntryPtr, KeyHash> entries_;
    std::uint64_t lastVersion_ = 0;
    std::uint64_t round_ = 0;
    std::size_t asked_ = 0;  // entries, in this round
    bool complete_ = true;
    Reads* recording_ = nullptr;
};

class Reads {
public:
    /// The next derive() makes the value anew.
    void forget() { *this = {}; }
    bool complete() const { return complete_; }

private:
    friend class ObjectCache;
    void add(const ObjectCache::EntryPtr& entry) {
        entries_.emplace_back(entry, entry->version);
        complete_ = complete_ && entry->version != 0;
    }
    void add(const Reads& other) {
        entries_.insert(entries_.end(), other.entries_.begin(), other.entries_.end());
        complete_ = complete_ && other.complete_;
    }

    std::vector<std::pair<ObjectCache::EntryPtr, std::uint64_t>> entries_;
    bool complete_ = true;
};

template <class T>
struct Derived {
    Reads reads;
    std::shared_ptr<const T> value;  ///< nullptr: absent, or never loaded.
    bool loaded = false;             ///< All that it is made of was loaded once.
};

template <class T, class Make>
void ObjectCache::derive(Derived<T>& derived, Make make) {
    Reads* const outer = std::exchange(recording_, nullptr);
    if (!stillHolds(derived.reads)) {
        derived.reads.forget();
        recording_ = &derived.reads;
        std::shared_ptr<const T> made = make();
        if (derived.reads.complete()) {
            const bool same = made && derived.value && *made == *derived.value;
            if (!same) derived.value = std::move(made);
            derived.loaded = true;
        }
    }
    recording_ = outer;
    if (outer != nullptr) outer->add(derived.reads);
}

}  // namespace midonet::topology
