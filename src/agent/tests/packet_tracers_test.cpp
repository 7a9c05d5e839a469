#include "agent/packet_tracers.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace midonet::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

class PacketTracersTest : public testing::Test {
protected:
    PacketTracersTest() {
        char folder[] = "/tmp/midonet-trace-XXXXXX";
        folder_ = ::mkdtemp(folder);
        make(file());
    }
    ~PacketTracersTest() override { std::filesystem::remove_all(folder_); }

    std::string file() const { return folder_ + "/logs/mm-trace.log"; }
    void make(const std::string& file) {
        tracers_ = std::make_unique<PacketTracers>(*loop_, pool_, file, [this](const LiveTracers& live) { live_ = live; });
    }
    Result<void> add(std::string_view line) {
        std::optional<Result<void>> result;
        tracers_->add(*tracing::parseTracer(line), [&](const Result<void>& added) { result = added; });
        loop_->runReady();
        EXPECT_TRUE(result.has_value()) << "no answer";
        return result.value_or(Result<void>{});
    }
    /// A worker tells of a packet that was dropped.
    static TracedPacket packetOf(std::vector<tracing::TracerId> tracers) {
        TracedPacket packet;
        packet.tracers = std::move(tracers);
        packet.port = PortId{Uuid{3, 1}};
        packet.key.ethSource = net::Mac{0x020000000001ULL};
        packet.result = simulation::Drop{{}, flow::DropReason::NoRoute};
        packet.steps.steps = {{simulation::TraceStep::Kind::Router, Uuid{4, 1}, "enters"}, {simulation::TraceStep::Kind::Route, Uuid{5, 1}, "none"}};
        packet.topology = std::make_shared<topology::TopologySnapshot>();
        return packet;
    }
    void report(const std::vector<TracedPacket>& packets) {
        WorkerReport report;
        for (const auto& packet : packets) report.add(packet);
        tracers_->onReport(report);
        loop_->runReady();
    }
    std::string log(const std::string& suffix = {}) const {
        std::ifstream in(file() + suffix);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::size_t toldIn(const std::string& text) const {
        std::size_t count = 0;
        for (auto at = text.find(" mm-trace "); at != text.npos; at = text.find(" mm-trace ", at + 1)) ++count;
        return count;
    }
    std::vector<std::string> lines() const {
        std::vector<std::string> out;
        for (const auto& entry : tracers_->list()) out.push_back(toString(entry.tracer));
        return out;
    }

    std::string folder_;
    std::unique_ptr<event::Loop> loop_ = event::Loop::createVirtual("control");
    event::BlockingPool pool_{*loop_};
    LiveTracers live_;
    std::unique_ptr<PacketTracers> tracers_;
};
using Lines = std::vector<std::string>;

TEST_F(PacketTracersTest, TellsOfSoManyPacketsAndIsDeadThen) {
    ASSERT_TRUE(add("--debug --limit 2 --ip-dst 10.0.0.1"));
    ASSERT_EQ(live_.size(), 1U);
    EXPECT_EQ(live_[0].left, 2U);
    report({packetOf({live_[0].id})});
    EXPECT_EQ(tracers_->list()[0].left, 1U);
    const auto told = fmt::format("1970-01-01T00:00:00.000Z mm-trace --debug --limit 2 --ip-dst 10.0.0.1\n    in by port {}\n    {}\n    router {}: enters\n"
                                  "    dropped: no_route\n",
                                  PortId{Uuid{3, 1}}, packetOf({}).key.toString(), Uuid{4, 1});
    EXPECT_EQ(log(), told);
    // Another worker has told of as many.
    const auto id = live_[0].id;
    report({packetOf({id}), packetOf({id})});
    EXPECT_EQ(toldIn(log()), 2U);
    EXPECT_TRUE(live_.empty()) << "the workers are told that it is done";
    EXPECT_EQ(lines(), Lines{"--debug --limit 2 --ip-dst 10.0.0.1"}) << "it stays in the list";
    auto again = packetOf({id});
    again.again = true;
    report({again});
    EXPECT_THAT(log(), HasSubstr(", after it has waited\n")) << "of a packet that was told of, the rest is told too";
}

TEST_F(PacketTracersTest, EachTracerOfAPacketTellsOfIt) {
    ASSERT_TRUE(add("--debug"));
    ASSERT_TRUE(add("--trace --limit 3"));
    report({packetOf({live_[0].id, live_[1].id, 99})});
    const auto text = log();
    EXPECT_EQ(toldIn(text), 2U);
    EXPECT_THAT(text.substr(text.find("--trace")), HasSubstr("    route " + Uuid{5, 1}.toString() + ": none\n"));
    EXPECT_THAT(text.substr(0, text.find("--trace")), Not(HasSubstr("route ")));
    ASSERT_EQ(live_.size(), 1U);
    EXPECT_EQ(live_[0].left, 2U);
}

TEST_F(PacketTracersTest, WhatTheWorkerDidCountsForMoreThanTheSimulation) {
    ASSERT_TRUE(add("--debug --limit 9"));
    auto dropped = packetOf({live_[0].id});
    dropped.result = simulation::Forward{{}, {simulation::ToPort{PortId{Uuid{3, 2}}}}};
    report({dropped});
    EXPECT_THAT(log(), HasSubstr("    forwarded\n    leaves by port " + PortId{Uuid{3, 2}}.toString()));
    dropped.dropped = flow::DropReason::StateTableFull;
    report({dropped});
    EXPECT_THAT(log(), HasSubstr("    dropped: " + std::string{toString(flow::DropReason::StateTableFull)} + "\n"));
    dropped.dropped.reset();
    dropped.waits = true;
    report({dropped});
    EXPECT_THAT(log(), testing::EndsWith("    waits\n"));
}

TEST_F(PacketTracersTest, PacketsThatAreTooManyAreCounted) {
    ASSERT_TRUE(add("--debug --limit 1000"));
    report(std::vector<TracedPacket>(WorkerReport::kMaxTraced + 10, packetOf({live_[0].id})));
    EXPECT_EQ(tracers_->list()[0].left, 1000 - WorkerReport::kMaxTraced - 10);
    EXPECT_THAT(log(), testing::EndsWith("    10 packets more than could be told of\n"));
}

TEST_F(PacketTracersTest, AreTakenOutByWhatTheyAre) {
    for (const auto* line : {"--debug --ip-dst 10.0.0.1", "--debug --limit 5 --ip-dst 10.0.0.1", "--trace --ip-dst 10.0.0.1", "--trace"}) ASSERT_TRUE(add(line));
    EXPECT_EQ(tracers_->remove(*tracing::parseTracer("--debug --limit 1 --ip-dst 10.0.0.1")), 1U);
    EXPECT_EQ(tracers_->remove(*tracing::parseTracer("--debug --ip-dst 10.0.0.2")), 0U);
    EXPECT_EQ(tracers_->remove(*tracing::parseTracer("--debug --ip-dst 10.0.0.1")), 1U);
    EXPECT_EQ(lines(), (Lines{"--trace --limit 1 --ip-dst 10.0.0.1", "--trace --limit 1"}));
    EXPECT_EQ(live_.size(), 2U);
    report({packetOf({live_[0].id})});
    EXPECT_EQ(tracers_->flush(PacketTracers::Which::Dead), 1U);
    EXPECT_EQ(lines(), Lines{"--trace --limit 1"});
    EXPECT_EQ(tracers_->flush(PacketTracers::Which::All), 1U);
    EXPECT_TRUE(live_.empty() && tracers_->list().empty());
}

TEST_F(PacketTracersTest, ThereAreNotTooMany) {
    for (std::size_t i = 0; i < PacketTracers::kMax; ++i) ASSERT_TRUE(add("--debug"));
    const auto refused = add("--debug");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Exhausted);
    tracers_->flush(PacketTracers::Which::All);
    EXPECT_TRUE(add("--debug"));
}

TEST_F(PacketTracersTest, NeedAFileThatCanBeWritten) {
    make("");
    EXPECT_THAT(add("--debug").error().message, HasSubstr("agent.trace_log is empty"));
    std::ofstream(folder_ + "/plain") << "a file";
    make(folder_ + "/plain/mm-trace.log");
    EXPECT_THAT(add("--debug").error().message, HasSubstr("/plain/mm-trace.log"));
    EXPECT_TRUE(tracers_->list().empty());
}

TEST_F(PacketTracersTest, TheFileIsKeptFromGrowingWithoutEnd) {
    ASSERT_TRUE(add("--debug --limit 2"));
    std::filesystem::resize_file(file(), TraceLog::kMaxFile + 1);
    report({packetOf({live_[0].id})});
    EXPECT_EQ(toldIn(log()), 1U);
    EXPECT_LT(std::filesystem::file_size(file()), 1000U);
    EXPECT_EQ(std::filesystem::file_size(file() + ".1"), TraceLog::kMaxFile + 1);
    EXPECT_EQ(std::filesystem::status(file()).permissions() & std::filesystem::perms::others_all, std::filesystem::perms::none);
}

TEST_F(PacketTracersTest, WhatIsLeftOutAtTheEndIsSaid) {
    TraceLog log(*loop_, pool_, file());
    const std::string entry(TraceLog::kMaxPending, 'x');
    log.append("first\n");  // on its way to the disk
    log.append(entry);
    log.append("too much\n");
    loop_->runReady();
    EXPECT_THAT(this->log(), HasSubstr("1 packets are left out"));
}

}  // namespace
}  // namespace midonet::agent
