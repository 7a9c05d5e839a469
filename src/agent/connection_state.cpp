#include "agent/connection_state.h"

#include <malloc.h>

#include <algorithm>

#include "simulation/nat.h"

namespace midonet::agent {
namespace {

using flowstate::StateEntry;
using flowstate::StateFile;

const Logger kLog{"state"};
constexpr std::chrono::milliseconds kExpirePeriod{250};
constexpr unsigned kExpireCalls = 16;
/// What flows hold is written again a share at a time: all of it in 20 s, well within the idle time of an entry.
constexpr std::chrono::milliseconds kSavePeriod{1250};
constexpr unsigned kSaveCalls = 16;
/// Changes that wait for the disk; beyond them the newest are lost to the next process.
constexpr std::size_t kMaxUnsaved = 1'000'000;

}  // namespace

ConnectionState::ConnectionState(event::Loop& loop, event::BlockingPool& pool, nsdb::Store& store, Options options,
                                 std::shared_ptr<flowstate::StateTable> table, WorkerPool& workers)
    : loop_(loop),
      pool_(pool),
      options_(std::move(options)),
      table_(std::move(table)),
      workers_(workers),
      leases_(loop, pool, store, options_.self, [&loop] { return loop.clock().wall(); },
              [this](const flowstate::NatLeases::Answer& answer) { onAnswer(answer); }, options_.leases),
      self_(std::make_shared<ConnectionState*>(this)) {}

ConnectionState::~ConnectionState() { *self_ = nullptr; }

void ConnectionState::start(std::function<void()> onLoaded) {
    const auto begin = [this, onLoaded = std::move(onLoaded)] {
        leases_.start(static_cast<flowstate::NatLeases::WorkerTag>(workers_.size()));
        onLoaded();
    };
    if (options_.file.empty()) return begin();
    struct Opened {
        std::unique_ptr<StateFile> file;
        std::vector<flowstate::SavedEntry> entries;
        std::optional<Error> error;
    };
    const auto opened = std::make_shared<Opened>();
    const auto now = loop_.clock().wall();
    const auto read = [opened, path = options_.file, now] {
        auto file = StateFile::open(path);
        if (!file) {
            opened->error = file.error();
            return;
        }
        auto entries = (*file)->load(now);
        if (!entries) {
            opened->error = entries.error();
            return;
        }
        opened->file = std::move(*file);
        opened->entries = std::move(*entries);
    };
    const auto taken = pool_.submit(read, loop_, [self = self_, opened, begin] {
        if (*self == nullptr) return;
        auto& state = **self;
        if (opened->error) kLog.warn("connections will not outlive this process", {kv("error", *opened->error)});
        state.file_ = std::move(opened->file);
        const auto steady = state.loop_.clock().now();
        for (const auto& saved : opened->entries) state.table_->put(saved.entry, steady);
        if (!opened->entries.empty()) kLog.info("connections of the process before", {kv("entries", opened->entries.size())});
        if (state.file_) state.saveTimer_ = state.loop_.every(kSavePeriod * kSaveCalls, [&state] { state.saveAll(); });
        begin();
    });
    if (!taken) begin();
}

void ConnectionState::packetsBegin() {
    const auto now = loop_.clock().now();
    for (const auto& entry : table_->all()) table_->touch(entry.key, now);
    expireTimer_ = loop_.every(kExpirePeriod, [this] { expire(); });
    if (file_) saveTimer_ = loop_.every(kSavePeriod, [this] { saveHeld(); });
}

void ConnectionState::onRestored() { leases_.start(static_cast<flowstate::NatLeases::WorkerTag>(workers_.size())); }

void ConnectionState::onReport(datapath::WorkerIndex worker, const WorkerReport& report) {
    for (const auto& [tag, wanted] : report.wantedBlocks) leases_.lease(wanted.device, wanted.deviceIsBridge, wanted.ranges, worker);
    if (!report.idleBlocks.empty()) leases_.release(report.idleBlocks);
    if (!report.states.empty()) saveAgain(report.states);
}

void ConnectionState::onAnswer(const flowstate::NatLeases::Answer& answer) {
    if (!answer.block) {
        if (errorLog_.allow(loop_.clock().now()))
            kLog.warn("no ports for source translation", {kv("device", answer.device), kv("error", answer.block.error())});
        return;
    }
    workers_.update(answer.worker, [&](WorkerUpdate& pending) {
        pending.natBlocks.emplace(*answer.block, !answer.ranges.empty());
        pending.invalidate(simulation::natBlockTag(answer.device, answer.ranges));
    });
}

void ConnectionState::expire() {
    const auto gone = table_->expire(loop_.clock().now(), kExpireCalls);
    trimMemory();
    if (gone.empty()) return;
    workers_.update([&](WorkerUpdate& pending) { pending.expired.insert(pending.expired.end(), gone.begin(), gone.end()); });
    std::vector<StateFile::Change> changes;
    for (const auto& entry : gone) changes.push_back({entry, std::nullopt});
    save(std::move(changes));
}

/// What connections took is free when they are gone, but in pieces that the allocator keeps.
void ConnectionState::trimMemory() {
    constexpr std::size_t kWorthIt = 4'000;
    const auto entries = table_->size();
    mostEntries_ = std::max(mostEntries_, entries);
    if (mostEntries_ < kWorthIt || entries > mostEntries_ / 4) return;
    mostEntries_ = entries;
    pool_.submit([] { ::malloc_trim(0); });
}

void ConnectionState::saveHeld() { saveAgain(table_->held(kSaveCalls)); }

void ConnectionState::saveAll() { saveAgain(table_->all()); }

/// As in use now.
void ConnectionState::saveAgain(const std::vector<StateEntry>& entries) {
    std::vector<StateFile::Change> changes;
    const auto now = loop_.clock().wall();
    for (const auto& entry : entries) changes.push_back({entry, now + std::chrono::seconds{entry.idleSeconds}});
    save(std::move(changes));
}

void ConnectionState::save(std::vector<StateFile::Change> changes) {
    if (!file_ || unsaved_.size() + changes.size() > kMaxUnsaved) return;
    unsaved_.insert(unsaved_.end(), std::make_move_iterator(changes.begin()), std::make_move_iterator(changes.end()));
    if (!writing_) writeNext();
}

void ConnectionState::writeNext() {
    if (unsaved_.empty()) return;
    const auto batch = std::make_shared<std::vector<StateFile::Change>>(std::exchange(unsaved_, {}));
    const auto failed = std::make_shared<std::optional<Error>>();
    writing_ = pool_.submit(
        [file = file_, batch, failed, now = loop_.clock().wall()] {
            if (const auto done = file->append(*batch, now); !done) *failed = done.error();
        },
        loop_, [self = self_, failed] {
            if (*self == nullptr) return;
            auto& state = **self;
            state.writing_ = false;
            if (*failed && state.errorLog_.allow(state.loop_.clock().now()))
                kLog.warn("connections are not kept for the next process", {kv("error", **failed)});
            state.writeNext();
        });
    if (!writing_) unsaved_ = std::move(*batch);  // the pool has too much to do: with the next change
}

}  // namespace midonet::agent
