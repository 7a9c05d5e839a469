#include "maintenance/tool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cloud.h"
#include "model/ids.h"

namespace midonet::maintenance {
namespace {

using nsdb::Transaction;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

/// The tool on a store in memory, that several runs share.
class Tool : public testing::Test {
protected:
    Tool() { fill(); }

    ExitCode run(const std::vector<std::string>& words, const std::string& input = {}) {
        std::istringstream in(input);
        std::ostringstream out, err;
        const auto open = [this]() -> Result<std::unique_ptr<nsdb::Store>> { return openStore(); };
        const ToolWorld world{open, open, backend_, {}, in, out, err, nsdb::fleetSchema()};
        const auto code = runTool(world, words);
        out_ = out.str();
        err_ = err.str();
        return code;
    }
    std::unique_ptr<nsdb::Store> openStore() { return nsdb::makeObjectStore(nsdb::makeMemoryBackend(shared_), nsdb::fleetSchema()); }
    void fill() {
        const auto done = openStore()->transact([this](Transaction& t) { return t.create(nsdb::harbour(harbour_, "Tortuga")); });
        ASSERT_TRUE(done);
    }
    void damage() {
        nsdb::Batch batch;
        batch.writes.push_back({{"u/Harbour.name", "Nassau"}, harbour_.toString()});
        const auto store = openStore();
        ASSERT_TRUE(nsdb::backendOf(*store).commit(std::move(batch)));
    }

    std::shared_ptr<nsdb::SharedMemory> shared_ = nsdb::makeSharedMemory();
    std::string backend_ = "test";
    const Uuid harbour_ = Uuid::random();
    nsdb::TemporaryFolder folder_;
    std::string out_, err_;
};

TEST_F(Tool, DumpsAndLoadsThroughPipes) {
    ASSERT_EQ(run({"dump"}), ExitCode::Fine);
    const auto text = out_;
    EXPECT_THAT(text, HasSubstr("Tortuga"));
    shared_ = nsdb::makeSharedMemory();
    EXPECT_EQ(run({"load", "-"}, text), ExitCode::Fine) << err_;
    EXPECT_THAT(out_, HasSubstr("loaded 1 objects"));
    EXPECT_EQ(run({"diff", "-"}, text), ExitCode::Fine);
    EXPECT_THAT(out_, IsEmpty());
}

TEST_F(Tool, DumpsAndLoadsFiles) {
    const auto file = folder_.path() + "/dump";
    ASSERT_EQ(run({"dump", file, "--with-leased"}), ExitCode::Fine) << err_;
    EXPECT_THAT(out_, IsEmpty());
    EXPECT_FALSE(std::ifstream(file + ".tmp"));
    EXPECT_EQ(run({"load", file}), ExitCode::Failed);
    EXPECT_THAT(err_, HasSubstr("--replace --yes"));
    EXPECT_EQ(run({"load", "--replace", file}), ExitCode::Failed);
    EXPECT_THAT(err_, HasSubstr("say --yes"));
    EXPECT_EQ(run({"load", "--replace", file, "--yes"}), ExitCode::Fine) << err_;
    EXPECT_EQ(run({"diff", file, file}), ExitCode::Fine);
    EXPECT_EQ(run({"dump", folder_.path() + "/absent/dump"}), ExitCode::Failed);
    EXPECT_THAT(err_, HasSubstr("cannot be written"));
    EXPECT_EQ(run({"load", folder_.path() + "/absent"}), ExitCode::Failed);
    EXPECT_THAT(err_, HasSubstr("cannot be read"));
}

TEST_F(Tool, LinksAndDevicesStayWhatTheyAre) {
    namespace fs = std::filesystem;
    const fs::path folder(folder_.path());
    std::ofstream(folder / "file") << "old";
    fs::create_symlink(folder / "file", folder / "link");
    ASSERT_EQ(run({"dump", folder / "link"}), ExitCode::Fine) << err_;
    EXPECT_TRUE(fs::is_symlink(folder / "link"));
    EXPECT_EQ(run({"diff", folder / "file"}), ExitCode::Fine) << err_;
    ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
    const int reader = ::open((folder / "pipe").c_str(), O_RDWR | O_CLOEXEC);  // no writer waits for another reader
    ASSERT_EQ(run({"dump", folder / "pipe"}), ExitCode::Fine) << err_;
    ::close(reader);
    EXPECT_TRUE(fs::is_fifo(folder / "pipe"));
}

TEST_F(Tool, ABadDumpLeavesTheStoreAlone) {
    EXPECT_EQ(run({"load", "-", "--replace", "--yes"}, "no dump\n"), ExitCode::Failed);
    EXPECT_THAT(err_, HasSubstr("line 1"));
    ASSERT_EQ(run({"dump"}), ExitCode::Fine);
    EXPECT_THAT(out_, HasSubstr("Tortuga"));
}

TEST_F(Tool, VerifyTellsAndGcMends) {
    EXPECT_EQ(run({"verify"}), ExitCode::Fine);
    EXPECT_THAT(out_, HasSubstr("nothing found"));
    damage();
    EXPECT_EQ(run({"verify"}), ExitCode::Found);
    EXPECT_THAT(out_, AllOf(HasSubstr("'Nassau'"), HasSubstr("    gc: the value is free again"), HasSubstr("1 findings")));
    EXPECT_EQ(run({"gc"}), ExitCode::Fine);
    EXPECT_THAT(out_, HasSubstr("1 would be mended"));
    EXPECT_EQ(run({"verify"}), ExitCode::Found);
    EXPECT_EQ(run({"gc", "--yes"}), ExitCode::Fine);
    EXPECT_THAT(out_, HasSubstr("1 mended, 0 left"));
    EXPECT_EQ(run({"verify"}), ExitCode::Fine);
}

TEST_F(Tool, DiffTellsByItsExitCode) {
    ASSERT_EQ(run({"dump"}), ExitCode::Fine);
    const auto text = out_;
    const auto done = openStore()->transact([this](Transaction& t) { return t.update(nsdb::harbour(harbour_, "Nassau")); });
    ASSERT_TRUE(done);
    EXPECT_EQ(run({"diff", "-"}, text), ExitCode::Found);
    EXPECT_THAT(out_, HasSubstr("    name: \"Tortuga\" -> \"Nassau\""));
}

TEST_F(Tool, StatusTellsWhatThereIs) {
    const auto loop = event::Loop::createVirtual("test");
    const auto store = openStore();
    const auto session = store->openSession(*loop, std::chrono::seconds(10));
    loop->runReady();
    session->putState(fleet::Harbour::descriptor(), harbour_, "open", "yes");
    loop->runReady();
    EXPECT_EQ(run({"status"}), ExitCode::Fine);
    EXPECT_THAT(out_, AllOf(HasSubstr("backend            test\n"), HasSubstr("Harbour            1\n"),
                            HasSubstr("sessions           1\n"),
                            HasSubstr(session->id().toString() + "  no agent: 1 states, 0 learned entries, 0 candidacies")));
}

TEST_F(Tool, MistakesAreToldWithTheFix) {
    const std::pair<std::vector<std::string>, std::string> cases[] = {
        {{}, "which command?"},          {{"dumb"}, "there is no command dumb"},  {{"dump", "a", "b"}, "write: dump [FILE]"},
        {{"load"}, "write: load FILE|-"}, {{"verify", "x"}, "write: verify"},     {{"verify", "--yes"}, "verify has no option --yes"},
        {{"diff"}, "write: diff FILE"},
    };
    for (const auto& [words, message] : cases) {
        EXPECT_EQ(run(words), ExitCode::Failed);
        EXPECT_THAT(err_, HasSubstr(message));
    }
    backend_ = "memory";
    EXPECT_EQ(run({"status"}), ExitCode::Failed);
    EXPECT_THAT(err_, HasSubstr("nsdb.backend"));
}

}  // namespace
}  // namespace midonet::maintenance
