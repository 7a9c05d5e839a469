#pragma once

#include <memory>
#include <vector>

#include "event/blocking_pool.h"
#include "event/loop.h"
#include "http/message.h"
#include "metrics/registry.h"
#include "nsdb/store.h"
#include "rest/change_lines.h"

namespace midonet::rest {

struct ChangeFeedOptions {
    std::size_t readers = 100;                                  ///< More are answered 503.
    event::Duration heartbeat = std::chrono::seconds{15};  ///< A reader who hears nothing for so long gets a line without changes.
};

/// Those who read what changes as it happens. Each asks for its next lines when its client has taken the ones before: what waits
/// for a slow client waits in the store. One who has all there is holds no thread. The store is watched while there are readers.
///
/// Readers belong to their responses, and are forgotten with them. Everything else is on the control loop; lines are made on the pool.
class ChangeFeed : public std::enable_shared_from_this<ChangeFeed> {
public:
    /// All of these outlive it, or close().
    ChangeFeed(event::Loop& control, event::BlockingPool& pool, nsdb::Store& store, metrics::Registry& registry, const ChangeFeedOptions& options);
    ~ChangeFeed();
    ChangeFeed(const ChangeFeed&) = delete;
    ChangeFeed& operator=(const ChangeFeed&) = delete;

    /// What a reader gets whose first lines have been made: 503 when there are too many. Any thread.
    Outcome<http::Response> follow(ChangeLines lines, std::string first);
    /// A reader was cut off for not reading: only who sends can tell. Any thread.
    void countUnread();
    /// Nobody is served any more. Control loop, or while it does not run.
    void close();

private:
    class Seats;
    struct Reader;
    using ReaderPtr = std::shared_ptr<Reader>;

    // The control loop.
    void onAsked(const ReaderPtr& reader);
    enum class Silence : bool { Kept, Broken };  ///< Where there is nothing new: says nothing, or says so.
    void read(const ReaderPtr& reader, Silence silence);
    void park(const ReaderPtr& reader);
    void onNews();
    void onTick();

    event::Loop& control_;
    event::BlockingPool& pool_;
    nsdb::Store& store_;
    const ChangeFeedOptions options_;
    const std::shared_ptr<Seats> seats_;
    const std::shared_ptr<void> figures_;  ///< What `GET /metrics` tells of them.
    // The control loop's.
    bool closed_ = false;
    std::uint64_t news_ = 0;  // how often the store has told of some
    std::vector<std::weak_ptr<Reader>> parked_;
    event::HandlePtr watch_;
    event::HandlePtr tick_;
};

}  // namespace midonet::rest
