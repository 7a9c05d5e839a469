#include "metrics/registry.h"

#include <algorithm>
#include <list>
#include <map>
#include <mutex>
#include <variant>

#include "base/assert.h"
#include "base/overloaded.h"
#include "metrics/internal/text.h"

namespace midonet::metrics {
namespace {

using AnyCell = std::variant<std::shared_ptr<detail::CounterCell>, std::shared_ptr<detail::GaugeCell>,
                             std::shared_ptr<detail::HistogramCell>>;

bool isName(std::string_view name) {
    return !name.empty() && (name[0] < '0' || name[0] > '9') &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == name.npos;
}

void checkName(std::string_view name, Kind kind, const Labels& labels) {
    MIDONET_ASSERT(isName(name) && name.starts_with("midonet_"), "names are midonet_<module>_<what>");
    MIDONET_ASSERT(name.ends_with("_total") == (kind == Kind::Counter), "counters end in _total");
    for (const auto& [label, value] : labels)
        MIDONET_ASSERT(isName(label) && label != "le", "label names are [a-z0-9_], and not 'le'");
}

void addCell(Sample& to, const AnyCell& cell) {
    std::visit(Overloaded{
                   [&](const std::shared_ptr<detail::CounterCell>& c) {
                       to.value += static_cast<double>(c->value.load(std::memory_order_relaxed));
                   },
                   [&](const std::shared_ptr<detail::GaugeCell>& c) {
                       to.value += c->value.load(std::memory_order_relaxed);
                   },
                   [&](const std::shared_ptr<detail::HistogramCell>& c) {
                       to.value += c->sum.load(std::memory_order_relaxed);
                       to.bounds = c->bounds;
                       to.buckets.resize(c->counts.size());
                       for (std::size_t i = 0; i < c->counts.size(); ++i)
                           to.buckets[i] += c->counts[i].load(std::memory_order_relaxed);
                   },
               },
               cell);
}

bool isRetired(const AnyCell& cell) {
    return std::visit([](const auto& c) { return c->retired.load(std::memory_order_acquire); }, cell);
}

/// All writers of one name and label set.
struct Series {
    std::vector<AnyCell> cells;
    Sample finished;  // of writers that are gone
};

struct SeriesFamily {
    Kind kind = Kind::Counter;
    std::string help;
    std::vector<double> bounds;
    std::map<Labels, Series> series;
};

/// Adds what collectors report to a snapshot.
class SnapshotSink final : public Sink {
public:
    explicit SnapshotSink(Snapshot& snapshot) : snapshot_(snapshot) {}
    void counter(std::string_view name, std::string_view help, const Labels& labels,
                 double value) override {
        add(Kind::Counter, name, help, labels, value);
    }
    void gauge(std::string_view name, std::string_view help, const Labels& labels,
               double value) override {
        add(Kind::Gauge, name, help, labels, value);
    }

private:
    void add(Kind kind, std::string_view name, std::string_view help, const Labels& labels,
             double value) {
        auto& family = snapshot_[std::string(name)];
        family.kind = kind;
        family.help = help;
        family.samples[labels].value += value;
    }
    Snapshot& snapshot_;
};

}  // namespace

struct Registry::State {
    template <class C>
    std::shared_ptr<C> add(Kind kind, std::string_view name, std::string_view help,
                           const Labels& labels, std::vector<double> bounds, std::shared_ptr<C> cell) {
        checkName(name, kind, labels);
        const std::lock_guard lock(mutex);
        auto [at, isNew] = families.try_emplace(std::string(name));
        auto& family = at->second;
        if (isNew) {
            family.kind = kind;
            family.help = help;
            family.bounds = std::move(bounds);
        } else {
            MIDONET_ASSERT(family.kind == kind && family.help == help && family.bounds == bounds,
                           "one name has one kind, one help text and one set of bounds");
        }
        family.series[labels].cells.emplace_back(cell);
        return cell;
    }

    /// Sums up, and folds the cells of finished writers into their series.
    Snapshot read() {
        Snapshot snapshot;
        const std::lock_guard lock(mutex);
        for (auto& [name, family] : families) {
            auto& out = snapshot[name];
            out.kind = family.kind;
            out.help = family.help;
            for (auto series = family.series.begin(); series != family.series.end();) {
                foldFinished(family.kind, series->second);
                const bool gone = family.kind == Kind::Gauge && series->second.cells.empty();
                if (!gone) {
                    auto& sample = out.samples[series->first] = series->second.finished;
                    for (const auto& cell : series->second.cells) addCell(sample, cell);
                }
                series = gone ? family.series.erase(series) : std::next(series);
            }
        }
        SnapshotSink sink(snapshot);
        for (const auto& collector : collectors) {
            if (const auto alive = collector.lock()) (*alive)(sink);
        }
        std::erase_if(collectors, [](const auto& collector) { return collector.expired(); });
        return snapshot;
    }
    static void foldFinished(Kind kind, Series& series) {
        std::erase_if(series.cells, [&](const AnyCell& cell) {
            if (!isRetired(cell)) return false;
            if (kind != Kind::Gauge) addCell(series.finished, cell);
            return true;
        });
    }

    std::mutex mutex;
    std::map<std::string, SeriesFamily, std::less<>> families;  // guarded by mutex
    std::vector<std::weak_ptr<Collector>> collectors;           // guarded by mutex
};

Registry::Registry() : state_(std::make_unique<State>()) {}
Registry::~Registry() = default;

Counter Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
    return Counter(
        state_->add(Kind::Counter, name, help, labels, {}, std::make_shared<detail::CounterCell>()));
}

Gauge Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
    return Gauge(state_->add(Kind::Gauge, name, help, labels, {}, std::make_shared<detail::GaugeCell>()));
}

Histogram Registry::histogram(std::string_view name, std::string_view help,
                              std::vector<double> bounds, const Labels& labels) {
    MIDONET_ASSERT(!bounds.empty() && std::is_sorted(bounds.begin(), bounds.end()),
                   "bounds are ascending");
    auto cell = std::make_shared<detail::HistogramCell>(bounds);
    return Histogram(
        state_->add(Kind::Histogram, name, help, labels, std::move(bounds), std::move(cell)));
}

std::shared_ptr<void> Registry::collect(Collector collector) {
    auto shared = std::make_shared<Collector>(std::move(collector));
    const std::lock_guard lock(state_->mutex);
    state_->collectors.push_back(shared);
    return shared;
}

std::string Registry::text() const { return toPrometheusText(state_->read()); }

std::optional<double> Registry::value(std::string_view name, const Labels& labels) const {
    const auto snapshot = state_->read();
    const auto family = snapshot.find(name);
    if (family == snapshot.end()) return std::nullopt;
    const auto sample = family->second.samples.find(labels);
    if (sample == family->second.samples.end()) return std::nullopt;
    if (family->second.kind != Kind::Histogram) return sample->second.value;
    std::uint64_t count = 0;
    for (const auto bucket : sample->second.buckets) count += bucket;
    return static_cast<double>(count);
}

std::vector<double> exponentialBounds(double first, double factor, std::size_t count) {
    std::vector<double> out;
    for (double bound = first; out.size() < count; bound *= factor) out.push_back(bound);
    return out;
}

}  // namespace midonet::metrics
