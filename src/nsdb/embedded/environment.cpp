#include "nsdb/embedded/environment.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "base/scope_guard.h"
#include "nsdb/embedded/write_lock.h"
#include "nsdb/layout.h"

namespace midonet::nsdb::embedded {
namespace {

using namespace std::chrono_literals;

constexpr Logger kLog{"nsdb"};
constexpr mode_t kFileMode = 0660;
constexpr mode_t kFolderMode = 0770;
constexpr unsigned kMaxReaders = 1024;
constexpr std::size_t kPooledReads = 64;
/// For views that are open when the map has to move.
constexpr auto kPatience = 2s;
constexpr auto kTurnPatience = 10s;
constexpr std::string_view kMagicKey = "magic";
constexpr std::string_view kMagic = "MidoNet NSDB";
constexpr std::string_view kSchemaKey = "schema";

Result<void> makeFolder(const std::string& path) {
    const auto made = [&path] { return ::mkdir(path.c_str(), kFolderMode) == 0 || errno == EEXIST; };
    if (made()) return {};
    if (errno == ENOENT) {
        const auto slash = path.find_last_of('/');
        if (slash == path.npos || slash == 0)
            return fail(ErrorCode::Invalid, "'{}' is no path for a folder", path);
        TRY_VOID(makeFolder(path.substr(0, slash)));
        if (made()) return {};  // not so below /proc, where ENOENT stays
    }
    return fail(errno == EACCES ? ErrorCode::PermissionDenied : ErrorCode::Unavailable,
                "the folder {} of the store cannot be made: {}; make it, or set nsdb.path to "
                "another one",
                path, std::strerror(errno));
}

}  // namespace

ReadTransaction::~ReadTransaction() {
    if (txn_ == nullptr) return;
    environment_->giveBack(txn_);
    environment_->gate_.leave();
}

const Databases& ReadTransaction::databases() const { return environment_->databases_; }

Result<std::unique_ptr<Environment>> Environment::open(const EmbeddedOptions& options) {
    TRY_VOID(makeFolder(options.path));
    auto out = std::unique_ptr<Environment>(new Environment(options));
    TRY_VOID(makeFolder(out->file(kSessionFolder)));
    TRY_VOID(out->openFile(true));
    return out;
}

Environment::~Environment() { closeFile(); }

std::string Environment::file(std::string_view name) const {
    return fmt::format("{}/{}", options_.path, name);
}

Result<void> Environment::openFile(bool create) {
    const auto data = file("data.mdb");
    struct stat info {};
    if (!create && ::stat(data.c_str(), &info) != 0) return away();
    MDB_env* env = nullptr;
    if (const int code = mdb_env_create(&env); code != 0)
        return Unexpected{lmdbError(code, "the store cannot be opened")};
    auto closer = ScopeGuard([&] { mdb_env_close(env); });
    mdb_env_set_maxdbs(env, 8);
    mdb_env_set_maxreaders(env, kMaxReaders);
    mdb_env_set_mapsize(env, options_.mapSize);
    if (const int code = mdb_env_open(env, options_.path.c_str(), MDB_NOTLS, kFileMode); code != 0)
        return Unexpected{lmdbError(code, fmt::format("the store {} cannot be opened", data))};
    int dead = 0;
    mdb_reader_check(env, &dead);

    // Making the tables is a write, and waits for its turn.
    WriteLock turn(file(kWriteLockFile));
    if (create) TRY_VOID(turn.acquire(kTurnPatience));
    MDB_txn* txn = nullptr;
    if (const int code = mdb_txn_begin(env, nullptr, create ? 0 : MDB_RDONLY, &txn); code != 0)
        return Unexpected{lmdbError(code, fmt::format("the store {} cannot be written", data))};
    auto aborter = ScopeGuard([&] { mdb_txn_abort(txn); });
    TRY_VOID(prepare(txn, create));
    aborter.release();
    if (const int code = mdb_txn_commit(txn); code != 0)
        return Unexpected{lmdbError(code, fmt::format("the store {} cannot be written", data))};

    mdb_filehandle_t fd = -1;
    mdb_env_get_fd(env, &fd);
    if (::fstat(fd, &info) != 0)
        return fail(ErrorCode::Unavailable, "{}: {}", data, std::strerror(errno));
    device_ = info.st_dev;
    inode_ = info.st_ino;
    closer.release();
    env_ = env;
    return {};
}

/// Opens the tables; makes them in an empty file, and refuses what is not ours.
Result<void> Environment::prepare(MDB_txn* txn, bool create) {
    const auto data = file("data.mdb");
    const auto openTable = [&](const char* name, MDB_dbi& dbi, unsigned flags) {
        return mdb_dbi_open(txn, name, flags, &dbi);
    };
    MDB_stat all{};
    MDB_dbi root = 0;
    mdb_dbi_open(txn, nullptr, 0, &root);
    mdb_stat(txn, root, &all);
    const bool empty = all.ms_entries == 0;
    if (empty && !create) return fail(ErrorCode::Unavailable, "the file {} holds no store", data);
    if (!empty && openTable("meta", databases_.meta, 0) == MDB_NOTFOUND)
        return fail(ErrorCode::Malformed,
                    "{} is an LMDB file, but not of this product; set nsdb.path to another folder",
                    data);

    struct Table {
        const char* name;
        MDB_dbi* dbi;
    };
    for (const auto& [name, dbi] :
         {Table{"meta", &databases_.meta}, Table{"records", &databases_.records},
          Table{"directories", &databases_.directories}, Table{"log", &databases_.log},
          Table{"leases", &databases_.leases}, Table{"owned", &databases_.owned}})
        if (const int code = openTable(name, *dbi, create ? MDB_CREATE : 0); code != 0)
            return Unexpected{lmdbError(code, fmt::format("the store {} cannot be opened", data))};

    const auto get = [&](std::string_view key) {
        auto k = toVal(key);
        MDB_val value{};
        return mdb_get(txn, databases_.meta, &k, &value) == 0 ? toText(value) : std::string_view{};
    };
    if (empty) {
        const NumberText version(kSchemaVersion);
        for (const auto& [key, value] : {std::pair{kMagicKey, kMagic}, {kSchemaKey, version.view()}}) {
            auto k = toVal(key);
            auto v = toVal(value);
            if (const int code = mdb_put(txn, databases_.meta, &k, &v, 0); code != 0)
                return Unexpected{lmdbError(code, fmt::format("the store {} cannot be made", data))};
        }
        return {};
    }
    if (get(kMagicKey) != kMagic)
        return fail(ErrorCode::Malformed,
                    "{} is an LMDB file, but not of this product; set nsdb.path to another folder",
                    data);
    if (const auto version = loadNumber(get(kSchemaKey)); version > kSchemaVersion)
        return fail(ErrorCode::Unsupported,
                    "the store {} has schema version {}, this program knows up to version {}: update "
                    "this program",
                    data, version, kSchemaVersion);
    return {};
}

void Environment::closeFile() {
    dropPooled();
    if (env_ != nullptr) mdb_env_close(env_);
    env_ = nullptr;
}

Result<ReadTransaction> Environment::beginRead() {
    for (int attempt = 0;; ++attempt) {
        gate_.enter();
        auto leaver = ScopeGuard([this] { gate_.leave(); });
        if (!available_ || env_ == nullptr) return away();
        MDB_txn* txn = nullptr;
        {
            const std::lock_guard lock(poolMutex_);
            if (!pool_.empty()) {
                txn = pool_.back();
                pool_.pop_back();
            }
        }
        int code = 0;
        if (txn != nullptr) {
            code = mdb_txn_renew(txn);
            if (code != 0) mdb_txn_abort(txn);
        } else {
            code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
        }
        if (code == 0) {
            leaver.release();
            return ReadTransaction(*this, txn);
        }
        if (attempt == 3) return Unexpected{lmdbError(code, "the store cannot be read")};
        if (code == MDB_READERS_FULL) {
            int dead = 0;
            mdb_reader_check(env_, &dead);
        } else if (code == MDB_MAP_RESIZED) {
            leaver.release();
            gate_.leave();
            TRY_VOID(resizeMap(0));
        } else {
            return Unexpected{lmdbError(code, "the store cannot be read")};
        }
    }
}

void Environment::giveBack(MDB_txn* txn) {
    mdb_txn_reset(txn);
    const std::lock_guard lock(poolMutex_);
    if (pool_.size() < kPooledReads)
        pool_.push_back(txn);
    else
        mdb_txn_abort(txn);
}

void Environment::dropPooled() {
    const std::lock_guard lock(poolMutex_);
    for (auto* txn : pool_) mdb_txn_abort(txn);
    pool_.clear();
}

Result<void> Environment::resizeMap(std::size_t size) {
    if (!gate_.close(kPatience))
        return fail(ErrorCode::Exhausted,
                    "the map of the store {} has to move, but a view of it stays open", path());
    const ScopeGuard opener([this] { gate_.open(); });
    dropPooled();
    if (env_ == nullptr) return away();
    if (const int code = mdb_env_set_mapsize(env_, size); code != 0)
        return Unexpected{lmdbError(code, "the map of the store cannot be grown")};
    return {};
}

Result<void> Environment::write(
    const std::function<Result<bool>(MDB_txn*, const Databases&, int& code)>& body) {
    for (int attempt = 0;; ++attempt) {
        std::size_t mapSize = 0;
        int code = 0;
        {
            gate_.enter();
            const ScopeGuard leaver([this] { gate_.leave(); });
            if (env_ == nullptr) return away();
            MDB_envinfo info{};
            mdb_env_info(env_, &info);
            mapSize = info.me_mapsize;
            MDB_txn* txn = nullptr;
            code = mdb_txn_begin(env_, nullptr, 0, &txn);
            if (code == 0) {
                auto aborter = ScopeGuard([&] { mdb_txn_abort(txn); });
                auto wanted = body(txn, databases_, code);
                if (code == 0) {
                    if (!wanted) return Unexpected{wanted.error()};
                    if (!*wanted) return {};
                    aborter.release();
                    code = mdb_txn_commit(txn);
                    if (code == 0) return {};
                    // LMDB's word for a write cut short.
                    if (code == EIO && diskIsFull()) code = ENOSPC;
                }
            }
        }
        if (attempt == 8) return Unexpected{lmdbError(code, "the store cannot be written")};
        if (code == MDB_MAP_FULL) {
            kLog.info("growing the map of the store", {kv("bytes", mapSize * 2)});
            TRY_VOID(resizeMap(mapSize * 2));
        } else if (code == MDB_MAP_RESIZED) {
            TRY_VOID(resizeMap(0));
        } else if (code == MDB_PANIC) {
            TRY_VOID(reopen());
        } else {
            return Unexpected{lmdbError(code, "the store cannot be written")};
        }
    }
}

bool Environment::diskIsFull() const {
    constexpr unsigned long kLittle = 1 << 20;
    mdb_filehandle_t fd = -1;
    struct statvfs info {};
    return mdb_env_get_fd(env_, &fd) == 0 && ::fstatvfs(fd, &info) == 0 &&
           info.f_bavail * info.f_frsize < kLittle;
}

Environment::Presence Environment::presence() {
    struct stat info {};
    if (::stat(file("data.mdb").c_str(), &info) != 0) return Presence::Away;
    gate_.enter();
    const ScopeGuard leaver([this] { gate_.leave(); });
    if (env_ == nullptr) return Presence::Replaced;
    return info.st_dev == device_ && info.st_ino == inode_ ? Presence::Here : Presence::Replaced;
}

Unexpected Environment::away() const {
    return fail(ErrorCode::Unavailable,
                "the store {} is away or cannot be entered; it is used again once it is back", path());
}

Result<void> Environment::reopen() {
    if (!gate_.close(kPatience)) return away();
    const ScopeGuard opener([this] { gate_.open(); });
    closeFile();
    return openFile(false);
}

void Environment::clearDeadReaders() {
    gate_.enter();
    const ScopeGuard leaver([this] { gate_.leave(); });
    int dead = 0;
    if (env_ != nullptr) mdb_reader_check(env_, &dead);
}

}  // namespace midonet::nsdb::embedded
