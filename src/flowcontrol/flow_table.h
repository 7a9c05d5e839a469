#pragma once

#include <array>
#include <boost/container/deque.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "datapath/datapath.h"
#include "event/clock.h"
#include "flow/flow_tag.h"
#include "flowcontrol/effect_pool.h"
#include "flowcontrol/meters.h"
#include "simulation/simulation_result.h"

namespace midonet::flowcontrol {

/// Why a flow ended; one counter each.
enum class RemovalReason : std::uint8_t { Invalidated, Expired, Evicted, Replaced, Flushed };
constexpr std::size_t kRemovalReasonCount = 5;
std::string_view toString(RemovalReason reason);

/// The flows that one worker has installed: their tags, their expiry, and what they keep alive. A
/// flow is found by (masked key, mask), as in the datapath: installing it again replaces it.
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
        Meters::Path path = Meters::kNone;  ///< Where its packets count.
    };
    /// Installs in the datapath and records. Makes room by evicting the oldest, errors first, when
    /// the worker's share is above 90 % or the datapath says it is full.
    Result<void> install(const NewFlow& flow, event::TimePoint now);

    /// Removes every flow that carries the tag; returns how many.
    std::size_t invalidate(flow::FlowTag tag);
    /// Removes what is past its time; looks at no more than `limit` flows. Memory of many that ended is given back.
    std::size_t expire(event::TimePoint now, std::size_t limit = 16384);
    /// Removes everything.
    std::size_t flush();

    /// For packets; those of flows are counted here.
    Meters& meters() { return meters_; }
    /// What packets and flows have counted until now. Looks at every flow: about 0.1 us each.
    MeterCounts readMeters() const;

    std::size_t size() const { return size_; }
    std::uint64_t installed() const { return installed_; }
    const std::array<std::uint64_t, kRemovalReasonCount>& removed() const { return removed_; }
    /// Every flow, its key masked; for the check that a flow equals a new simulation.
    void forEach(const std::function<void(const flow::FlowKey&, const flow::FlowMask&)>& visit) const;

private:
    static constexpr std::uint32_t kNone = 0xffffffffU;
    static constexpr std::size_t kClassCount = 4;

    // 100k flows and their tags have to fit into some 40 MB: everything is named by index, kept in blocks
    // that never move, and nothing is kept twice.
    struct Flow {
        flow::FlowKey key;  // masked
        flow::FlowMask mask;
        datapath::FlowHandle handle;
        event::TimePoint due;
        std::uint32_t firstTag = kNone;  // into links_
        std::uint32_t previous = kNone;  // in the queue of its class, oldest first
        std::uint32_t next = kNone;      // the same; or the next free one
        EffectPool::Id effects = EffectPool::kNone;
        std::uint32_t firstState = kNone;  // into states_
        Meters::Path path = Meters::kNone;
        simulation::FlowClass flowClass{};
        bool used = false;
    };
    /// One (flow, tag) pair: in the list of its flow and in the list of its tag.
    struct TagLink {
        flow::FlowTag tag{flow::FlowTag::device(Uuid{})};
        std::uint32_t flow = kNone;
        std::uint32_t nextOfFlow = kNone;  // or the next free one
        std::uint32_t nextOfTag = kNone;
        std::uint32_t previousOfTag = kNone;
    };
    /// A key of the connection state that a flow rests on: hardly two flows of a worker have one in common.
    struct StateLink {
        std::uint64_t hash = 0;
        std::uint32_t flow = kNone;
        std::uint32_t nextOfFlow = kNone;  // or the next free one
    };
    struct Queue {
        std::uint32_t head = kNone;
        std::uint32_t tail = kNone;
    };
    struct Identity {
        const flow::FlowKey& masked;
        const flow::FlowMask& mask;
    };
    struct IdentityHash {
        using is_transparent = void;
        using is_avalanching = void;
        const FlowTable* table;
        std::size_t operator()(const Identity& i) const noexcept { return combineHash(i.masked.hash(), i.mask.fields()); }
        std::size_t operator()(std::uint32_t index) const noexcept {
            return (*this)(Identity{table->flows_[index].key, table->flows_[index].mask});
        }
    };
    struct IdentityEqual {
        using is_transparent = void;
        const FlowTable* table;
        bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
        bool operator()(const Identity& a, std::uint32_t b) const {
            return a.mask == table->flows_[b].mask && a.masked == table->flows_[b].key;
        }
        bool operator()(std::uint32_t a, const Identity& b) const { return (*this)(b, a); }
    };
    template <class T>
    using Blocks = boost::container::deque<T, void, boost::container::deque_options_t<boost::container::block_bytes<8192>>>;
    struct TagHash {
        using is_avalanching = void;
        std::size_t operator()(flow::FlowTag tag) const noexcept { return mixHash(tag.value()); }
    };

    std::uint32_t allocate();
    void addTag(std::uint32_t index, flow::FlowTag tag);
    void dropTags(std::uint32_t index);
    void keep(std::uint32_t index, const simulation::Effects& effects);
    void dropKept(std::uint32_t index, bool closed);
    bool isOver(const Flow& record, bool& closed) const;
    void enqueue(std::uint32_t index);
    void dequeue(std::uint32_t index);
    void endMetering(std::uint32_t index);
    void remove(std::uint32_t index, RemovalReason reason, bool closed = false);
    void forget(std::uint32_t index, RemovalReason reason, bool closed = false);
    bool evictOldest(std::size_t count);
    void giveBackMemory();

    datapath::Datapath& datapath_;
    const datapath::WorkerIndex worker_;
    RemovedCallback onRemoved_;

    Blocks<Flow> flows_;
    std::uint32_t firstFreeFlow_ = kNone;
    Blocks<TagLink> links_;
    std::uint32_t firstFreeLink_ = kNone;
    Blocks<StateLink> states_;
    std::uint32_t firstFreeState_ = kNone;
    EffectPool effects_;
    Meters meters_;
    simulation::Effects effectsOfOne_;         // of the flow that is installed, and of the one that ends
    std::vector<std::uint64_t> statesOfOne_;
    boost::unordered_flat_set<std::uint32_t, IdentityHash, IdentityEqual> byIdentity_;
    boost::unordered_flat_map<flow::FlowTag, std::uint32_t, TagHash> byTag_;  // head of the list
    std::array<Queue, kClassCount> queues_;
    std::size_t size_ = 0;
    std::size_t gaveBackAt_ = kNone;  // flows when memory was given back last; kNone: it has been needed since
    std::uint64_t installed_ = 0;
    std::array<std::uint64_t, kRemovalReasonCount> removed_{};
};

}  // namespace midonet::flowcontrol
