#include "metrics/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "metrics/process.h"

namespace midonet::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Registry, WritesThePrometheusTextFormat) {
    Registry registry;
    auto drops = registry.counter("midonet_flow_drops_total", "Dropped\nby \\ reason.",
                                  {{"reason", "a \"b\" \\ \n"}});
    auto size = registry.gauge("midonet_flow_table_entries", "Entries.");
    auto time = registry.histogram("midonet_flow_setup_seconds", "Set-up.", {0.001, 0.5},
                                   {{"worker", "1"}});
    drops.add();
    drops.add(2);
    size.set(-1.5);
    time.observe(0.001);
    time.observe(0.25);
    time.observe(7);
    EXPECT_EQ(registry.text(),
              "# HELP midonet_flow_drops_total Dropped\\nby \\\\ reason.\n"
              "# TYPE midonet_flow_drops_total counter\n"
              "midonet_flow_drops_total{reason=\"a \\\"b\\\" \\\\ \\n\"} 3\n"
              "# HELP midonet_flow_setup_seconds Set-up.\n"
              "# TYPE midonet_flow_setup_seconds histogram\n"
              "midonet_flow_setup_seconds_bucket{worker=\"1\",le=\"0.001\"} 1\n"
              "midonet_flow_setup_seconds_bucket{worker=\"1\",le=\"0.5\"} 2\n"
              "midonet_flow_setup_seconds_bucket{worker=\"1\",le=\"+Inf\"} 3\n"
              "midonet_flow_setup_seconds_sum{worker=\"1\"} 7.251\n"
              "midonet_flow_setup_seconds_count{worker=\"1\"} 3\n"
              "# HELP midonet_flow_table_entries Entries.\n"
              "# TYPE midonet_flow_table_entries gauge\n"
              "midonet_flow_table_entries -1.5\n");
}

TEST(Registry, SumsTheWritersOfOneName) {
    Registry registry;
    auto a = registry.counter("midonet_x_y_total", "h", {{"l", "1"}});
    auto b = registry.counter("midonet_x_y_total", "h", {{"l", "1"}});
    auto c = registry.counter("midonet_x_y_total", "h", {{"l", "2"}});
    a.add(1);
    b.add(2);
    c.add(4);
    EXPECT_EQ(registry.value("midonet_x_y_total", {{"l", "1"}}), 3);
    EXPECT_EQ(registry.value("midonet_x_y_total", {{"l", "2"}}), 4);
    EXPECT_EQ(registry.value("midonet_x_y_total", {{"l", "3"}}), std::nullopt);
    EXPECT_EQ(registry.value("midonet_z_total"), std::nullopt);
    EXPECT_EQ(b.value(), 2U);
}

TEST(Registry, CountsStayAndGaugesEndWithTheirObject) {
    Registry registry;
    for (int i = 0; i < 3; ++i) {
        auto counter = registry.counter("midonet_x_y_total", "h");
        auto gauge = registry.gauge("midonet_x_size", "h");
        auto histogram = registry.histogram("midonet_x_seconds", "h", {1});
        counter.add(5);
        gauge.set(7);
        histogram.observe(2);
        EXPECT_EQ(registry.value("midonet_x_size"), 7);
    }
    EXPECT_EQ(registry.value("midonet_x_y_total"), 15);
    EXPECT_EQ(registry.value("midonet_x_seconds"), 3);
    EXPECT_EQ(registry.value("midonet_x_size"), std::nullopt);
}

TEST(Registry, ObjectsMoveAndMayOutliveTheRegistry) {
    auto registry = std::make_unique<Registry>();
    Counter counter;
    counter.add();  // counts nowhere
    counter = registry->counter("midonet_x_y_total", "h");
    counter.add();
    Counter moved = std::move(counter);
    moved.add();
    EXPECT_EQ(registry->value("midonet_x_y_total"), 2);
    registry.reset();
    moved.add();
    EXPECT_EQ(moved.value(), 3U);
}

TEST(Registry, SpecialNumbers) {
    Registry registry;
    auto a = registry.gauge("midonet_x_a", "h");
    auto b = registry.gauge("midonet_x_b", "h");
    a.set(std::numeric_limits<double>::infinity());
    b.set(std::numeric_limits<double>::quiet_NaN());
    EXPECT_THAT(registry.text(), HasSubstr("midonet_x_a +Inf\n"));
    EXPECT_THAT(registry.text(), HasSubstr("midonet_x_b NaN\n"));
    a.set(1e15);
    EXPECT_THAT(registry.text(), HasSubstr("midonet_x_a 1000000000000000\n"));
}

TEST(Registry, CollectorsReportUntilTheyEnd) {
    Registry registry;
    auto collector = registry.collect([](Sink& sink) {
        sink.counter("midonet_bpf_packets_total", "Packets.", {{"port", "1"}}, 12);
    });
    EXPECT_THAT(registry.text(), HasSubstr("midonet_bpf_packets_total{port=\"1\"} 12\n"));
    collector.reset();
    EXPECT_THAT(registry.text(), Not(HasSubstr("midonet_bpf_packets_total")));
}

TEST(Registry, ProcessFiguresAreThere) {
    Registry registry;
    const auto collector = collectProcess(registry);
    EXPECT_GT(registry.value("midonet_process_resident_memory_bytes").value_or(0), 100'000);
    EXPECT_GE(registry.value("midonet_process_threads").value_or(0), 1);
    EXPECT_GE(registry.value("midonet_process_open_descriptors").value_or(0), 3);
}

TEST(Registry, IsReadWhileOthersWrite) {
    Registry registry;
    constexpr int kEach = 20'000;
    std::vector<std::thread> writers;
    for (int i = 0; i < 3; ++i) {
        writers.emplace_back([&registry] {
            auto counter = registry.counter("midonet_x_y_total", "h");
            auto histogram = registry.histogram("midonet_x_seconds", "h", exponentialBounds(1, 2, 8));
            for (int n = 0; n < kEach; ++n) {
                counter.add();
                histogram.observe(n);
            }
        });
    }
    double last = 0;
    for (int n = 0; n < 20; ++n) {
        const auto now = registry.value("midonet_x_y_total").value_or(0);
        EXPECT_GE(now, last);
        last = now;
    }
    for (auto& writer : writers) writer.join();
    EXPECT_EQ(registry.value("midonet_x_y_total"), 3 * kEach);
    EXPECT_EQ(registry.value("midonet_x_seconds"), 3 * kEach);
}

TEST(RegistryDeathTest, NamesFollowTheRule) {
    Registry registry;
    EXPECT_DEATH((void)registry.counter("midonet_x_y", "h"), "_total");
    EXPECT_DEATH((void)registry.gauge("x_y", "h"), "midonet_");
    const auto gauge = registry.gauge("midonet_x_y", "h");
    EXPECT_DEATH((void)registry.gauge("midonet_x_y", "other"), "one help text");
}

}  // namespace
}  // namespace midonet::metrics
