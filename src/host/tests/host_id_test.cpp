#include "host/host_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>
#include <vector>

namespace midonet::host {
namespace {

using testing::HasSubstr;

constexpr std::string_view kUuid = "0b3c1c2e-8a2d-4d4b-9c57-30cf3d2a8f11";

class HostIdTest : public testing::Test {
protected:
    HostIdTest() {
        char path[] = "/tmp/midonet-host-id-XXXXXX";
        folder = ::mkdtemp(path);
        file = folder / "host_id.properties";
    }
    ~HostIdTest() override { std::filesystem::remove_all(folder); }
    void write(std::string_view text) { std::ofstream(file) << text; }

    std::filesystem::path folder;
    std::filesystem::path file;
};

TEST_F(HostIdTest, IsMadeOnceAndLasts) {
    const auto first = loadHostId(file);
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_FALSE(first->isNil());
    EXPECT_EQ(loadHostId(file).value(), *first);
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_THAT(text, HasSubstr("host_uuid=" + first->toString() + "\n"));
    const auto entries = std::distance(std::filesystem::directory_iterator(folder), {});
    EXPECT_EQ(entries, 1) << "nothing is left beside it";
}

TEST_F(HostIdTest, IsReadInEveryFormOfAPropertiesFile) {
    for (const std::string before : {"host_uuid=", "host_uuid = ", "# made\n!x\nother=1\n\n  host_uuid: ", "host_uuid "})
        EXPECT_EQ(parseHostId(before + std::string(kUuid) + " \r\n").value().toString(), kUuid) << before;
}

TEST_F(HostIdTest, MalformedFilesAreKeptAndTheFixIsNamed) {
    for (const std::string text : {"", "host_uuid=\n", "host_uuid=1234\n",
                                   "host_uuidx=0b3c1c2e-8a2d-4d4b-9c57-30cf3d2a8f11",
                                   "host_uuid=00000000-0000-0000-0000-000000000000"}) {
        write(text);
        const auto id = loadHostId(file);
        ASSERT_FALSE(id) << text;
        EXPECT_EQ(id.error().code, ErrorCode::Malformed);
        EXPECT_THAT(id.error().message, HasSubstr("write host_uuid=<uuid> there, or remove the file"));
    }
}

TEST_F(HostIdTest, AnUnwritablePlaceNamesTheSetting) {
    const auto id = loadHostId(folder / "missing" / "file");
    ASSERT_FALSE(id);
    EXPECT_THAT(id.error().message, HasSubstr("agent.host_id_file"));
}

TEST_F(HostIdTest, AFolderInItsPlaceIsAMistake) {
    const auto id = loadHostId(folder);
    ASSERT_FALSE(id);
    EXPECT_THAT(id.error().message, HasSubstr("cannot be read: Is a directory"));
}

TEST_F(HostIdTest, LookingForOneMakesNone) {
    EXPECT_EQ(findHostId(file).error().code, ErrorCode::NotFound);
    const auto made = loadHostId(file);
    EXPECT_EQ(findHostId(file).value(), made.value());
}

TEST_F(HostIdTest, AgentsThatStartAtOnceAgree) {
    std::vector<HostId> ids(8);
    std::vector<std::thread> agents;
    for (auto& id : ids) agents.emplace_back([&] { id = loadHostId(file).value(); });
    for (auto& agent : agents) agent.join();
    EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), 1U);
}

}  // namespace
}  // namespace midonet::host
