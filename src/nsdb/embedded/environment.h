#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "nsdb/embedded/gate.h"
#include "nsdb/embedded/lmdb.h"
#include "nsdb/store.h"

namespace midonet::nsdb::embedded {

/// Names of the files in the folder of a store.
inline constexpr const char* kRevisionFile = "revision";
inline constexpr const char* kWriteLockFile = "write.lock";
inline constexpr const char* kSessionFolder = "sessions";

/// The tables of the LMDB file; embedded/record_format.h says what is in them.
struct Databases {
    MDB_dbi meta = 0;
    MDB_dbi records = 0;
    MDB_dbi directories = 0;
    MDB_dbi log = 0;
    MDB_dbi leases = 0;
    MDB_dbi owned = 0;
};

class Environment;

/// A read transaction, given back to the pool at its end. One thread at a time.
class ReadTransaction {
public:
    ReadTransaction(Environment& environment, MDB_txn* txn)
        : environment_(&environment), txn_(txn) {}
    ~ReadTransaction();
    ReadTransaction(ReadTransaction&& other) noexcept
        : environment_(other.environment_), txn_(std::exchange(other.txn_, nullptr)) {}
    ReadTransaction& operator=(ReadTransaction&&) = delete;

    MDB_txn* txn() const { return txn_; }
    const Databases& databases() const;

private:
    Environment* environment_;
    MDB_txn* txn_;
};

/// The LMDB file of one folder. Readers on any thread; one writing thread; the map grows and the file
/// is opened again when another one is put in its place.
class Environment {
public:
    /// Makes the folder and the store when absent.
    static Result<std::unique_ptr<Environment>> open(const EmbeddedOptions& options);
    ~Environment();
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

    const std::string& path() const { return options_.path; }
    const EmbeddedOptions& options() const { return options_; }
    std::string file(std::string_view name) const;

    /// Unavailable while the store is away.
    Result<ReadTransaction> beginRead();

    /// Runs `body` in a write transaction and commits it, when it returns true; false: nothing to
    /// write. `body` runs again after the map was grown. LMDB's errors come back through its Result.
    /// The caller holds the write lock; one thread.
    Result<void> write(const std::function<Result<bool>(MDB_txn*, const Databases&, int& code)>& body);

    /// Whether the path still names the file that is open.
    enum class Presence { Here, Away, Replaced };
    Presence presence();
    /// What views and writes answer from now on.
    void setAvailable(bool available) { available_ = available; }
    bool available() const { return available_; }
    Unexpected away() const;
    /// Closes the file and opens what is in its place.
    Result<void> reopen();
    /// Frees the reader slots of processes that died.
    void clearDeadReaders();

private:
    friend class ReadTransaction;
    explicit Environment(EmbeddedOptions options) : options_(std::move(options)) {}

    Result<void> openFile(bool create);
    Result<void> prepare(MDB_txn* txn, bool create);
    void closeFile();
    bool diskIsFull() const;  // inside the gate
    void dropPooled();
    void giveBack(MDB_txn* txn);
    /// `size` 0: what another process made of it.
    Result<void> resizeMap(std::size_t size);

    const EmbeddedOptions options_;
    Gate gate_;
    MDB_env* env_ = nullptr;  // behind the gate
    Databases databases_;     // behind the gate
    dev_t device_ = 0;        // of the open file; behind the gate
    ino_t inode_ = 0;         // behind the gate
    std::atomic<bool> available_ = true;
    std::mutex poolMutex_;
    std::vector<MDB_txn*> pool_;  // guarded by poolMutex_
};

}  // namespace midonet::nsdb::embedded
