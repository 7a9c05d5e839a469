#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "nsdb/backend.h"

namespace midonet::nsdb {

/// A snapshot with the writes of one transaction on top, which remembers what was read and so
/// knows what has to hold at commit. One thread.
class TrackingSnapshot final : public Snapshot {
public:
    /// How present() knows: by reading, or by taking what is expected for granted until the commit.
    enum class Presence : std::uint8_t { Read, Presume };
    TrackingSnapshot(Snapshot& base, Presence presence) : base_(base), presence_(presence) {}

    Revision revision() const override { return base_.revision(); }
    Result<std::optional<Record>> get(std::string_view directory, std::string_view name) override;
    Result<Revision> list(std::string_view directory,
                          const std::function<void(const Record&)>& visit) override {
        return listBeginning(directory, {}, visit);
    }
    /// Of the others only that no persistent one came or went is checked.
    Result<Revision> listBeginning(std::string_view directory, std::string_view begin,
                                   const std::function<void(const Record&)>& visit) override;
    /// Of the base: without the writes of this transaction.
    Result<void> listDirectories(std::string_view parent,
                                 const std::function<void(std::string_view)>& visit) override {
        return base_.listDirectories(parent, visit);
    }
    /// Whether it is there; at commit only that must still hold, not its version.
    Result<bool> present(const RecordKey& key, bool expected);
    Result<void> readAhead(const std::vector<RecordKey>& keys) override { return base_.readAhead(keys); }

    void put(const RecordKey& key, std::string value);
    void remove(const RecordKey& key);
    /// At commit, before all other writes; reads here do not see it.
    void removeTree(std::string path);

    bool hasWrites() const { return !writes_.empty() || !removedTrees_.empty(); }
    bool hasReads() const { return !reads_.empty() || !lists_.empty(); }
    /// Everything read and written. Leaves this empty.
    Batch takeBatch();

private:
    struct Check {
        Batch::RecordCheck::Expect expect;
        Revision version = 0;
    };
    void remember(const RecordKey& key, Check check);

    Snapshot& base_;
    const Presence presence_;
    std::map<RecordKey, Check> reads_;
    std::map<std::string, Revision, std::less<>> lists_;
    std::map<RecordKey, std::optional<std::string>> writes_;
    std::vector<std::string> removedTrees_;
};

}  // namespace midonet::nsdb
