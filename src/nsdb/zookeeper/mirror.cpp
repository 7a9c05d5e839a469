#include "nsdb/zookeeper/mirror.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "nsdb/zookeeper/leased_value.h"

namespace midonet::nsdb::zookeeper {
namespace {

constexpr Logger kLog{"nsdb"};
constexpr auto kWatch = zk::Session::Watch::Yes;

/// Closed, or one to be mended by hand: it is read again with the next connection.
bool cannotWatch(const Error& error) {
    if (error.code != ErrorCode::Unavailable) kLog.error("a watch cannot be set", {kv("reason", error)});
    return true;
}

Unexpected notLoaded() { return fail(ErrorCode::Unavailable, "not read from ZooKeeper yet"); }

}  // namespace

/// What LocalWatches read. Always the newest of the copy.
class MirrorSnapshot final : public Snapshot {
public:
    explicit MirrorSnapshot(std::shared_ptr<Mirror> mirror) : mirror_(std::move(mirror)) {}

    Revision revision() const override {
        const std::lock_guard lock(mirror_->mutex_);
        return mirror_->revision_;
    }
    Result<std::optional<Record>> get(std::string_view directory, std::string_view name) override {
        const std::lock_guard lock(mirror_->mutex_);
        const auto entry = mirror_->entries_.find(mirror_->paths_.record({std::string(directory), std::string(name)}));
        if (entry == mirror_->entries_.end()) return ofListed(directory, name);
        if (!entry->second.loaded) return notLoaded();
        if (entry->second.value == nullptr) return std::nullopt;
        last_ = entry->second.value;
        lastName_ = name;
        return Record{lastName_, *last_, entry->second.version, entry->second.lease};
    }
    Result<Revision> list(std::string_view directory, const std::function<void(const Record&)>& visit) override {
        std::vector<Mirror::Entry> found;
        {
            const std::lock_guard lock(mirror_->mutex_);
            const auto known = mirror_->directories_.find(mirror_->paths_.directory(directory));
            if (known == mirror_->directories_.end() || !mirror_->isLoaded(known->second)) return notLoaded();
            for (const auto& name : known->second.names) {
                if (known->second.values == Mirror::Values::None) {
                    found.push_back(bare(directory, name));
                    continue;
                }
                const auto& entry = mirror_->entries_.at(mirror_->paths_.record({std::string(directory), name}));
                if (entry.value != nullptr) found.push_back(entry);
            }
        }
        for (const auto& entry : found) visit(Record{entry.key.name, *entry.value, entry.version, entry.lease});
        return Revision{0};
    }
    Result<void> listDirectories(std::string_view, const std::function<void(std::string_view)>&) override {
        return fail(ErrorCode::Unsupported, "directories are not watched");
    }

private:
    /// A record that a watched directory does not hold is absent.
    Result<std::optional<Record>> ofListed(std::string_view directory, std::string_view name) {
        const auto known = mirror_->directories_.find(mirror_->paths_.directory(directory));
        if (known == mirror_->directories_.end() || !known->second.listed) return notLoaded();
        lastName_ = name;
        if (known->second.values == Mirror::Values::Read || !known->second.names.contains(lastName_)) return std::nullopt;
        return Record{lastName_, {}, 0, {}};
    }
    static Mirror::Entry bare(std::string_view directory, const std::string& name) {
        static const auto kEmpty = std::make_shared<const std::string>();
        Mirror::Entry entry;
        entry.key = {std::string(directory), name};
        entry.value = kEmpty;
        return entry;
    }

    std::shared_ptr<Mirror> mirror_;
    std::shared_ptr<const std::string> last_;
    std::string lastName_;
};

/// Ends a watch, and with the last one of a znode what is known of it.
class Mirror::Interest final : public event::Handle {
public:
    Interest(std::shared_ptr<Mirror> mirror, event::HandlePtr watch, std::string path, void (Mirror::*forget)(const std::string&))
        : mirror_(std::move(mirror)), watch_(std::move(watch)), path_(std::move(path)), forget_(forget) {}
    ~Interest() override {
        watch_.reset();
        (mirror_.get()->*forget_)(path_);
    }

private:
    std::shared_ptr<Mirror> mirror_;
    event::HandlePtr watch_;
    const std::string path_;
    void (Mirror::*const forget_)(const std::string&);
};

Mirror::Mirror(std::shared_ptr<Client> client, Paths paths)
    : client_(std::move(client)), paths_(std::move(paths)), watches_([this]() -> Result<std::unique_ptr<Snapshot>> {
          auto self = weak_from_this().lock();
          if (self == nullptr) return fail(ErrorCode::Unavailable, "the store is closed");
          return std::make_unique<MirrorSnapshot>(std::move(self));
      }) {}

event::HandlePtr Mirror::watchRecord(event::Loop& loop, RecordKey key, Backend::RecordCallback callback) {
    auto path = paths_.record(key);
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        auto& entry = entries_[path];
        entry.key = key;
        first = entry.interest++ == 0;
    }
    if (first)
        client_->loop().post([self = shared_from_this(), path] { self->readRecord(path); });
    return std::make_unique<Interest>(shared_from_this(), watches_.watchRecord(loop, std::move(key), std::move(callback)),
                                      std::move(path), &Mirror::forget);
}

event::HandlePtr Mirror::watchDirectory(event::Loop& loop, std::string directory, Values values, Backend::DirectoryCallback callback) {
    MIDONET_ASSERT(!Paths::isSharded(directory), "nobody watches all objects of a class");
    auto path = paths_.directory(directory);
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        auto& known = directories_[path];
        known.name = directory;
        first = known.interest++ == 0;
        MIDONET_ASSERT(first || known.values == values, "all want the values of a directory, or nobody");
        known.values = values;
    }
    if (first)
        client_->loop().post([self = shared_from_this(), path] { self->readDirectory(path); });
    return std::make_unique<Interest>(shared_from_this(), watches_.watchDirectory(loop, std::move(directory), std::move(callback)),
                                      std::move(path), &Mirror::forgetDirectory);
}

void Mirror::forget(const std::string& path) {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(path);
    if (--entry->second.interest == 0 && !entry->second.ofDirectory) entries_.erase(entry);
}

void Mirror::forgetDirectory(const std::string& path) {
    const std::lock_guard lock(mutex_);
    const auto directory = directories_.find(path);
    if (--directory->second.interest > 0) return;
    applyNames(directory->second, {});
    directories_.erase(directory);
}

void Mirror::onWatch(const std::string& path) {
    readRecord(path);
    readDirectory(path);
}

void Mirror::onConnected() {
    std::vector<std::string> records;
    std::vector<std::string> directories;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [path, entry] : entries_) records.push_back(path);
        for (const auto& [path, directory] : directories_) directories.push_back(path);
    }
    if (records.empty() && directories.empty()) return;
    // The server may be behind the one we had before.
    client_->session()->sync([](const auto&) {});
    for (const auto& path : directories) readDirectory(path);
    for (const auto& path : records) readRecord(path);
}

void Mirror::readRecord(const std::string& path) {
    if (client_->session() == nullptr) return;
    {
        const std::lock_guard lock(mutex_);
        const auto entry = entries_.find(path);
        if (entry == entries_.end()) return;
        if (std::exchange(entry->second.reading, true)) {
            entry->second.again = true;
            return;
        }
        ++asked_;
    }
    client_->session()->get(path, kWatch, [self = shared_from_this(), path](const Result<zk::Node>& node) {
        self->finish(path, &Mirror::readRecord, self->entries_, [&](Entry& entry) { return self->take(path, entry, node); });
    });
}

/// With the mutex held. False when more is asked before it is known.
bool Mirror::take(const std::string& path, Entry& entry, const Result<zk::Node>& node) {
    if (node) {
        const auto [lease, value] = splitValue(node->stat, node->value);
        apply(entry, std::make_shared<const std::string>(value), static_cast<Revision>(node->stat.modified), lease);
        return true;
    }
    if (node.error().code != ErrorCode::NotFound) return cannotWatch(node.error());
    if (entry.interest == 0) {
        apply(entry, nullptr, 0, {});
        return true;
    }
    // Its directory may not be watched, and absent is believed only of the read that watches for it.
    await<Entry>(path, &Mirror::readRecord, &Mirror::entries_, [this](Entry& one, bool there) {
        if (!there) apply(one, nullptr, 0, {});
    });
    return false;
}

/// With the mutex held.
void Mirror::apply(Entry& entry, std::shared_ptr<const std::string> value, Revision version, const Uuid& lease) {
    const bool first = !std::exchange(entry.loaded, true);
    loaded_ = loaded_ || first;
    const bool same = (entry.value == nullptr) == (value == nullptr) && entry.version == version;
    if (!first && same) return;
    entry.value = std::move(value);
    entry.version = version;
    entry.lease = lease;
    changes_.push_back({++revision_, entry.key});
}

void Mirror::readDirectory(const std::string& path) {
    if (client_->session() == nullptr) return;
    {
        const std::lock_guard lock(mutex_);
        const auto directory = directories_.find(path);
        if (directory == directories_.end()) return;
        if (std::exchange(directory->second.reading, true)) {
            directory->second.again = true;
            return;
        }
        // Most are absent: that is known, and watched, by one question.
        if (!directory->second.there) return awaitDirectory(path);
        ++asked_;
    }
    client_->session()->children(path, kWatch, [self = shared_from_this(), path](const Result<std::vector<std::string>>& children) {
        std::vector<std::string> fresh;
        self->finish(path, &Mirror::readDirectory, self->directories_,
                     [&](Directory& directory) { return self->take(path, directory, children, fresh); });
        for (const auto& record : fresh) self->readRecord(record);
    });
}

/// With the mutex held. False when more is asked before it is known; `fresh`: records to be read.
bool Mirror::take(const std::string& path, Directory& directory, const Result<std::vector<std::string>>& children,
                  std::vector<std::string>& fresh) {
    if (!children && children.error().code != ErrorCode::NotFound) return cannotWatch(children.error());
    if (!children) {
        awaitDirectory(path);
        return false;
    }
    std::set<std::string> names;
    for (const auto& child : *children)
        if (auto name = Paths::recordName(child)) names.insert(std::move(*name));
    if (directory.values == Values::Read)
        for (const auto& name : names)
            if (!directory.names.contains(name)) fresh.push_back(paths_.record({directory.name, name}));
    applyNames(directory, std::move(names));
    return true;
}

/// With the mutex held. Asks whether the znode is there, and watches for it; `apply` when it is not.
template <class Known>
void Mirror::await(const std::string& path, void (Mirror::*read)(const std::string&), std::map<std::string, Known> Mirror::*known,
                   std::function<void(Known&, bool there)> apply) {
    ++asked_;
    client_->session()->exists(path, kWatch, [=, self = shared_from_this()](const Result<std::optional<zk::Stat>>& stat) {
        self->finish(path, read, self.get()->*known, [&](Known& one) {
            if (!stat) return cannotWatch(stat.error());
            one.again = one.again || stat->has_value();
            apply(one, stat->has_value());
            return true;
        });
    });
}

/// With the mutex held.
void Mirror::awaitDirectory(const std::string& path) {
    await<Directory>(path, &Mirror::readDirectory, &Mirror::directories_, [this](Directory& one, bool there) {
        one.there = there;
        if (!there) applyNames(one, {});
    });
}

/// An answer has come: takes it, unless nobody is interested any more, and reads again what has changed since.
template <class Known, class Take>
void Mirror::finish(const std::string& path, void (Mirror::*read)(const std::string&), std::map<std::string, Known>& known, Take take) {
    bool again = false;
    {
        const std::lock_guard lock(mutex_);
        ++answered_;
        const auto found = known.find(path);
        if (found != known.end() && take(found->second)) {
            found->second.reading = false;
            again = std::exchange(found->second.again, false);
        }
    }
    tell();
    if (again) (this->*read)(path);
}

/// With the mutex held. Records that came are to be read.
void Mirror::applyNames(Directory& directory, std::set<std::string> names) {
    if (!std::exchange(directory.listed, true)) loaded_ = true;
    for (const auto& name : directory.names) {
        if (names.contains(name)) continue;
        const RecordKey key{directory.name, name};
        changes_.push_back({++revision_, key});
        if (directory.values == Values::None) continue;
        const auto entry = entries_.find(paths_.record(key));
        entry->second.ofDirectory = false;
        if (entry->second.interest == 0) entries_.erase(entry);
    }
    for (const auto& name : names) {
        const RecordKey key{directory.name, name};
        if (directory.values == Values::None) {
            if (!directory.names.contains(name)) changes_.push_back({++revision_, key});
            continue;
        }
        auto& entry = entries_[paths_.record(key)];
        entry.key = key;
        entry.ofDirectory = true;
    }
    directory.names = std::move(names);
}

void Mirror::tell() {
    std::vector<LocalWatches::Change> changes;
    bool loaded = false;
    {
        const std::lock_guard lock(mutex_);
        if (changes_.empty() && !loaded_) return;
        if (tellAt_ == 0) tellAt_ = asked_;
        if (answered_ < tellAt_) return;
        tellAt_ = 0;
        changes = std::exchange(changes_, {});
        loaded = std::exchange(loaded_, false);
    }
    if (!changes.empty()) watches_.changed(changes);
    if (loaded) watches_.retry();
}

/// With the mutex held.
bool Mirror::isLoaded(const Directory& directory) const {
    return directory.listed && (directory.values == Values::None || std::all_of(directory.names.begin(), directory.names.end(), [&](const auto& name) {
        return entries_.at(paths_.record({directory.name, name})).loaded;
    }));
}

}  // namespace midonet::nsdb::zookeeper
