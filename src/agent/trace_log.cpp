#include "agent/trace_log.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/log.h"

namespace midonet::agent {
namespace {

const Logger kLog{"trace"};
constexpr std::chrono::milliseconds kRetryPause{100};
constexpr mode_t kMode = 0640;

Result<void> appendTo(const std::string& file, std::string_view text) {
    const auto problem = [&](std::string_view what) { return fail(ErrorCode::Unavailable, "{}: {} (agent.trace_log)", file, what); };
    std::error_code error;
    if (const auto folder = std::filesystem::path{file}.parent_path(); !folder.empty()) std::filesystem::create_directories(folder, error);
    if (error) return problem("its folder cannot be made: " + error.message());
    const auto size = std::filesystem::file_size(file, error);
    if (!error && size > TraceLog::kMaxFile) std::filesystem::rename(file, file + ".1", error);
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode);
    auto* const stream = descriptor < 0 ? nullptr : ::fdopen(descriptor, "a");
    if (stream == nullptr) return problem(std::strerror(errno));
    const bool written = text.empty() || std::fwrite(text.data(), 1, text.size(), stream) == text.size();  // none: whether it can be opened
    if (std::fclose(stream) != 0 || !written) return problem(std::strerror(errno));
    return {};
}

}  // namespace

TraceLog::TraceLog(event::Loop& loop, event::BlockingPool& pool, std::string file) : loop_(loop), pool_(pool), file_(std::move(file)) {}

TraceLog::~TraceLog() { *self_ = nullptr; }

void TraceLog::open(Done done) {
    if (file_.empty()) return done(fail(ErrorCode::Unavailable, "agent.trace_log is empty: there is no file for traced packets"));
    auto result = std::make_shared<Result<void>>();
    const bool queued = pool_.submit([file = file_, result] { *result = appendTo(file, {}); }, loop_, [result, done] { done(*result); });
    if (!queued) done(fail(ErrorCode::Unavailable, "the agent has too much to do: try again"));
}

void TraceLog::append(std::string_view entry) {
    if (pending_.size() + entry.size() > kMaxPending) {
        ++leftOut_;
    } else {
        sayWhatIsLeftOut();
        pending_ += entry;
    }
    write();
}

void TraceLog::sayWhatIsLeftOut() {
    if (leftOut_ > 0) pending_ += fmt::format("{} packets are left out: the disk is too slow\n", std::exchange(leftOut_, 0));
}

void TraceLog::write() {
    if (writing_ || pending_.empty()) return;
    auto text = std::make_shared<std::string>(std::exchange(pending_, {}));
    auto result = std::make_shared<Result<void>>();
    writing_ = pool_.submit([file = file_, text, result] { *result = appendTo(file, *text); }, loop_, [self = self_, result] {
        if (*self != nullptr) (*self)->onWritten(*result);
    });
    if (writing_) return;
    pending_ = std::move(*text);
    retry_ = loop_.after(kRetryPause, [this] { write(); });
}

void TraceLog::onWritten(const Result<void>& result) {
    writing_ = false;
    if (!result) kLog.warn("traced packets not written", {kv("error", result.error())});
    if (pending_.empty()) sayWhatIsLeftOut();
    write();
}

}  // namespace midonet::agent
