#include "agent/packet_tracers.h"

#include <fmt/chrono.h>

#include <algorithm>

#include "tracing/packet_trace.h"

namespace midonet::agent {
namespace {

std::string timeText(event::WallTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), (time - seconds).count());
}

/// As the worker dealt with it in the end.
tracing::PacketTrace traceOf(const TracedPacket& packet) {
    auto trace = tracing::traceOf(packet.key, packet.result, *packet.topology, packet.steps);
    if (packet.waits) trace.verdict = tracing::Verdict::Waits;
    if (packet.dropped) {
        trace.verdict = tracing::Verdict::Dropped;
        trace.reason = flow::toString(*packet.dropped);
    }
    if (trace.verdict != tracing::Verdict::Forwarded) trace.outputs.clear();
    return trace;
}

std::string indented(std::string_view lines) {
    std::string out;
    while (!lines.empty()) {
        const auto end = lines.find('\n') + 1;
        out.append("    ").append(lines.substr(0, end));
        lines.remove_prefix(end);
    }
    return out;
}

}  // namespace

void PacketTracers::add(const tracing::Tracer& tracer, TraceLog::Done done) {
    log_.open([self = self_, tracer, done = std::move(done)](const Result<void>& opened) {
        if (*self == nullptr) return;
        auto& me = **self;
        if (!opened) return done(opened);
        if (me.entries_.size() >= kMax)
            return done(fail(ErrorCode::Exhausted, "there are {} tracers already: take some out, as those that are done (mm-trace flush -D)", kMax));
        const auto limit = tracer.limit.value_or(1);
        me.entries_.push_back({++me.last_, tracer, limit});
        me.entries_.back().tracer.limit = limit;
        me.publish();
        done({});
    });
}

std::size_t PacketTracers::remove(const tracing::Tracer& wanted) {
    return removeIf([&](const Entry& entry) { return wanted.names(entry.tracer); });
}

std::size_t PacketTracers::flush(Which which) {
    return removeIf([&](const Entry& entry) { return which == Which::All || entry.left == 0; });
}

template <class Leaves>
std::size_t PacketTracers::removeIf(const Leaves& leaves) {
    const auto count = std::erase_if(entries_, leaves);
    if (count > 0) publish();
    return count;
}

PacketTracers::Entry* PacketTracers::find(tracing::TracerId id) {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.id == id; });
    return found == entries_.end() ? nullptr : &*found;
}

void PacketTracers::publish() const {
    LiveTracers live;
    for (const auto& entry : entries_)
        if (entry.left > 0) live.push_back({entry.id, entry.tracer.match, entry.left});
    publish_(live);
}

void PacketTracers::onReport(const WorkerReport& report) {
    bool died = false;
    // Workers do not know how much the others have told.
    const auto take = [&](Entry& entry, std::uint32_t count) {
        died |= count > 0 && entry.left > 0 && entry.left <= count;
        return std::exchange(entry.left, entry.left - std::min(entry.left, count)) > 0;
    };
    for (const auto& packet : report.traced)
        for (const auto id : packet.tracers)
            if (auto* const entry = find(id); entry != nullptr && (packet.again || take(*entry, 1))) write(*entry, packet);
    for (const auto& [id, count] : report.untold) {
        auto* const entry = find(id);
        if (entry == nullptr) continue;
        take(*entry, count);
        log_.append(fmt::format("mm-trace {}\n    {} packets more than could be told of\n", toString(entry->tracer), count));
    }
    if (died) publish();
}

void PacketTracers::write(const Entry& entry, const TracedPacket& packet) {
    const auto from = packet.port.isNil() ? std::string{packet.key.fromTunnel() ? "out of a tunnel" : "in by no port"} : fmt::format("in by port {}", packet.port);
    log_.append(fmt::format("{} mm-trace {}\n    {}{}\n{}", timeText(packet.time), toString(entry.tracer), from,
                            packet.again ? ", after it has waited" : "", indented(describe(traceOf(packet), entry.tracer.detail))));
}

}  // namespace midonet::agent
