// Connections that outlive their agent, while the next one waits for the NSDB.
#include "agent/connection_state.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "datapath/fake/fake_datapath.h"
#include "flowstate/tests/entries.h"
#include "nsdb/memory.h"

namespace midonet::agent {
namespace {

using namespace std::chrono_literals;
using flowstate::testing::natEntry;

/// One agent's process after the other, on one file.
class ConnectionStateTest : public ::testing::Test {
protected:
    ConnectionStateTest() {
        char folder[] = "/tmp/midonet-connections-XXXXXX";
        folder_ = ::mkdtemp(folder);
    }
    ~ConnectionStateTest() override {
        process.reset();
        std::filesystem::remove_all(folder_);
    }

    struct Process {
        Process(event::Loop& loop, event::BlockingPool& pool, nsdb::Store& store, const std::string& file)
            : datapath(loop.clock()),
              workers(loop, datapath, table, {{HostId{Uuid{1, 1}}, 100}, &loop}, [](datapath::WorkerIndex, const WorkerReport&) {}),
              connections(loop, pool, store, {HostId{Uuid{1, 1}}, file, {}}, table, workers) {
            connections.start([this] { loaded = true; });
            loop.runReady();
        }
        bool loaded = false;
        datapath::fake::FakeDatapath datapath;
        std::shared_ptr<flowstate::StateTable> table = std::make_shared<flowstate::StateTable>();
        WorkerPool workers;
        ConnectionState connections;
    };
    void startProcess() {
        process.reset();
        loop->runReady();
        process = std::make_unique<Process>(*loop, pool, *store, folder_ + "/connections");
        EXPECT_TRUE(process->loaded);
    }
    /// The first process makes a connection, and dies.
    void connectAndStartNext() {
        startProcess();
        process->connections.packetsBegin();
        WorkerReport report;
        report.add(std::span{&entry, 1});
        process->connections.onReport(0, report);
        loop->runReady();
        startProcess();
        EXPECT_EQ(process->table->size(), 1U);
    }

    std::unique_ptr<event::Loop> loop = event::Loop::createVirtual("control");
    event::BlockingPool pool{*loop};
    std::unique_ptr<nsdb::Store> store = nsdb::openMemory(nsdb::makeSharedMemory());
    std::unique_ptr<Process> process;
    const flowstate::StateEntry entry = natEntry(1);

private:
    std::string folder_;
};

TEST_F(ConnectionStateTest, WhatWasReadStaysUntilPacketsBegin) {
    connectAndStartNext();
    loop->advance(10min);
    EXPECT_EQ(process->table->size(), 1U) << "flows of the process before rest on it";
    process->connections.packetsBegin();
    loop->advance(std::chrono::seconds{entry.idleSeconds} - 2s);
    EXPECT_EQ(process->table->size(), 1U) << "its idle time begins now";
    loop->advance(1min);
    EXPECT_EQ(process->table->size(), 0U);
}

TEST_F(ConnectionStateTest, WhatWasReadStaysForTheProcessAfterNextToo) {
    connectAndStartNext();
    loop->advance(10min);
    startProcess();
    EXPECT_EQ(process->table->size(), 1U);
}

}  // namespace
}  // namespace midonet::agent
