#pragma once

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "datapath/datapath.h"
#include "event/clock.h"
#include "flow/flow_tag.h"
#include "flowcontrol/effect_pool.h"
#include "flowcontrol/paths.h"
#include "flowcontrol/slab.h"
#include "flowcontrol/tag_index.h"
#include "simulation/simulation_result.h"

namespace midonet::flowcontrol {

/// Why a flow ended; one counter each.
enum class RemovalReason : std::uint8_t { Invalidated, Expired, Evicted, Replaced, Flushed };
constexpr std::size_t kRemovalReasonCount = 5;
std::string_view toString(RemovalReason reason);

/// The flows that one worker has installed: their tags, their expiry, and what they keep alive. What a flow looks like the
/// datapath alone knows, and says so when installing one replaces another.
///
/// Belongs to its worker's thread. Removal calls the datapath and then `onRemoved` with what the flow kept
/// alive (a learned MAC, connection state), so that it can be released.
class FlowTable {
public:
    /// What a flow that ended kept alive. Valid during the call.
    struct Kept {
        const simulation::Effects& effects;     ///< All but UseState.
        std::span<const std::uint64_t> states;  ///< StateKey::hash() of each UseState.
        bool closed = false;                    ///< Its sender had closed the connection (TCP).
    };
    using RemovedCallback = std::function<void(const Kept& kept)>;

    FlowTable(datapath::Datapath& datapath, datapath::WorkerIndex worker, RemovedCallback onRemoved);
    ~FlowTable();
    FlowTable(const FlowTable&) = delete;
    FlowTable& operator=(const FlowTable&) = delete;

    struct NewFlow {
        const flow::FlowKey& key;
        flow::FlowMask mask;  ///< Closed.
        const flow::FlowActions& actions;
        const flow::FlowTags& tags;
        const flow::FlowTags& moreTags;
        const simulation::Effects& effects;
        simulation::FlowClass flowClass = simulation::FlowClass::Normal;
        std::optional<std::size_t> packetBytes{};  ///< Of the packet that it is made for: counted, installed or not.
    };
    /// Installs in the datapath and records. Makes room by evicting the oldest, errors first, when
    /// the worker's share is above 90 % or the datapath says it is full.
    Result<void> install(const NewFlow& flow, event::TimePoint now);
    /// Counts a packet that the agent decided on and that gets no flow.
    void countPacket(const flow::FlowTags& tags, std::size_t bytes) { paths_.count(paths_.find(tags, {}), bytes); }

    /// Removes every flow that carries the tag; returns how many.
    std::size_t invalidate(flow::FlowTag tag);
    /// Removes what is past its time; looks at no more than `limit` flows. Memory of many that ended is given back.
    std::size_t expire(event::TimePoint now, std::size_t limit = 16384);
    /// Removes everything.
    std::size_t flush();

    /// What packets and flows have counted until now. Looks at every flow: about 0.1 us each.
    MeterCounts readMeters() const;

    std::size_t size() const { return size_; }
    std::uint64_t installed() const { return installed_; }
    const std::array<std::uint64_t, kRemovalReasonCount>& removed() const { return removed_; }

private:
    static constexpr std::size_t kClassCount = 4;

    // 100k flows have to fit into some 20 MB: everything is named by index, and nothing is kept twice.
    struct Flow {
        datapath::FlowHandle handle;
        event::TimePoint due;
        std::uint32_t firstTag = kNoIndex;    // in tags_
        std::uint32_t firstState = kNoIndex;  // in states_
        EffectPool::Id effects = EffectPool::kNone;
        Paths::Path path = kNoIndex;
        std::uint32_t previous = kNoIndex;  // in the queue of its class, oldest first
        std::uint32_t next = kNoIndex;      // the same; or the next free one
        std::uint32_t previousOfPath = kNoIndex;
        std::uint32_t nextOfPath = kNoIndex;
        simulation::FlowClass flowClass{};
        bool used = false;

        bool inUse() const { return used; }
        std::uint32_t& nextFree() { return next; }
    };
    /// A key of the connection state that a flow rests on: hardly two flows of a worker have one in common.
    struct StateLink {
        std::uint64_t hash = 0;
        std::uint32_t flow = kNoIndex;
        std::uint32_t nextOfFlow = kNoIndex;  // or the next free one

        bool inUse() const { return flow != kNoIndex; }
        std::uint32_t& nextFree() { return nextOfFlow; }
    };
    struct Queue {
        std::uint32_t head = kNoIndex;
        std::uint32_t tail = kNoIndex;
    };
    struct SlotHash {
        using is_transparent = void;
        using is_avalanching = void;
        const FlowTable* table;
        std::size_t operator()(datapath::FlowHandle handle) const noexcept { return mixHash(handle.slot); }
        std::size_t operator()(std::uint32_t index) const noexcept { return (*this)(table->flows_[index].handle); }
    };
    struct SlotEqual {
        using is_transparent = void;
        const FlowTable* table;
        bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
        bool operator()(datapath::FlowHandle a, std::uint32_t b) const { return a == table->flows_[b].handle; }
        bool operator()(std::uint32_t a, datapath::FlowHandle b) const { return (*this)(b, a); }
    };

    Result<datapath::Installed> installInDatapath(const NewFlow& flow);
    void takePath(std::uint32_t index, Flow& record, Paths::Path path);
    void leavePath(Flow& record);
    void keep(std::uint32_t index, const simulation::Effects& effects);
    void dropKept(std::uint32_t index, bool closed);
    bool isOver(const Flow& record, bool& closed) const;
    void enqueue(std::uint32_t index);
    void dequeue(std::uint32_t index);
    void remove(std::uint32_t index, RemovalReason reason, bool closed = false);
    void forget(std::uint32_t index, RemovalReason reason, const datapath::FlowStats& stats, bool closed = false);
    bool evictOldest(std::size_t count);
    void giveBackMemory();

    datapath::Datapath& datapath_;
    const datapath::WorkerIndex worker_;
    RemovedCallback onRemoved_;

    Slab<Flow> flows_;
    TagIndex tags_;  // but for those of paths
    Slab<StateLink> states_;
    EffectPool effects_;
    Paths paths_;
    std::vector<std::uint32_t> firstOfPath_;  // the flows that take it
    simulation::Effects effectsOfOne_;         // of the flow that is installed, and of the one that ends
    std::vector<std::uint64_t> statesOfOne_;
    boost::unordered_flat_set<std::uint32_t, SlotHash, SlotEqual> bySlot_;
    std::array<Queue, kClassCount> queues_;
    std::size_t size_ = 0;
    std::size_t gaveBackAt_ = kNoIndex;  // flows when memory was given back last; kNoIndex: it has been needed since
    std::uint64_t installed_ = 0;
    std::array<std::uint64_t, kRemovalReasonCount> removed_{};
};

}  // namespace midonet::flowcontrol
