#include "flowstate/state_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/log.h"
#include "flowstate/tests/entries.h"

namespace midonet::flowstate {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using testing::ipv6Entry;
using testing::natEntry;

const event::WallTime kNow{std::chrono::hours{500'000}};

struct StateFileTest : ::testing::Test {
    StateFileTest() {
        setLogLevel(LogLevel::Error);  // one warning for each of a hundred torn files
        std::string folder = (std::filesystem::temp_directory_path() / "midonet-state-XXXXXX").string();
        EXPECT_NE(::mkdtemp(folder.data()), nullptr);
        folder_ = folder;
        path = (folder_ / "below" / "state").string();
    }
    ~StateFileTest() override {
        std::filesystem::remove_all(folder_);
        setLogLevel(LogLevel::Info);
    }

    std::unique_ptr<StateFile> open(StateFile::Options options = {}) const {
        auto file = StateFile::open(path, options);
        EXPECT_TRUE(file) << file.error().message;
        return file ? std::move(*file) : nullptr;
    }
    /// What another process would find.
    std::vector<SavedEntry> reload(event::WallTime now = kNow) const {
        auto live = open()->load(now);
        EXPECT_TRUE(live) << live.error().message;
        return live.value_or(std::vector<SavedEntry>{});
    }
    std::string content() const {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void setContent(std::string_view text) const {
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    }
    static StateFile::Change put(const StateEntry& entry, std::chrono::seconds lives = 30s) { return {entry, kNow + lives}; }
    static StateFile::Change gone(const StateEntry& entry) { return {entry, std::nullopt}; }
    static SavedEntry saved(const StateEntry& entry, std::chrono::seconds lives = 30s) { return {entry, kNow + lives}; }
    /// A file with these, and nothing open.
    void write(std::vector<StateFile::Change> changes) const {
        const auto file = open();
        ASSERT_TRUE(file->load(kNow));
        ASSERT_TRUE(file->append(changes, kNow));
    }

    std::filesystem::path folder_;
    std::string path;
};

TEST_F(StateFileTest, BeginsEmptyInAFolderThatItMakes) {
    EXPECT_THAT(reload(), IsEmpty());
    EXPECT_EQ(content(), kStateLogMagic);
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(StateFileTest, TheNewestOfAKeyCounts) {
    auto moved = natEntry(1);
    moved.binding.port = 5;
    write({put(natEntry(1)), put(ipv6Entry(2)), put(natEntry(3)), put(moved), gone(natEntry(3)), gone(natEntry(4))});
    EXPECT_THAT(reload(), UnorderedElementsAre(saved(moved), saved(ipv6Entry(2))));
    write({put(natEntry(3), 10s)});
    EXPECT_THAT(reload(), UnorderedElementsAre(saved(moved), saved(ipv6Entry(2)), saved(natEntry(3), 10s)));
}

TEST_F(StateFileTest, WhatIsPastItsTimeIsLeftOut) {
    write({put(natEntry(1), 10s), put(natEntry(2), 20s)});
    EXPECT_THAT(reload(kNow + 10s), UnorderedElementsAre(saved(natEntry(2), 20s)));
    EXPECT_THAT(reload(kNow + 20s), IsEmpty());
}

TEST_F(StateFileTest, ALaterPutThatIsPastItsTimeEndsAnEarlierOne) {
    write({put(natEntry(1), 60s), put(natEntry(1), 10s)});
    EXPECT_THAT(reload(kNow + 15s), IsEmpty());
}

TEST_F(StateFileTest, AClockSetBackMakesNothingLiveForEver) {
    write({put(natEntry(1))});
    const auto before = kNow - 24h;
    EXPECT_THAT(reload(before), UnorderedElementsAre(SavedEntry{natEntry(1), before + 60s}));
}

TEST_F(StateFileTest, SurvivesKill9) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        auto file = StateFile::open(path);
        const std::vector changes{put(natEntry(1)), put(ipv6Entry(2))};
        const bool ok = file && (*file)->load(kNow) && (*file)->append(changes, kNow);
        if (ok && ::write(ready[1], "x", 1) == 1)
            for (;;) ::pause();
        ::_exit(1);
    }
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_THAT(reload(), UnorderedElementsAre(saved(natEntry(1)), saved(ipv6Entry(2))));
}

TEST_F(StateFileTest, EveryTornTailLeavesWhatIsWhole) {
    write({put(natEntry(1))});
    const auto one = content();
    write({put(ipv6Entry(2))});
    const auto two = content();
    for (auto size = one.size(); size < two.size(); ++size) {
        setContent(std::string_view(two).substr(0, size));
        ASSERT_THAT(reload(), UnorderedElementsAre(saved(natEntry(1)))) << size;
        ASSERT_EQ(content().size(), one.size()) << "mended";
    }
    for (std::size_t size = 0; size < kStateLogMagic.size(); ++size) {
        setContent(std::string_view(two).substr(0, size));
        ASSERT_THAT(reload(), IsEmpty()) << size;
        ASSERT_FALSE(std::filesystem::exists(path + ".foreign"));
    }
}

TEST_F(StateFileTest, ForeignBytesInTheMiddleCostOnlyWhatTheyHit) {
    write({put(natEntry(1))});
    const auto one = content();
    write({put(natEntry(2)), put(natEntry(3))});
    auto all = content();
    all.insert(all.size(), "\xa5\x20tail");
    all.insert(one.size(), std::string(100, '\xa5') + "garbage");
    setContent(all);
    EXPECT_THAT(reload(), ::testing::SizeIs(3));
    EXPECT_EQ(content().size(), kStateLogMagic.size() + 3 * (one.size() - kStateLogMagic.size()));

    auto hit = one;
    hit[one.size() - 3] = static_cast<char>(hit[one.size() - 3] ^ 1);
    setContent(hit);
    EXPECT_THAT(reload(), IsEmpty());
}

TEST_F(StateFileTest, AFileOfSomebodyElseIsPutAside) {
    setContent("[agent]\nworkers = 2\n");
    EXPECT_THAT(reload(), IsEmpty());
    EXPECT_EQ(content(), kStateLogMagic);
    std::ifstream aside(path + ".foreign");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(aside), {}), "[agent]\nworkers = 2\n");
}

TEST_F(StateFileTest, IsWrittenAnewWithoutTheDead) {
    const auto file = open({.minBytes = 4096});
    ASSERT_TRUE(file->load(kNow));
    std::size_t largest = 0;
    for (std::uint32_t round = 0; round < 2000; ++round) {
        const std::vector changes{put(natEntry(round % 10)), put(natEntry(100 + round)), gone(natEntry(100 + round))};
        ASSERT_TRUE(file->append(changes, kNow));
        largest = std::max(largest, file->size());
    }
    EXPECT_LE(largest, 4096u);
    EXPECT_EQ(std::filesystem::file_size(path), file->size());
    EXPECT_FALSE(std::filesystem::exists(path + ".new"));
    EXPECT_THAT(reload(), ::testing::SizeIs(10));
}

TEST_F(StateFileTest, LargeLiveStateIsNotWrittenAgainAndAgain) {
    const auto inode = [&] {
        struct stat status {};
        EXPECT_EQ(::stat(path.c_str(), &status), 0);
        return status.st_ino;
    };
    const auto file = open({.minBytes = 1024});
    ASSERT_TRUE(file->load(kNow));
    int rewrites = 0;
    for (std::uint32_t n = 0; n < 4000; ++n) {
        const auto before = inode();
        ASSERT_TRUE(file->append(std::vector{put(natEntry(n))}, kNow));
        if (inode() != before) ++rewrites;
    }
    EXPECT_GT(rewrites, 0);
    EXPECT_LT(rewrites, 10) << "once for each doubling";
    EXPECT_THAT(reload(), ::testing::SizeIs(4000));
}

TEST_F(StateFileTest, RefusesAboveItsBoundUntilSomethingHasDied) {
    const auto file = open({.maxBytes = 4096, .minBytes = 1024});
    ASSERT_TRUE(file->load(kNow));
    std::uint32_t n = 0;
    Result<void> written;
    while (n < 1000 && (written = file->append(std::vector{put(natEntry(n))}, kNow))) ++n;
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::Exhausted);
    EXPECT_THAT(written.error().message, HasSubstr(path));
    EXPECT_LE(file->size(), 4096u);
    EXPECT_THAT(reload(), ::testing::SizeIs(n));

    EXPECT_FALSE(file->append(std::vector{put(natEntry(n))}, kNow + 9s));
    EXPECT_TRUE(file->append(std::vector{put(natEntry(n), 99s)}, kNow + 31s)) << "the others are past their time";
}

TEST_F(StateFileTest, AnEmptyBatchIsNothing) {
    const auto file = open();
    ASSERT_TRUE(file->load(kNow));
    const auto before = file->size();
    EXPECT_TRUE(file->append({}, kNow));
    EXPECT_EQ(file->size(), before);
}

TEST_F(StateFileTest, ErrorsNameThePath) {
    std::ofstream(folder_ / "file") << "x";
    std::filesystem::create_directory(folder_ / "folder");
    for (const auto& bad : {folder_ / "file" / "state", folder_ / "folder"}) {
        const auto file = StateFile::open(bad.string());
        ASSERT_FALSE(file);
        EXPECT_THAT(file.error().message, HasSubstr(bad.string()));
    }
    const auto device = StateFile::open("/dev/null");
    ASSERT_FALSE(device);
    EXPECT_THAT(device.error().message, HasSubstr("regular"));
}

TEST_F(StateFileTest, AFolderThatCannotBeMadeIsNamed) {
    const auto file = StateFile::open("/proc/midonet-no-such/state");
    ASSERT_FALSE(file);
    EXPECT_THAT(file.error().message, HasSubstr("/proc/midonet-no-such"));
}

}  // namespace
}  // namespace midonet::flowstate
