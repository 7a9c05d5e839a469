#pragma once

#include "nsdb/zookeeper/changes.h"

namespace midonet::nsdb::zookeeper {

/// Commits batches: each as one multi. Blocks; any thread.
class BatchWriter {
public:
    BatchWriter(Client& client, const Paths& paths) : client_(client), paths_(paths) {}
    /// Stale when a check does not hold.
    Result<Revision> commit(const Batch& batch);

private:
    /// nullopt: it may have to be done in another way, look again.
    Result<std::optional<Revision>> attempt(const Batch& batch, Look::Care care);
    void ask(const Batch& batch, Look& look, Changes& changes) const;
    Result<void> check(const Batch& batch, const Look& look, Changes& changes) const;
    Result<void> removeTrees(const std::vector<std::string>& trees, Look& look, Changes& changes);
    Result<void> removeTree(const std::string& directory, Look& look, Changes& changes);

    Client& client_;
    const Paths& paths_;
};

/// Whether a multi failed because a znode is not as it was read a moment before.
bool wasOvertaken(const Error& error);
/// How often it is tried then. Buckets are shared by chance, and directories are made by several at once.
inline constexpr int kOvertakenAttempts = 100;

}  // namespace midonet::nsdb::zookeeper
