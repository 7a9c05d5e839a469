#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "nsdb/local_watches.h"
#include "nsdb/zookeeper/client.h"
#include "nsdb/zookeeper/paths.h"

namespace midonet::nsdb::zookeeper {

/// A copy of the records and directories that are watched in this process, kept up to date by watches in ZooKeeper: one
/// for each directory, and one for each record, unless its name is all that is wanted. LocalWatches deliver from it.
///
/// Nothing is lost: a znode is read with a watch, read again after each event of it, and all are read again after each
/// connection.
///
/// What one transaction changes in a directory is delivered at once: its events come before the answers to anything asked
/// because of the first of them, so a change is told when all that was asked before it is answered.
class Mirror : public std::enable_shared_from_this<Mirror> {
public:
    Mirror(std::shared_ptr<Client> client, Paths paths);

    /// Any thread; the callbacks as in Backend.
    event::HandlePtr watchRecord(event::Loop& loop, RecordKey key, Backend::RecordCallback callback);
    enum class Values : std::uint8_t { Read, None };
    /// The same `values` for all watches of a directory.
    event::HandlePtr watchDirectory(event::Loop& loop, std::string directory, Values values, Backend::DirectoryCallback callback);

    // The client's loop.
    void onWatch(const std::string& path);
    void onConnected();

private:
    friend class MirrorSnapshot;
    class Interest;

    struct Entry {
        RecordKey key;
        std::size_t interest = 0;   ///< Watches of it alone.
        bool ofDirectory = false;   ///< Of a directory that is watched.
        bool loaded = false;
        bool reading = false;
        bool again = false;  ///< Changed since it is being read.
        std::shared_ptr<const std::string> value;  ///< nullptr: absent.
        Revision version = 0;
        Uuid lease;
    };
    struct Directory {
        std::string name;
        Values values = Values::Read;
        std::size_t interest = 0;
        bool there = false;  ///< It was when somebody asked last.
        bool listed = false;
        bool reading = false;
        bool again = false;
        std::set<std::string> names;  ///< Of the records in it, as listed last.
    };

    // The client's loop.
    void readRecord(const std::string& path);
    void readDirectory(const std::string& path);
    bool take(const std::string& path, Entry& entry, const Result<zk::Node>& node);
    bool take(const std::string& path, Directory& directory, const Result<std::vector<std::string>>& children,
              std::vector<std::string>& fresh);
    template <class Known>
    void await(const std::string& path, void (Mirror::*read)(const std::string&), std::map<std::string, Known> Mirror::*known,
               std::function<void(Known&, bool there)> apply);
    void awaitDirectory(const std::string& path);
    template <class Known, class Take>
    void finish(const std::string& path, void (Mirror::*read)(const std::string&), std::map<std::string, Known>& known, Take take);
    void apply(Entry& entry, std::shared_ptr<const std::string> value, Revision version, const Uuid& lease);
    void applyNames(Directory& directory, std::set<std::string> names);
    /// With the mutex free. What has been applied, unless more belongs to it.
    void tell();

    void forget(const std::string& path);
    void forgetDirectory(const std::string& path);
    bool isLoaded(const Directory& directory) const;

    const std::shared_ptr<Client> client_;
    const Paths paths_;
    std::mutex mutex_;
    Revision revision_ = 0;                         // guarded by mutex_; counts what was applied
    std::map<std::string, Entry> entries_;          // guarded by mutex_; by path
    std::map<std::string, Directory> directories_;  // guarded by mutex_; by path
    std::vector<LocalWatches::Change> changes_;     // guarded by mutex_; not told yet
    bool loaded_ = false;                           // guarded by mutex_; something was, since it was told last
    std::uint64_t asked_ = 0;                       // guarded by mutex_; reads so far
    std::uint64_t answered_ = 0;                    // guarded by mutex_; in the order in which they were asked
    std::uint64_t tellAt_ = 0;                      // guarded by mutex_; what is not told yet waits for this answer
    LocalWatches watches_;
};

}  // namespace midonet::nsdb::zookeeper
