#pragma once

#include <functional>
#include <memory>
#include <span>

#include "nsdb/backend.h"

namespace midonet::nsdb {

/// Watches of a backend that can read without blocking: changes only mark a watch dirty; its loop then
/// reads the newest state and calls back. Nothing is lost as long as every change is marked after it
/// can be read. Any thread, except as Backend says.
class LocalWatches {
public:
    using OpenSnapshot = std::function<Result<std::unique_ptr<Snapshot>>()>;
    /// `open` is called on the loops of the watches. When it fails, deliveries wait for retry().
    explicit LocalWatches(OpenSnapshot open);
    ~LocalWatches();
    LocalWatches(const LocalWatches&) = delete;
    LocalWatches& operator=(const LocalWatches&) = delete;

    event::HandlePtr watchRecord(event::Loop& loop, RecordKey key, Backend::RecordCallback callback);
    event::HandlePtr watchDirectory(event::Loop& loop, std::string directory,
                                    Backend::DirectoryCallback callback);

    struct Change {
        Revision revision = 0;
        RecordKey key;
    };
    void changed(std::span<const Change> changes);
    /// What changed is not known: everybody reads anew.
    void everythingChanged();
    /// The store can be read again.
    void retry();

private:
    struct State;
    std::shared_ptr<State> state_;
};

/// Adds that there is more of the log, if there is: for backends that keep it elsewhere than in records of kLogDirectory.
void announceLog(std::vector<LocalWatches::Change>& changes);

}  // namespace midonet::nsdb
