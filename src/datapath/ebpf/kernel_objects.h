#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "datapath/ebpf/file_descriptor.h"
#include "datapath/ebpf/kernel_layout.h"
#include "datapath/ebpf/key_codec.h"
#include "datapath/ebpf/mapped_array.h"

struct bpf_object;

namespace midonet::datapath::ebpf {

/// Sizes that the maps are made with. An agent with others cannot adopt them.
struct KernelSizes {
    unsigned workers = 1;
    std::uint32_t flowSlots = 0;  ///< all slots, packet-out included
    std::uint32_t maxFlows = 0;   ///< entries per flow table
    std::uint32_t ringBytes = 0;
};

/// Where an agent pins what it has, below the folder of its settings: each layout has its own.
std::string pinDirectory(const std::string& bpffs);

/// Makes `directory` and mounts a BPF file system there when it is not on one.
Result<void> prepareBpffs(const std::string& directory);

/// The loaded programs and their maps. Maps are pinned by name in `directory`; those of a former agent
/// are taken over when they are of the same sizes. Array maps are mapped into memory. Its owner is
/// the control loop; workers use the parts that are theirs.
class KernelObjects {
public:
    /// Makes new maps, or takes over pinned ones. Conflict: those pinned have other sizes; take them out first.
    static Result<KernelObjects> load(const std::string& directory, const KernelSizes& sizes);
    KernelObjects(KernelObjects&&) noexcept;
    KernelObjects& operator=(KernelObjects&&) noexcept;
    ~KernelObjects();

    /// True when the maps are those of a former agent.
    bool adopted() const { return adopted_; }
    mn_config& config() const { return *config_; }
    const MappedArray<mn_slot>& slots() const { return slots_; }
    const MappedArray<mn_stats>& stats() const { return stats_; }
    std::span<mn_port_target> portTargets() const { return portTargets_; }
    std::span<mn_pending> pendingFlows() const { return pendingFlows_; }
    std::span<mn_tunnel> tunnels() const { return tunnels_; }
    int flowTable(Table table) const { return flowTables_[static_cast<std::size_t>(table)]; }
    int map(const char* name) const;
    int program(const char* name) const;
    /// The upcall ring of a worker.
    int ring(unsigned worker) const { return rings_[worker].get(); }
    /// Sum over all CPUs, by counter, then mask.
    std::array<std::uint64_t, MN_COUNTERS + MN_MAX_MASKS> counters() const;

private:
    KernelObjects() = default;
    Result<void> mapArrays(const KernelSizes& sizes);
    Result<void> openRings(const KernelSizes& sizes);

    struct Closer {
        void operator()(bpf_object* object) const;
    };
    std::unique_ptr<bpf_object, Closer> object_;
    bool adopted_ = false;
    mn_config* config_ = nullptr;
    MappedArray<mn_slot> slots_;
    MappedArray<mn_stats> stats_;
    std::span<mn_port_target> portTargets_;
    std::span<mn_pending> pendingFlows_;
    std::span<mn_tunnel> tunnels_;
    std::array<int, 4> flowTables_{};
    std::vector<FileDescriptor> rings_;
};

/// Removes every pin below `directory`; what only pins keep alive is gone then.
void removePins(const std::string& directory);

}  // namespace midonet::datapath::ebpf
