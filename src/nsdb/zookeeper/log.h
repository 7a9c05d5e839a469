#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "nsdb/backend.h"
#include "nsdb/zookeeper/client.h"
#include "nsdb/zookeeper/paths.h"

namespace midonet::nsdb::zookeeper {

/// The value of an entry that stands for more changes than it could name: who is behind it reads everything anew.
inline constexpr std::string_view kLogReset = "reset";

/// The log of changes in the ensemble: znodes that the multis which change objects make in sequence. They are never written again, so
/// what was read once is kept here as long as it is there. Blocks; any thread.
class Log {
public:
    /// `kept`: how many entries trim() leaves. These outlive it.
    Log(Client& client, const Paths& paths, std::size_t kept) : client_(client), paths_(paths), kept_(kept) {}

    /// As Backend::changesSince(): as new as anything that was acknowledged before.
    Result<LogPart> changesSince(std::optional<Revision> since);
    /// By chance, now and then: whether the writer of an entry should trim.
    bool isTrimDue() const;
    /// Removes the oldest ones. Any number of writers may do it at once; whether it succeeds matters to nobody.
    void trim();

private:
    struct Entry {
        std::string name;
        Revision revision = 0;
        std::string value;
    };

    Result<void> refresh();
    /// Those that are there, oldest first.
    static std::vector<std::string> namesOf(const std::optional<Client::Found>& folder);
    std::string pathOf(const std::string& name) const { return paths_.record({std::string(kLogDirectory), name}); }
    Result<LogPart> partSince(std::optional<Revision> since) const;

    Client& client_;
    const Paths& paths_;
    const std::size_t kept_;
    std::atomic<std::uint64_t> arrivals_ = 0;
    std::mutex mutex_;
    std::uint64_t covered_ = 0;     // guarded by mutex_; these arrivals came before the last refresh began
    Result<void> refreshed_;        // guarded by mutex_
    std::vector<Entry> entries_;    // guarded by mutex_; oldest first
};

}  // namespace midonet::nsdb::zookeeper
