#include "rest/change_feed.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/log.h"

namespace midonet::rest {
namespace {

constexpr Logger kLog{"rest"};
/// How much later than asked for a heartbeat may come.
constexpr int kTicksPerHeartbeat = 8;

}  // namespace

/// How many may still come, and what is counted of them. Any thread.
class ChangeFeed::Seats : public std::enable_shared_from_this<Seats> {
public:
    explicit Seats(std::size_t all) : all_(all) {}

    /// Given back when it goes; nullptr when there is none.
    std::shared_ptr<void> take() {
        const std::lock_guard lock(mutex_);
        if (taken_ == all_) {
            ++refused_;
            return nullptr;
        }
        ++taken_;
        return {this, [self = shared_from_this()](Seats*) { self->giveBack(); }};
    }
    bool anyTaken() const {
        const std::lock_guard lock(mutex_);
        return taken_ > 0;
    }

    void countLines(std::string_view lines) {
        const auto count = std::count(lines.begin(), lines.end(), '\n');
        const std::lock_guard lock(mutex_);
        lines_ += static_cast<std::uint64_t>(count);
    }
    void countUnread() {
        const std::lock_guard lock(mutex_);
        ++unread_;
    }
    void tell(metrics::Sink& sink) const {
        const std::lock_guard lock(mutex_);
        sink.gauge("midonet_rest_change_readers", "Clients that read changes", {}, static_cast<double>(taken_));
        sink.counter("midonet_rest_change_lines_total", "Lines given to readers of changes", {}, static_cast<double>(lines_));
        sink.counter("midonet_rest_change_readers_refused_total", "Readers of changes beyond api.change_readers", {}, static_cast<double>(refused_));
        sink.counter("midonet_rest_change_readers_unread_total", "Readers of changes that were cut off because they did not read", {},
                     static_cast<double>(unread_));
    }

private:
    void giveBack() {
        const std::lock_guard lock(mutex_);
        --taken_;
    }
    const std::size_t all_;
    mutable std::mutex mutex_;
    // Guarded by mutex_.
    std::size_t taken_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t lines_ = 0;
    std::uint64_t unread_ = 0;
};

/// Handed on between the loops and the pool: whoever has it to do touches it.
struct ChangeFeed::Reader {
    ChangeLines lines;
    std::shared_ptr<void> seat;
    http::TakePiece take{};            ///< Set while lines are asked for.
    std::uint64_t news = 0;            ///< Of the feed when it was read last.
    event::TimePoint silentUntil{};

    void give(std::optional<std::string> piece) { std::exchange(take, nullptr)(std::move(piece)); }
};

ChangeFeed::ChangeFeed(event::Loop& control, event::BlockingPool& pool, nsdb::Store& store, metrics::Registry& registry,
                       const ChangeFeedOptions& options)
    : control_(control),
      pool_(pool),
      store_(store),
      options_(options),
      seats_(std::make_shared<Seats>(options.readers)),
      figures_(registry.collect([seats = seats_](metrics::Sink& sink) { seats->tell(sink); })) {}

ChangeFeed::~ChangeFeed() = default;

void ChangeFeed::countUnread() { seats_->countUnread(); }

Outcome<http::Response> ChangeFeed::follow(ChangeLines lines, std::string first) {
    auto seat = seats_->take();
    if (seat == nullptr) return refuse(503, "{} clients are reading changes already (api.change_readers)", options_.readers);
    seats_->countLines(first);
    http::Response response;
    response.body = std::move(first);
    response.endless = true;
    response.more = [weak = weak_from_this(), &control = control_,
                     reader = std::make_shared<Reader>(Reader{std::move(lines), std::move(seat)})](http::TakePiece take) {
        reader->take = std::move(take);
        control.post([weak, asks = std::weak_ptr(reader)] {
            const auto feed = weak.lock();
            const auto asking = asks.lock();
            if (feed != nullptr && asking != nullptr) feed->onAsked(asking);
        });
    };
    return response;
}

void ChangeFeed::close() {
    closed_ = true;
    watch_.reset();
    tick_.reset();
    parked_.clear();
}

void ChangeFeed::onAsked(const ReaderPtr& reader) {
    if (closed_) return;
    if (watch_ == nullptr) watch_ = store_.watchChanges(control_, [this] { onNews(); });
    if (tick_ == nullptr) tick_ = control_.every(options_.heartbeat / kTicksPerHeartbeat, [this] { onTick(); });
    reader->silentUntil = control_.clock().now() + options_.heartbeat;
    read(reader, Silence::Kept);
}

void ChangeFeed::read(const ReaderPtr& reader, Silence silence) {
    reader->news = news_;
    const bool queued = pool_.submit([weak = weak_from_this(), asks = std::weak_ptr(reader), silence] {
        const auto feed = weak.lock();
        const auto asking = asks.lock();
        if (feed == nullptr || asking == nullptr) return;
        auto lines = asking->lines.next();
        if (!lines) {
            kLog.warn("a reader of changes was cut off", {kv("reason", lines.error().message)});
            return asking->give(std::nullopt);
        }
        if (lines->empty() && silence == Silence::Broken) lines = asking->lines.mark();
        if (!lines->empty()) {
            feed->seats_->countLines(*lines);
            return asking->give(std::move(*lines));
        }
        feed->control_.post([weak, asks] {
            const auto one = weak.lock();
            const auto silent = asks.lock();
            if (one != nullptr && silent != nullptr) one->park(silent);
        });
    });
    if (!queued) reader->give(std::nullopt);
}

/// What came since it was read has told nobody.
void ChangeFeed::park(const ReaderPtr& reader) {
    if (closed_) return;
    if (reader->news != news_) return read(reader, Silence::Kept);
    parked_.push_back(reader);
}

void ChangeFeed::onNews() {
    ++news_;
    for (const auto& weak : std::exchange(parked_, {}))
        if (const auto reader = weak.lock()) read(reader, Silence::Kept);
}

void ChangeFeed::onTick() {
    const auto now = control_.clock().now();
    for (auto& weak : std::exchange(parked_, {})) {
        const auto reader = weak.lock();
        if (reader == nullptr) continue;
        if (reader->silentUntil > now)
            parked_.push_back(std::move(weak));
        else
            read(reader, Silence::Broken);
    }
    if (seats_->anyTaken()) return;
    watch_.reset();
    tick_.reset();  // this runs in it, and ends with it
}

}  // namespace midonet::rest
