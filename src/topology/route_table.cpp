#include "topology/route_table.h"

#include <algorithm>

#include "base/assert.h"
#include "topology/address_ranges.h"

namespace midonet::topology {
namespace {

constexpr std::uint32_t kNone = 0xffffffffU;
using Routes = std::vector<const Route*>;

/// The routes of one destination prefix, by the source of the packet.
struct Node {
    std::uint32_t parent = kNone;  // the next shorter prefix around it
    AddressRanges sources;
    std::vector<Routes> answers;   // of `sources`; the first one is empty
};

/// Those of `routes` that are for the source, and of these the ones of least weight.
Routes bestFor(const Routes& routes, const net::IpAddress& source) {
    Routes best;
    for (const auto* route : routes) {
        if (!route->source.contains(source)) continue;
        if (!best.empty() && route->weight < best.front()->weight) best.clear();
        if (best.empty() || route->weight == best.front()->weight) best.push_back(route);
    }
    return best;
}

void fillSources(Node& node, const Routes& routes) {
    std::vector<net::IpAddress> boundaries;
    for (const auto* route : routes) {
        boundaries.push_back(route->source.address());
        if (const auto behind = addressBehind(route->source)) boundaries.push_back(*behind);
    }
    std::sort(boundaries.begin(), boundaries.end());
    boundaries.erase(std::unique(boundaries.begin(), boundaries.end()), boundaries.end());
    node.answers.emplace_back();
    for (const auto& first : boundaries) {
        auto best = bestFor(routes, first);
        const auto known = std::find(node.answers.begin(), node.answers.end(), best);
        node.sources.from(first, static_cast<std::uint32_t>(known - node.answers.begin()));
        if (known == node.answers.end()) node.answers.push_back(std::move(best));
    }
}

}  // namespace

struct RouteTable::Index {
    AddressRanges destinations{kNone};  // -> the longest prefix that holds the address
    std::vector<Node> nodes;
};

RouteTable::RouteTable() : RouteTable(std::vector<Route>{}) {}

RouteTable::RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {
    std::sort(routes_.begin(), routes_.end(), [](const Route& a, const Route& b) { return a.id < b.id; });
    Routes byPrefix;
    for (const auto& route : routes_) byPrefix.push_back(&route);
    // A block comes before the blocks inside it.
    std::stable_sort(byPrefix.begin(), byPrefix.end(),
                     [](const Route* a, const Route* b) { return a->destination < b->destination; });

    auto index = std::make_unique<Index>();
    struct Open {
        net::IpPrefix prefix;
        std::uint32_t node;
    };
    std::vector<Open> open;  // the blocks around the place we are at, outermost first
    const auto innermost = [&] { return open.empty() ? kNone : open.back().node; };
    const auto close = [&] {
        const auto behind = addressBehind(open.back().prefix);
        open.pop_back();
        if (behind) index->destinations.from(*behind, innermost());
    };
    for (auto at = byPrefix.begin(); at != byPrefix.end();) {
        const auto prefix = (*at)->destination;
        const auto end = std::find_if(at, byPrefix.end(), [&](const Route* r) { return r->destination != prefix; });
        while (!open.empty() && !open.back().prefix.contains(prefix.address())) close();
        const auto number = static_cast<std::uint32_t>(index->nodes.size());
        index->nodes.emplace_back().parent = innermost();
        fillSources(index->nodes.back(), Routes(at, end));
        open.push_back({prefix, number});
        index->destinations.from(prefix.address(), number);
        at = end;
    }
    while (!open.empty()) close();
    index_ = std::move(index);
}

RouteTable::~RouteTable() = default;

RouteTable::Found RouteTable::find(const net::IpAddress& source, const net::IpAddress& destination) const {
    const auto [innermost, bits] = index_->destinations.find(destination);
    Found out{{}, 0, bits};
    for (auto number = innermost; number != kNone; number = index_->nodes[number].parent) {
        const auto& node = index_->nodes[number];
        const auto [answer, sourceBits] = node.sources.find(source);
        out.sourceBits = std::max(out.sourceBits, sourceBits);
        out.routes = node.answers[answer];
        if (!out.routes.empty()) break;
    }
    return out;
}

const Route& chooseRoute(std::span<const Route* const> routes, std::uint64_t flowHash) {
    MIDONET_ASSERT(!routes.empty(), "nothing to choose from");
    const auto weightOf = [&](const Route* route) { return combineHash(flowHash, std::hash<RouteId>{}(route->id)); };
    return **std::max_element(routes.begin(), routes.end(),
                              [&](const Route* a, const Route* b) { return weightOf(a) < weightOf(b); });
}

}  // namespace midonet::topology
