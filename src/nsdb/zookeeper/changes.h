#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nsdb/zookeeper/client.h"
#include "nsdb/zookeeper/paths.h"

namespace midonet::nsdb::zookeeper {

/// What one attempt of a write knows of the znodes it touches: read all at once, then changed as its multi will change it.
class Look {
public:
    using Found = Client::Found;
    /// Hasty: as few as can be, and what is likely is taken for granted; the multi fails where that is wrong. Careful: all, and as
    /// new as anything that was acknowledged.
    enum class Care : std::uint8_t { Hasty, Careful };

    Look(Client& client, Care care) : client_(client), care_(care) {}

    void ask(std::string path) { asked_.try_emplace(std::move(path), Client::Question::What::Stat); }
    void askValue(std::string path) { asked_[std::move(path)] = Client::Question::What::Value; }
    /// Buckets are read before the records they tell of: who is created again in between is noticed.
    void askBucket(std::string path) { buckets_.insert(std::move(path)); }
    /// Whether it is there, of a znode that is never removed: in haste what this client has seen once is not asked for.
    void askLasting(const std::string& path);
    /// What a check or a create says anyway is asked for with care only.
    void askExpected(std::string path, bool present);
    /// Reads what was asked and is not known yet.
    Result<void> read();

    /// nullptr: absent. It was asked for.
    const Found* at(const std::string& path) const;
    const zk::Stat* stat(const std::string& path) const;
    /// It was asked for, or is lasting.
    bool isThere(const std::string& path) const;
    void set(std::string path, std::optional<Found> found) { known_.insert_or_assign(std::move(path), std::move(found)); }

private:
    Client& client_;
    const Care care_;
    std::set<std::string> buckets_;
    std::set<std::string> lasting_;
    std::map<std::string, Client::Question::What> asked_;
    std::map<std::string, std::optional<Found>> known_;
};

/// The steps of one multi on records, with the directories and buckets that belong to them, and the entry of the log where objects are
/// among them.
class Changes {
public:
    Changes(const Paths& paths, Look& look) : paths_(paths), look_(look) {}

    // What has to be known of a record before it is ...
    void askToCheckPresent(const RecordKey& key) { look_.askExpected(paths_.record(key), true); }
    void askToCheck(const RecordKey& key);
    /// `absent`: that is checked, too.
    void askToPut(const RecordKey& key, bool absent);
    void askToRemove(const RecordKey& key);
    /// Put or removed, depending on its value.
    void askValueToWrite(const RecordKey& key);
    void askForDirectory(std::string_view directory) { look_.askBucket(paths_.directoryBucket(directory)); }
    /// Reads that, and the directories above those parents that are not there.
    Result<void> read();

    /// It is there, whatever it is.
    void checkPresent(const RecordKey& key) { checks_.insert_or_assign(paths_.record(key), zk::kAnyVersion); }
    /// It is what was read.
    void checkUnchanged(const RecordKey& key);
    /// It was absent and nobody has created it since.
    void checkAbsent(const RecordKey& key) { absent_.insert_or_assign(paths_.record(key), paths_.recordBucket(key)); }
    void checkDirectory(std::string_view directory) { checkedBuckets_.insert(paths_.directoryBucket(directory)); }

    /// Persistent: without `lease`.
    void put(const RecordKey& key, std::string_view value);
    void putLeased(const RecordKey& key, std::string value, std::int64_t session);
    void remove(const RecordKey& key);
    /// A directory without children, after what is in it.
    void removeDirectory(const std::string& path);

    /// In the order in which ZooKeeper has to take them.
    std::vector<zk::Operation> take();

private:
    using Kind = zk::Operation::Kind;

    void askParents(const RecordKey& key);
    void askFolder(const std::string& path);
    void create(const RecordKey& key, Kind kind, std::string value);
    void erase(const std::string& path);
    void makeDirectory(const std::string& path);
    void note(const RecordKey& key, bool before, bool now);
    zk::Operation logStep(std::size_t bytesOfOthers);
    std::vector<zk::Operation> bucketSteps();

    const Paths& paths_;
    Look& look_;
    std::vector<std::string> parents_;
    std::map<std::string, std::int32_t> checks_;
    std::map<std::string, std::string> absent_;  // to their buckets; not those that are created, which says the same
    std::set<std::string> checkedBuckets_;
    std::set<std::string> written_;  // buckets
    std::vector<RecordChange> changed_;  // of objects
    std::vector<zk::Operation> steps_;
};

}  // namespace midonet::nsdb::zookeeper
