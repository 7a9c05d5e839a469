#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "event/blocking_pool.h"
#include "event/loop.h"

namespace midonet::agent {

/// The file that tells of traced packets. Written on the pool, in the order of append(); what the disk is too slow for is left out, and
/// how much that was is said. A file that has become too long goes to FILE.1, whose place it takes: two of them at most.
///
/// Control loop.
class TraceLog {
public:
    static constexpr std::size_t kMaxPending = std::size_t{1} << 20;
    static constexpr std::uintmax_t kMaxFile = std::uintmax_t{8} << 20;

    TraceLog(event::Loop& loop, event::BlockingPool& pool, std::string file);
    ~TraceLog();
    TraceLog(const TraceLog&) = delete;
    TraceLog& operator=(const TraceLog&) = delete;

    using Done = std::function<void(Result<void>)>;
    /// Says whether the file can be written; makes it, and its folder.
    void open(Done done);
    /// `entry` ends with its last line.
    void append(std::string_view entry);

private:
    void write();
    void sayWhatIsLeftOut();
    void onWritten(const Result<void>& result);

    event::Loop& loop_;
    event::BlockingPool& pool_;
    const std::string file_;
    std::string pending_;
    std::uint64_t leftOut_ = 0;
    bool writing_ = false;
    event::HandlePtr retry_;  // while the pool has too much to do
    std::shared_ptr<TraceLog*> self_ = std::make_shared<TraceLog*>(this);
};

}  // namespace midonet::agent
