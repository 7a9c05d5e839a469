#pragma once

#include <map>
#include <memory>
#include <vector>

#include "nsdb/backend.h"
#include "nsdb/zookeeper/client.h"
#include "nsdb/zookeeper/paths.h"

namespace midonet::nsdb::zookeeper {

/// Reads the newest each time, and blocks: ZooKeeper has no reads of one moment. As new as anything that was acknowledged
/// before its first read: to anybody, or (`synced` false) to this client.
class ZookeeperSnapshot final : public Snapshot {
public:
    ZookeeperSnapshot(std::shared_ptr<Client> client, Paths paths, bool synced)
        : client_(std::move(client)), paths_(std::move(paths)), syncFirst_(synced) {}

    Revision revision() const override { return client_->newest(); }
    Result<std::optional<Record>> get(std::string_view directory, std::string_view name) override;
    Result<Revision> list(std::string_view directory, const std::function<void(const Record&)>& visit) override;
    Result<Revision> listBeginning(std::string_view directory, std::string_view begin,
                                   const std::function<void(const Record&)>& visit) override;
    Result<void> readAhead(const std::vector<RecordKey>& keys) override;
    Result<void> listDirectories(std::string_view parent, const std::function<void(std::string_view)>& visit) override;

private:
    Result<std::vector<std::optional<Client::Found>>> read(std::vector<Client::Question> questions);
    Record toRecord(std::string_view name, const Client::Found& found);
    /// Ordered.
    Result<std::vector<std::string>> recordNames(std::string_view directory);
    /// Children of all of these.
    Result<std::vector<std::vector<std::string>>> childrenOf(const std::vector<std::string>& paths);
    Result<bool> holdsRecords(const std::string& path);

    std::shared_ptr<Client> client_;
    Paths paths_;
    bool syncFirst_;
    std::map<std::string, std::optional<Client::Found>> ahead_;  // by path
    std::string lastName_;
    Client::Found last_;
};

}  // namespace midonet::nsdb::zookeeper
