#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/trace_log.h"
#include "agent/worker_messages.h"
#include "tracing/tracer.h"

namespace midonet::agent {

/// What operators want to see of the packets that this host's workers handle (mm-trace). Each tracer tells of the first packets that
/// match, as many as its limit says, of all workers together; then it is dead, and stays in the list until somebody takes it out.
///
/// Control loop. Workers match packets and tell of them (WorkerUpdate::tracers, WorkerReport::traced); what is written is made here.
class PacketTracers {
public:
    static constexpr std::size_t kMax = 64;
    struct Entry {
        tracing::TracerId id = 0;
        tracing::Tracer tracer;  ///< Its limit is set.
        std::uint32_t left = 0;  ///< Packets it is still to tell of; none: it is dead.
    };
    /// What goes to the workers: the tracers that live.
    using Publish = std::function<void(const LiveTracers&)>;

    PacketTracers(event::Loop& loop, event::BlockingPool& pool, const std::string& file, Publish publish)
        : log_(loop, pool, file), publish_(std::move(publish)) {}
    ~PacketTracers() { *self_ = nullptr; }
    PacketTracers(const PacketTracers&) = delete;
    PacketTracers& operator=(const PacketTracers&) = delete;

    /// Unavailable: the log cannot be written. Exhausted: there are too many.
    void add(const tracing::Tracer& tracer, TraceLog::Done done);
    /// Takes out those that `wanted` names (Tracer::names()); returns how many.
    std::size_t remove(const tracing::Tracer& wanted);
    /// Takes out all, or the dead ones.
    enum class Which : bool { All, Dead };
    std::size_t flush(Which which);
    /// By age.
    const std::vector<Entry>& list() const { return entries_; }

    void onReport(const WorkerReport& report);

private:
    Entry* find(tracing::TracerId id);
    void write(const Entry& entry, const TracedPacket& packet);
    void publish() const;
    template <class Leaves>
    std::size_t removeIf(const Leaves& leaves);

    TraceLog log_;
    Publish publish_;
    std::vector<Entry> entries_;
    tracing::TracerId last_ = 0;
    std::shared_ptr<PacketTracers*> self_ = std::make_shared<PacketTracers*>(this);
};

}  // namespace midonet::agent
