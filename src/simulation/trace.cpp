#include "simulation/trace.h"

#include "base/assert.h"

namespace midonet::simulation {

std::string_view toString(TraceStep::Kind kind) {
    switch (kind) {
        case TraceStep::Kind::Port: return "port";
        case TraceStep::Kind::Bridge: return "bridge";
        case TraceStep::Kind::Router: return "router";
        case TraceStep::Kind::Chain: return "chain";
        case TraceStep::Kind::Rule: return "rule";
        case TraceStep::Kind::Route: return "route";
        case TraceStep::Kind::Translation: return "translation";
        case TraceStep::Kind::ConnTrack: return "conntrack";
        case TraceStep::Kind::LoadBalancer: return "load balancer";
        case TraceStep::Kind::Arp: return "arp";
        case TraceStep::Kind::Verdict: return "verdict";
    }
    MIDONET_UNREACHABLE();
}

std::string toString(const TraceStep& step) {
    std::string out{toString(step.kind)};
    if (!step.subject.isNil()) out.append(" ").append(step.subject.toString());
    return out.append(": ").append(step.detail);
}

std::string Trace::toString() const {
    std::string out;
    for (const auto& step : steps) out.append(simulation::toString(step)).append("\n");
    return out;
}

}  // namespace midonet::simulation
