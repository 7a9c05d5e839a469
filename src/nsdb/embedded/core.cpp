#include "nsdb/embedded/core.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "nsdb/change_log.h"
#include "nsdb/embedded/snapshot.h"

namespace midonet::nsdb::embedded {
namespace {

using namespace std::chrono_literals;

constexpr Logger kLog{"nsdb"};
/// Heartbeats, and a look at what inotify cannot tell (a parent folder that moved).
constexpr auto kTick = 200ms;
constexpr int kTicksPerCleaning = 50;
/// At once, of the log: most of it may be of state, which is not given.
constexpr std::size_t kMostRevisionsRead = 10'000;

/// One Core per folder and process: LMDB's locks are lost when its file is opened twice.
struct Registry {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::pair<dev_t, ino_t>, std::weak_ptr<Core>> cores;
};

Registry& registry() {
    static Registry out;
    return out;
}

std::optional<std::pair<dev_t, ino_t>> identityOf(const std::string& folder) {
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0) return std::nullopt;
    return std::pair{info.st_dev, info.st_ino};
}

}  // namespace

Result<std::shared_ptr<Core>> Core::open(const EmbeddedOptions& options) {
    auto& known = registry();
    std::unique_lock lock(known.mutex);
    while (const auto identity = identityOf(options.path)) {
        const auto found = known.cores.find(*identity);
        if (found == known.cores.end()) break;
        if (auto core = found->second.lock()) return core;
        known.changed.wait(lock);  // it is being closed
    }
    TRY(made, make(options));
    const auto identity = identityOf(options.path);
    std::shared_ptr<Core> core(made.release(), [identity](Core* old) {
        delete old;
        if (!identity) return;
        const std::lock_guard relock(registry().mutex);
        registry().cores.erase(*identity);
        registry().changed.notify_all();
    });
    if (identity) known.cores[*identity] = core;
    return core;
}

Result<std::unique_ptr<Core>> Core::make(const EmbeddedOptions& options) {
    TRY(environment, Environment::open(options));
    auto core = std::unique_ptr<Core>(new Core(std::move(environment)));
    TRY_VOID(core->start());
    return core;
}

Core::Core(std::unique_ptr<Environment> environment)
    : environment_(std::move(environment)),
      leaseFolder_(environment_->file(kSessionFolder)),
      events_(environment_->path()),
      watches_([this] { return snapshot(); }) {}

Result<void> Core::start() {
    TRY_VOID(leaseFolder_.open());
    TRY_VOID(openRevisionFile());
    events_.attach();
    std::vector<LeaseRecord> leases;
    {
        TRY(read, environment_->beginRead());
        seen_ = readRevision(read.txn(), read.databases());
        leases = listLeases(read.txn(), read.databases());
    }
    leaseFolder_.removeStrays(leases);
    writer_ = std::make_unique<Writer>(*environment_, [this](Revision r) { publish(r); });
    // What a dead process left is gone before anybody looks.
    for (const auto& suspect : monitor_.check(leaseFolder_, leases, {})) {
        bool ended = false;
        const auto done = writer_->run([&](WriteTransaction& transaction) -> Result<void> {
            ended = endIfStillSo(transaction, suspect);
            return {};
        });
        if (!done) kLog.warn("a dead session cannot be removed yet", {kv("reason", done.error())});
        if (done && ended) leaseFolder_.remove(suspect.lease);
    }
    watcher_ = std::thread([this] { watch(); });
    return {};
}

Core::~Core() {
    stopping_ = true;
    events_.poke();
    if (watcher_.joinable()) watcher_.join();
    writer_.reset();
    if (revisionFile_ >= 0) ::close(revisionFile_);
}

Result<std::unique_ptr<Snapshot>> Core::snapshot() {
    TRY(read, environment_->beginRead());
    return std::make_unique<EmbeddedSnapshot>(std::move(read));
}

Result<LogPart> Core::changesSince(std::optional<Revision> since) {
    TRY(read, environment_->beginRead());
    const auto newest = readRevision(read.txn(), read.databases());
    LogPart part;
    part.through = since.value_or(newest);
    if (part.through == newest) return part;
    const NumberText next(part.through + 1);
    Cursor cursor(read.txn(), read.databases().log);
    auto key = toVal(next.view());
    MDB_val value{};
    int code = cursor.get(key, value, MDB_SET_RANGE);
    // Each revision has an entry.
    if (part.through > newest || code != 0 || loadNumber(toText(key)) != part.through + 1) return logForgotten(part.through);
    for (std::size_t i = 0; code == 0 && i < kMostRevisionsRead && !isFull(part); ++i, code = cursor.get(key, value, MDB_NEXT)) {
        part.through = loadNumber(toText(key));
        if (auto changes = decodeLogged(toText(value)); !changes.empty()) part.entries.push_back({part.through, std::move(changes)});
    }
    part.more = part.through < newest;
    return part;
}

Result<void> Core::openRevisionFile() {
    const auto path = environment_->file(kRevisionFile);
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0660);
    if (fd < 0)
        return fail(errno == EACCES ? ErrorCode::PermissionDenied : ErrorCode::Unavailable,
                    "{} cannot be opened: {}; let this user write it", path, std::strerror(errno));
    const std::lock_guard lock(mutex_);
    if (revisionFile_ >= 0) ::close(revisionFile_);
    revisionFile_ = fd;
    return {};
}

/// Wakes the watchers of all processes. The content is for people only.
void Core::publish(Revision revision) {
    const auto text = fmt::format("{:020}\n", revision);
    {
        const std::lock_guard lock(mutex_);
        [[maybe_unused]] const auto written = ::pwrite(revisionFile_, text.data(), text.size(), 0);
    }
    events_.poke();
}

void Core::watch() {
    ::pthread_setname_np(::pthread_self(), "nsdb-watch");
    auto lastKept = std::chrono::steady_clock::now();
    int ticks = 0;
    while (!stopping_) {
        const bool leaseEnded = events_.wait(kTick);
        checkPresence();
        if (environment_->available()) readLog();
        const auto now = std::chrono::steady_clock::now();
        if (!leaseEnded && !leasesChanged_ && now - lastKept < kTick) continue;
        // A longer pause than this was ours, not theirs: we were frozen.
        keepLeases(std::min<event::Duration>(now - lastKept, 2 * kTick));
        lastKept = now;
        leasesChanged_ = false;
        if (++ticks % kTicksPerCleaning == 0) environment_->clearDeadReaders();
    }
}

void Core::checkPresence() {
    const bool available = environment_->available();
    switch (environment_->presence()) {
        case Environment::Presence::Here:
            if (!available) comeBack(false);
            return;
        case Environment::Presence::Away:
            if (available) goAway();
            return;
        case Environment::Presence::Replaced:
            if (available) goAway();
            if (const auto opened = environment_->reopen(); !opened) return;
            comeBack(true);
            return;
    }
}

void Core::goAway() {
    environment_->setAvailable(false);
    kLog.warn("the store is away, waiting for it", {kv("path", environment_->path())});
    for (const auto& lease : held()) lease->report({false, false});
}

void Core::comeBack(bool replaced) {
    if (replaced) {
        if (!leaseFolder_.open() || !openRevisionFile()) return;
        events_.attach();
        writer_->forgetLockFile();
        seen_ = 0;
        watches_.everythingChanged();
    }
    environment_->setAvailable(true);
    kLog.info("the store is back", {kv("path", environment_->path()), kv("replaced", replaced)});
    const auto all = held();
    checkHeld(all);
    for (const auto& lease : all)
        if (lease->record()) lease->report({true, false});
    watches_.retry();
}

void Core::readLog() {
    auto read = environment_->beginRead();
    if (!read) return;
    auto* const txn = read->txn();
    const auto& databases = read->databases();
    const auto newest = readRevision(txn, databases);
    if (newest == seen_) return;
    std::vector<LocalWatches::Change> changes;
    bool complete = newest > seen_;
    if (complete) {
        const NumberText next(seen_ + 1);
        Cursor cursor(txn, databases.log);
        auto key = toVal(next.view());
        MDB_val value{};
        int code = cursor.get(key, value, MDB_SET_RANGE);
        complete = code == 0 && loadNumber(toText(key)) == seen_ + 1;
        for (; complete && code == 0; code = cursor.get(key, value, MDB_NEXT))
            for (auto& changed : decodeChanges(toText(value))) {
                leasesChanged_ = leasesChanged_ || changed.key.directory == kLeaseDirectory;
                changes.push_back({loadNumber(toText(key)), std::move(changed.key)});
            }
    }
    seen_ = newest;
    announceLog(changes);
    if (complete) return watches_.changed(changes);
    leasesChanged_ = true;
    watches_.everythingChanged();
}

Core::HeldLeases Core::held() const {
    const std::lock_guard lock(mutex_);
    HeldLeases out;
    for (const auto& [id, lease] : leases_) out.push_back(lease);
    return out;
}

void Core::hold(const std::shared_ptr<HeldLease>& lease) {
    {
        const std::lock_guard lock(mutex_);
        leases_.emplace(lease->id(), lease);
    }
    openLease(lease);
}

void Core::letGo(const std::shared_ptr<HeldLease>& lease) {
    {
        const std::lock_guard lock(mutex_);
        leases_.erase(lease->id());
    }
    writer_->submit({[id = lease->id()](WriteTransaction& transaction) -> Result<void> {
                         transaction.endLease(id);
                         return {};
                     },
                     [this, lease](const Result<Revision>& ended) {
                         // Where the store could not be told, the file that is no longer locked tells.
                         const auto record = lease->record();
                         lease->lose();
                         if (ended && record) leaseFolder_.remove(*record);
                     }});
}

Result<void> Core::expire(const Uuid& id) {
    TRY(revision, writer_->run([&](WriteTransaction& transaction) -> Result<void> {
        if (!transaction.lease(id)) return fail(ErrorCode::NotFound, "no session {}", id);
        transaction.endLease(id);
        return {};
    }));
    static_cast<void>(revision);
    return {};
}

void Core::keepLeases(event::Duration sinceLast) {
    const auto all = held();
    for (const auto& lease : all) lease->beat();
    if (!environment_->available()) return;
    checkHeld(all);
    for (const auto& lease : all) openLease(lease);
    endLeasesOfOthers(sinceLast);
}

void Core::openLease(const std::shared_ptr<HeldLease>& lease) {
    if (!lease->startOpening()) return;
    struct Opening {
        LeaseRecord record;
        std::unique_ptr<LeaseFile> file;
    };
    auto opening = std::make_shared<Opening>();
    opening->record = {lease->id(), lease->ttl(), Uuid::random().low()};
    writer_->submit({[this, opening](WriteTransaction& transaction) -> Result<void> {
                         if (!opening->file) {
                             TRY(file, leaseFolder_.create(opening->record));
                             opening->file = std::move(file);
                         }
                         transaction.openLease(opening->record);
                         return {};
                     },
                     [this, opening, lease](const Result<Revision>& done) {
                         if (!done) {
                             leaseFolder_.remove(opening->record);
                             return lease->openingFailed();
                         }
                         lease->opened(opening->record, std::move(opening->file));
                         lease->report({true, true});
                     }});
}

/// Whether ours are still there: we may have been frozen for too long.
void Core::checkHeld(const HeldLeases& leases) {
    struct Known {
        std::shared_ptr<HeldLease> lease;
        LeaseRecord record;
    };
    std::vector<Known> known;
    for (const auto& lease : leases)
        if (const auto record = lease->record()) known.push_back({lease, *record});
    // Opened before this read began, so it must be seen.
    auto read = environment_->beginRead();
    if (!read) return;
    for (const auto& [lease, record] : known) {
        const auto stored = readLease(read->txn(), read->databases(), record.id);
        if (stored && stored->incarnation == record.incarnation) continue;
        if (!lease->lose()) continue;
        kLog.warn("the session was lost, opening it again", {kv("session", record.id)});
        lease->report({false, false});
        openLease(lease);
    }
}

void Core::endLeasesOfOthers(event::Duration sinceLast) {
    std::vector<LeaseRecord> others;
    {
        auto read = environment_->beginRead();
        if (!read) return;
        others = listLeases(read->txn(), read->databases());
    }
    {
        const std::lock_guard lock(mutex_);
        std::erase_if(others, [this](const auto& lease) { return leases_.contains(lease.id); });
    }
    for (const auto& suspect : monitor_.check(leaseFolder_, others, sinceLast)) {
        auto ended = std::make_shared<bool>(false);
        writer_->submit({[this, suspect, ended](WriteTransaction& transaction) -> Result<void> {
                             *ended = endIfStillSo(transaction, suspect);
                             return {};
                         },
                         [this, suspect, ended](const Result<Revision>& done) {
                             if (done && *ended) leaseFolder_.remove(suspect.lease);
                         }});
    }
}

bool Core::endIfStillSo(WriteTransaction& transaction, const LeaseMonitor::Suspect& suspect) {
    const auto now = transaction.lease(suspect.lease.id);
    if (!now || now->incarnation != suspect.lease.incarnation) return false;
    const auto beats = leaseFolder_.readBeats(*now);
    if (beats && beats != suspect.beats) return false;
    kLog.info(beats ? "ending the session of a frozen process" : "ending the session of a dead process",
              {kv("session", now->id)});
    transaction.endLease(now->id);
    return true;
}

}  // namespace midonet::nsdb::embedded
