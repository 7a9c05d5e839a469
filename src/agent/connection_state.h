#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/worker_pool.h"
#include "event/blocking_pool.h"
#include "event/loop.h"
#include "flowstate/nat_leases.h"
#include "flowstate/state_file.h"
#include "flowstate/state_table.h"
#include "nsdb/store.h"

namespace midonet::agent {

/// What this host knows of connections beside its flows, from the side of the control loop: ends what is idle, keeps
/// it in a file for the next process, and leases the ports of source translation.
///
/// Control loop; the file is read and written on the pool.
class ConnectionState {
public:
    struct Options {
        HostId self;
        std::string file;  ///< Empty: nothing outlives the process.
        flowstate::NatLeases::Options leases;
    };

    ConnectionState(event::Loop& loop, event::BlockingPool& pool, nsdb::Store& store, Options options,
                    std::shared_ptr<flowstate::StateTable> table, WorkerPool& workers);
    ~ConnectionState();
    ConnectionState(const ConnectionState&) = delete;
    ConnectionState& operator=(const ConnectionState&) = delete;

    /// Reads what the process before left, then takes back its blocks of ports; `onLoaded` is called when it is known.
    void start(std::function<void()> onLoaded);
    /// Once, after onLoaded: packets are simulated from now on. Until then flows that the process before left rest on what was
    /// read, and nobody tells: all of it stays, here and in the file.
    void packetsBegin();
    void onReport(datapath::WorkerIndex worker, const WorkerReport& report);
    /// The session was lost and is back.
    void onRestored();

private:
    void onAnswer(const flowstate::NatLeases::Answer& answer);
    void expire();
    void trimMemory();
    void saveHeld();
    void saveAll();
    void saveAgain(const std::vector<flowstate::StateEntry>& entries);
    void save(std::vector<flowstate::StateFile::Change> changes);
    void writeNext();

    event::Loop& loop_;
    event::BlockingPool& pool_;
    const Options options_;
    std::shared_ptr<flowstate::StateTable> table_;
    WorkerPool& workers_;
    flowstate::NatLeases leases_;
    std::shared_ptr<flowstate::StateFile> file_;  // used by one task of the pool at a time
    std::vector<flowstate::StateFile::Change> unsaved_;
    bool writing_ = false;
    std::size_t mostEntries_ = 0;  // since memory was given back last
    LogLimiter errorLog_{std::chrono::seconds{10}, 1};
    event::HandlePtr expireTimer_;
    event::HandlePtr saveTimer_;
    std::shared_ptr<ConnectionState*> self_;  // emptied at the end: the pool may answer later
};

}  // namespace midonet::agent
