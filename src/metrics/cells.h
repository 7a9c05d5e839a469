#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace midonet::metrics {

namespace detail {

/// What a metric object and the registry share. One thread writes, any thread reads: so a plain load
/// and store is enough, and an increment costs what it costs on a plain number.
struct alignas(64) Cell {
    std::atomic<bool> retired = false;
};
struct CounterCell : Cell {
    std::atomic<std::uint64_t> value = 0;
};
struct GaugeCell : Cell {
    std::atomic<double> value = 0;
};
struct HistogramCell : Cell {
    explicit HistogramCell(std::vector<double> upperBounds)
        : bounds(std::move(upperBounds)), counts(bounds.size() + 1) {}
    const std::vector<double> bounds;  // ascending; the last count is for what is above them all
    std::vector<std::atomic<std::uint64_t>> counts;
    std::atomic<double> sum = 0;
};

template <class T>
void addTo(std::atomic<T>& to, T amount) {
    to.store(to.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

/// Owns the writer's end of a cell. What it counted stays in the registry when it goes.
template <class C>
class Writer {
public:
    Writer() = default;  // counts nowhere
    explicit Writer(std::shared_ptr<C> cell) : cell_(std::move(cell)) {}
    ~Writer() { retire(); }
    Writer(Writer&& other) noexcept : cell_(std::move(other.cell_)) {}
    Writer& operator=(Writer&& other) noexcept {
        if (this != &other) {
            retire();
            cell_ = std::move(other.cell_);
        }
        return *this;
    }

protected:
    std::shared_ptr<C> cell_;

private:
    void retire() {
        if (cell_) cell_->retired.store(true, std::memory_order_release);
    }
};

}  // namespace detail

/// Counts up. Written by one thread at a time; another thread makes its own Counter of the same
/// name and labels, and the registry shows the sum. A default-made one counts nowhere.
class Counter : detail::Writer<detail::CounterCell> {
public:
    using Writer::Writer;
    void add(std::uint64_t amount = 1) {
        if (cell_) detail::addTo(cell_->value, amount);
    }
    /// What this object counted; any thread.
    std::uint64_t value() const {
        return cell_ ? cell_->value.load(std::memory_order_relaxed) : 0;
    }
};

/// Goes up and down. As Counter; its part of the sum ends with it.
class Gauge : detail::Writer<detail::GaugeCell> {
public:
    using Writer::Writer;
    void set(double value) {
        if (cell_) cell_->value.store(value, std::memory_order_relaxed);
    }
    void add(double amount) {
        if (cell_) detail::addTo(cell_->value, amount);
    }
    double value() const { return cell_ ? cell_->value.load(std::memory_order_relaxed) : 0; }
};

/// How often values fell below each of some fixed bounds. As Counter.
class Histogram : detail::Writer<detail::HistogramCell> {
public:
    using Writer::Writer;
    void observe(double value) {
        if (!cell_) return;
        const auto& bounds = cell_->bounds;
        const auto at = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
        detail::addTo<std::uint64_t>(cell_->counts[static_cast<std::size_t>(at)], 1);
        detail::addTo(cell_->sum, value);
    }
};

}  // namespace midonet::metrics
