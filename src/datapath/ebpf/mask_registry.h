#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <vector>

#include "datapath/ebpf/kernel_layout.h"
#include "event/clock.h"
#include "flow/flow_key.h"

namespace midonet::datapath::ebpf {

/// The masks of the masked tables: hands out ids and keeps the lists that the kernel walks, the most
/// hit first. Shared by all workers; a mutex guards it, taken only when a worker begins or ceases
/// to use a mask (a handful exists, however many flows there are), and by reorder().
class MaskRegistry {
public:
    explicit MaskRegistry(mn_config& config, const event::Clock& clock) : config_(config), clock_(clock) {}

    /// The id of a mask, new or known. nullopt when the lists are full: the flow must be installed exact.
    std::optional<std::uint8_t> acquire(const flow::FlowMask& mask, bool wide);
    void release(std::uint8_t id);
    /// Keeps a mask of flows of a former agent, as if acquired once.
    void adopt(std::uint8_t id);
    /// Puts the lists in order of `hits` (by id, since the start).
    void reorder(const std::array<std::uint64_t, MN_MAX_MASKS>& hits);

private:
    struct Entry {
        mn_wide_key bits{};
        bool wide = false;
        unsigned users = 0;
        std::uint64_t hits = 0;
        event::TimePoint freed{};
    };
    bool tunnelOnly(const Entry& entry) const;
    bool looksAtIpv4(const Entry& entry) const;
    bool listsHaveRoom(const Entry& entry) const;
    void publish();

    mn_config& config_;
    const event::Clock& clock_;
    std::mutex mutex_;
    std::array<Entry, MN_MAX_MASKS> entries_;
};

/// One worker's view: counts its flows per mask, so that the registry is asked only for the first
/// and the last of them. Its end releases nothing: flows and masks outlive the process.
class MaskUsers {
public:
    explicit MaskUsers(MaskRegistry& registry) : registry_(registry) {}
    std::optional<std::uint8_t> acquire(const flow::FlowMask& mask, bool wide);
    void release(std::uint8_t id);

private:
    struct Use {
        flow::FlowMask mask;
        bool wide;
        std::uint8_t id;
        std::size_t flows;
    };
    MaskRegistry& registry_;
    std::vector<Use> uses_;
};

}  // namespace midonet::datapath::ebpf
