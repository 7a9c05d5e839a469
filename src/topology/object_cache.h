#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
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

class Reads;
template <class T>
struct Derived;

/// The part of the NSDB that somebody is interested in, known by being asked for: asking gives the present value and
/// starts a watch when there is none; it ends with the last computation that read it. Only computations may ask
/// (derive()). `onChange` is called when a value that is watched changes or is there for the first time, after those
/// who read it were told that they are stale.
///
/// Values are held by pointer: one that did not change is the same pointer. Belongs to one loop; outlives what is derived.
class ObjectCache {
public:
    ObjectCache(event::Loop& loop, nsdb::Store& store, std::function<void()> onChange);
    ~ObjectCache();
    ObjectCache(const ObjectCache&) = delete;
    ObjectCache& operator=(const ObjectCache&) = delete;

    /// All that was asked for is loaded.
    bool complete() const { return missing_ == 0; }

    template <class T>
    Cached<T> object(const Uuid& id) {
        const auto& found = ask({Kind::Object, T::descriptor(), {}, id});
        return {std::static_pointer_cast<const T>(std::static_pointer_cast<const nsdb::Message>(found.value)), found.loaded};
    }
    /// Objects of class T whose reference `field` (a literal) names `target`, ordered.
    template <class T>
    Cached<std::vector<Uuid>> referrers(std::string_view field, const Uuid& target) {
        const auto& found = ask({Kind::Referrers, T::descriptor(), field, target});
        return {std::static_pointer_cast<const std::vector<Uuid>>(found.value), found.loaded};
    }
    /// State `key` (a literal) of an object of class T.
    template <class T>
    Cached<std::string> state(const Uuid& id, std::string_view key) {
        const auto& found = ask({Kind::State, T::descriptor(), key, id});
        return {std::static_pointer_cast<const std::string>(found.value), found.loaded};
    }

    /// Runs `make` (which asks this cache and returns a shared_ptr, nullptr for what does not exist) if what it was made of
    /// is stale. An equal result keeps its pointer. Inside of another computation, that one has read the same.
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
    struct Entry {
        explicit Entry(const Key& k) : key(k) {}
        const Key key;
        std::shared_ptr<const void> value;
        bool loaded = false;
        event::HandlePtr watch;
        std::vector<Reads*> readers;  // each as often as it read this
    };
    using EntryPtr = std::unique_ptr<Entry>;
    struct KeyHash {
        using is_transparent = void;
        std::size_t operator()(const Key& key) const noexcept;
        std::size_t operator()(const EntryPtr& entry) const noexcept { return (*this)(entry->key); }
    };
    struct KeyEqual {
        using is_transparent = void;
        bool operator()(const EntryPtr& a, const EntryPtr& b) const { return a->key == b->key; }
        bool operator()(const Key& a, const EntryPtr& b) const { return a == b->key; }
        bool operator()(const EntryPtr& a, const Key& b) const { return a->key == b; }
    };

    const Entry& ask(const Key& key);
    event::HandlePtr watch(Entry& entry);
    void set(Entry& entry, std::shared_ptr<const void> value);
    static void record(Reads& reads, Entry& entry);
    static bool isLoaded(const Reads& reads);
    void release(Reads& reads, const std::vector<Entry*>& entries);

    event::Loop& loop_;
    nsdb::Store& store_;
    const std::function<void()> onChange_;
    boost::unordered_flat_set<EntryPtr, KeyHash, KeyEqual> entries_;
    std::size_t missing_ = 0;  // entries that are not loaded
    Reads* recording_ = nullptr;
};

/// What a computation read of an ObjectCache. As long as it lives these values are watched; when one of them changes, it is
/// stale until the computation runs again.
class Reads {
public:
    Reads() = default;
    Reads(const Reads&) = delete;
    Reads& operator=(const Reads&) = delete;

    /// The next ObjectCache::derive() makes the value anew.
    void forget() {
        if (!std::exchange(stale_, true)) onStale();
    }

protected:
    virtual ~Reads();

private:
    friend class ObjectCache;
    /// Told once for any number of changes.
    virtual void onStale() = 0;

    ObjectCache* cache_ = nullptr;
    std::vector<ObjectCache::Entry*> entries_;  // each as often as it was read
    bool stale_ = true;
};

/// Something made of values of an ObjectCache (ObjectCache::derive). Stays as it was while what it is to be
/// made of now is still being loaded.
template <class T>
struct Derived : Reads {
    std::shared_ptr<const T> value;  ///< nullptr: absent, or never loaded.
    bool loaded = false;             ///< All that it is made of was loaded once.
};

template <class T, class Make>
void ObjectCache::derive(Derived<T>& derived, Make make) {
    Reads* const outer = std::exchange(recording_, &derived);
    if (derived.stale_) {
        derived.cache_ = this;
        derived.stale_ = false;
        // What is read again stays watched meanwhile.
        const auto readBefore = std::exchange(derived.entries_, {});
        std::shared_ptr<const T> made = make();
        release(derived, readBefore);
        if (isLoaded(derived)) {
            const bool same = made && derived.value && *made == *derived.value;
            if (!same) derived.value = std::move(made);
            derived.loaded = true;
        }
    }
    recording_ = outer;
    if (outer == nullptr) return;
    for (auto* const entry : derived.entries_) record(*outer, *entry);
}

}  // namespace midonet::topology
