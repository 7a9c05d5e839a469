#pragma once

#include <string>
#include <vector>

#include "base/uuid.h"

namespace midonet::simulation {

/// One step of a packet through the virtual topology, for people: what was asked and what came of it.
struct TraceStep {
    enum class Kind : std::uint8_t { Port, Bridge, Router, Chain, Rule, Route, Translation, ConnTrack, LoadBalancer, Arp, Verdict };
    Kind kind = Kind::Port;
    Uuid subject;        ///< The device, chain, rule or route; nil when there is none.
    std::string detail;  ///< "enters", "matches: accept", "10.0.0.0/24 by port ... gateway ...", "drop: no_route".
    friend bool operator==(const TraceStep&, const TraceStep&) = default;
};
std::string_view toString(TraceStep::Kind kind);
/// "bridge UUID: enters"
std::string toString(const TraceStep& step);

/// The record of one simulation. What-if tracing hands one to simulate(); forwarding does so for packets that a tracer is for
/// (mm-trace), and pays nothing for all others.
struct Trace {
    std::vector<TraceStep> steps;
    /// One line for each step.
    std::string toString() const;
};

}  // namespace midonet::simulation
