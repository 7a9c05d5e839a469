#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/cells.h"

namespace midonet::metrics {

/// Name and value each; the order is kept in the output.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Bounds from `first`, each `factor` times the one before.
std::vector<double> exponentialBounds(double first, double factor, std::size_t count);

/// What a collector reports when the metrics are read.
class Sink {
public:
    virtual ~Sink() = default;
    virtual void counter(std::string_view name, std::string_view help, const Labels& labels,
                         double value) = 0;
    virtual void gauge(std::string_view name, std::string_view help, const Labels& labels,
                       double value) = 0;
};
/// Runs on the thread that reads the metrics: touches only what is safe there (kernel maps, files), and
/// not the registry.
using Collector = std::function<void(Sink&)>;

/// All metrics of a process, written by the loops without locks, read by anyone. Names are
/// `midonet_<module>_<what>`, of counters with `_total` behind (asserted), units in the name
/// (`_seconds`, `_bytes`). One name has one kind and one help text. Every function: any thread.
/// Metric objects may outlive it.
class Registry {
public:
    Registry();
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    Counter counter(std::string_view name, std::string_view help, const Labels& labels = {});
    Gauge gauge(std::string_view name, std::string_view help, const Labels& labels = {});
    /// `bounds`: upper bounds, ascending, the same for all of one name.
    Histogram histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                        const Labels& labels = {});
    /// Asked on every reading until the returned object is destroyed.
    [[nodiscard]] std::shared_ptr<void> collect(Collector collector);

    /// Prometheus text exposition format 0.0.4, sorted by name.
    std::string text() const;
    static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// The present value of a counter or gauge (of a histogram: how many were observed); nothing when
    /// no such name and labels exist. For tests and management commands.
    std::optional<double> value(std::string_view name, const Labels& labels = {}) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace midonet::metrics
