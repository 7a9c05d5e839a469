#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "event/clock.h"
#include "flowstate/state_log.h"

namespace midonet::flowstate {

/// The connection state of this host on disk, for the next process when this one is killed: a log (state_log.h),
/// one write(2) per batch and no fsync, so it survives the process, not the machine. Written anew without what is
/// dead when it has doubled; never larger than `maxBytes`.
///
/// Everything here may block: for one thread at a time that may, such as one of the BlockingPool.
class StateFile {
public:
    struct Options {
        std::size_t maxBytes = std::size_t{256} << 20;
        std::size_t minBytes = std::size_t{1} << 20;  ///< Below it nothing is written anew.
    };
    struct Change {
        StateEntry entry;
        /// When the entry ends, unless it is put again; nullopt: it has been removed.
        std::optional<event::WallTime> expires;
    };

    /// Makes the file, and its folder, when there is none. Errors name the path and the fix.
    static Result<std::unique_ptr<StateFile>> open(std::string path, Options options);
    static Result<std::unique_ptr<StateFile>> open(std::string path) { return open(std::move(path), Options{}); }
    ~StateFile();
    StateFile(const StateFile&) = delete;
    StateFile& operator=(const StateFile&) = delete;

    /// What is live at `now`, unordered; first of all. A damaged file is mended from what is whole in it, one of
    /// somebody else is put aside as `<path>.foreign`; each with one warning in the log.
    Result<std::vector<SavedEntry>> load(event::WallTime now);
    /// One batch: all of it is in the file, or nothing. Exhausted when the disk or `maxBytes` is full.
    Result<void> append(std::span<const Change> changes, event::WallTime now);

    std::size_t size() const { return size_; }

private:
    StateFile(std::string path, Options options, int fd) : path_(std::move(path)), options_(options), fd_(fd) {}

    struct Content;
    Result<Content> read(event::WallTime now) const;
    Result<void> rewrite(const StateLog& log);
    Result<void> makeRoom(std::size_t bytes, event::WallTime now);
    Unexpected problem(std::string_view what, int error) const;

    const std::string path_;
    const Options options_;
    int fd_;
    std::size_t size_ = 0;
    std::size_t sizeWhenWritten_ = 0;
    std::optional<event::WallTime> fullSince_;
};

}  // namespace midonet::flowstate
