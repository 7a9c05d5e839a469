#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "flow/flow_action.h"
#include "flow/flow_key.h"
#include "net/mac.h"

namespace midonet::datapath {

/// A worker's number, 0 .. workers-1. Each worker has its own upcall queue, its own share of the
/// flow slots and its own packet-out slot, so workers never wait for each other.
using WorkerIndex = unsigned;

enum class TunnelType : std::uint8_t { Gre, Vxlan };

/// A way to one peer host. Two specs that are equal are the same tunnel.
struct TunnelSpec {
    TunnelType type = TunnelType::Vxlan;
    net::Ipv4Address local;
    net::Ipv4Address remote;
    friend auto operator<=>(const TunnelSpec&, const TunnelSpec&) = default;
};

/// How the underlay reaches the remote end of a tunnel: what encapsulation by hand writes in front.
struct TunnelPath {
    std::uint32_t ifindex = 0;
    net::Mac source;
    net::Mac nextHop;
    std::uint32_t mtu = 1500;
    friend bool operator==(const TunnelPath&, const TunnelPath&) = default;
};

/// State of the L4 checksum of a frame between kernel and agent (struct virtio_net_hdr).
struct Offload {
    bool checksumPartial = false;      ///< Bytes hold the pseudo-header sum only.
    std::uint16_t checksumStart = 0;   ///< From the start of the frame, as it is in `frame`.
    std::uint16_t checksumOffset = 0;  ///< From checksumStart.
    std::uint16_t gsoSize = 0;         ///< 0 = not a GSO packet.
    std::uint8_t gsoType = 0;          ///< VIRTIO_NET_HDR_GSO_*.
    friend bool operator==(const Offload&, const Offload&) = default;
};

enum class UpcallReason : std::uint8_t {
    Miss = 0,    ///< No flow; or a message of another agent (net::kStateTunnelKey), for which none is looked up.
    Action = 1,  ///< flow::ToAgent, or too few hops left for flow::DecrementTtl.
    /// An IP packet does not fit a tunnel of its flow: IPv4 without "don't fragment" alike, as nothing here cuts packets.
    /// The frame is as it came in, and comes once however many tunnels are too narrow. A GSO packet is as big as its segments.
    TooBig = 2,
};

/// A packet for the agent. `frame` is as on the wire, the outer VLAN tag in its place, and lives
/// until the handler returns.
struct Upcall {
    flow::FlowKey key;
    ByteView frame;
    std::uint32_t originalLength = 0;  ///< > frame.size() when the datapath had to cut it.
    Offload offload;
    UpcallReason reason = UpcallReason::Miss;
    std::uint32_t mtu = 0;  ///< TooBig: the largest IP packet that would have fitted.
    std::uint64_t pendingId = 0;  ///< For UpcallQueue::done(); opaque.
    std::chrono::nanoseconds age{};  ///< How long it has waited in the queue: while no agent ran, too.
};

/// The upcalls of one worker. Used by that worker's thread only.
class UpcallQueue {
public:
    virtual ~UpcallQueue() = default;
    /// Readable while there are upcalls.
    virtual int descriptor() const = 0;
    /// Handles at most `limit` upcalls; returns how many.
    virtual std::size_t drain(std::size_t limit, const std::function<void(const Upcall&)>& handler) = 0;
    /// The flow of this upcall is installed (or will not be): the next miss of it is new.
    virtual void done(std::uint64_t pendingId) = 0;
};

/// Names an installed flow towards the datapath that installed it.
struct FlowHandle {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
    friend bool operator==(const FlowHandle&, const FlowHandle&) = default;
};

/// What installFlow() did.
struct Installed {
    FlowHandle handle;
    std::optional<FlowHandle> replaced;  ///< The worker's flow that was the same until now: it is gone.
};

struct FlowStats {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    /// Time since the last packet; since installation when there was none.
    std::chrono::nanoseconds idle{0};
    /// A TCP packet with FIN or RST came, and none with SYN after it: the sender is done. Not kept of flows from tunnels.
    bool closing = false;
};

/// A packet with an explicit list of actions: no lookup is made for it, and it never comes back as an upcall. A tunnel
/// that it does not fit is left out; too few hops left end the list.
struct PacketOut {
    ByteView frame;  ///< As on the wire, outer VLAN tag in its place.
    Offload offload;
    const flow::FlowActions& actions;
    flow::PortNumber inPort;  ///< Where it came in, for records only.
};

struct PortInfo {
    flow::PortNumber number;
    std::string interface;
    std::uint32_t ifindex = 0;
};

struct Counter {
    std::string name;   ///< "hits", "misses", "upcalls_lost", "throttled", ...
    std::string label;  ///< "port=p-vm1" or empty.
    std::uint64_t value = 0;
};

/// What this datapath can do on this kernel, found by probing; shown in logs and status.
struct Capabilities {
    std::string name;
    std::vector<std::pair<std::string, std::string>> features;  ///< feature -> how it is done
};

/// Forwards packets by installed flows; hands the others to the agent.
///
/// Threads: everything but the worker functions belongs to the control loop. Worker functions are
/// called by the thread of that worker only, at the same time as the others.
///
/// Flows whose masks overlap give the same actions wherever both match (they come from one
/// simulation), so no priorities exist. Flows outlive the process (see endAdoption()).
class Datapath {
public:
    virtual ~Datapath() = default;

    virtual const Capabilities& capabilities() const = 0;
    virtual unsigned workerCount() const = 0;

    // Control loop.

    /// Takes an interface (by name) into the datapath. NotFound when it does not exist; an interface
    /// that was adopted or added before keeps its number.
    virtual Result<flow::PortNumber> addPort(std::string_view interface) = 0;
    virtual Result<void> removePort(flow::PortNumber port) = 0;
    virtual std::vector<PortInfo> ports() const = 0;
    /// Idempotent: an equal spec gives the same id, also after a restart. A new tunnel drops packets
    /// (counted) until it has a path.
    virtual Result<flow::TunnelId> addTunnel(const TunnelSpec& spec) = 0;
    virtual Result<void> setTunnelPath(flow::TunnelId tunnel, const std::optional<TunnelPath>& path) = 0;
    virtual Result<void> removeTunnel(flow::TunnelId tunnel) = 0;
    /// Flows, ports and tunnels of the process before this one go on working until this call, made
    /// when bindings and tunnels of the present topology are in place: then what was not added
    /// again goes, and every flow not installed by this process.
    virtual void endAdoption() = 0;
    /// Snapshot of all counters, for the metrics page.
    virtual std::vector<Counter> counters() const = 0;

    // Workers.

    virtual UpcallQueue& upcalls(WorkerIndex worker) = 0;
    /// Installs or replaces the flow of (mask.apply(key), mask). `mask` is closed. What is the same flow the datapath decides, and
    /// tells: it may install one narrower than asked for (for packets of this key alone), but never a wider one.
    /// Exhausted when full: the caller evicts and tries again.
    virtual Result<Installed> installFlow(WorkerIndex worker, const flow::FlowKey& key, const flow::FlowMask& mask,
                                          const flow::FlowActions& actions) = 0;
    /// Unknown or replaced handles are ignored.
    virtual void removeFlow(WorkerIndex worker, FlowHandle handle) = 0;
    virtual FlowStats stats(FlowHandle handle) const = 0;
    /// Most flows this worker may have at a time.
    virtual std::size_t flowCapacity(WorkerIndex worker) const = 0;
    virtual Result<void> execute(WorkerIndex worker, const PacketOut& packet) = 0;
};

}  // namespace midonet::datapath
