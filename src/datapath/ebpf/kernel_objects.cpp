#include "datapath/ebpf/kernel_objects.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/log.h"
#include "datapath/ebpf/program_object.h"

namespace midonet::datapath::ebpf {
namespace {

constexpr Logger kLog{"datapath"};

int logLibbpf(libbpf_print_level level, const char* format, va_list arguments) {
    // What libbpf calls a warning is mostly the trying of something; errors come back as codes.
    if (!Logger::enabled(LogLevel::Debug) || level == LIBBPF_DEBUG) return 0;
    std::array<char, 1024> line{};
    std::vsnprintf(line.data(), line.size(), format, arguments);
    std::string_view text{line.data()};
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    kLog.debug("libbpf", {kv("says", text)});
    return 0;
}

bool onBpffs(const std::string& directory) {
    struct statfs info {};
    return ::statfs(directory.c_str(), &info) == 0 && info.f_type == BPF_FS_MAGIC;
}

std::size_t pageRounded(std::size_t bytes) { return (bytes + 4095) & ~std::size_t{4095}; }

template <class T>
Result<std::span<T>> mapArray(int fd, const char* name, std::size_t count) {
    void* address = ::mmap(nullptr, pageRounded(count * sizeof(T)), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) return fail(ErrorCode::Unavailable, "cannot map {} into memory: {}", name, std::strerror(errno));
    return std::span<T>{static_cast<T*>(address), count};
}

template <class T>
void unmapArray(std::span<T> array) {
    if (!array.empty()) ::munmap(array.data(), pageRounded(array.size_bytes()));
}

}  // namespace

std::string pinDirectory(const std::string& bpffs) { return fmt::format("{}/v{}", bpffs, MN_LAYOUT_VERSION); }

Result<void> prepareBpffs(const std::string& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error && !onBpffs(directory)) {
        return fail(ErrorCode::Unavailable, "cannot make {} ({}): set agent.bpffs to a folder that can be written", directory, error.message());
    }
    if (onBpffs(directory)) return {};
    if (::mount("bpf", directory.c_str(), "bpf", 0, "mode=0700") != 0) {
        return fail(errno == EPERM ? ErrorCode::PermissionDenied : ErrorCode::Unsupported,
                    "cannot mount a BPF file system at {} ({}): run 'mount -t bpf bpf {}' as root, or set agent.bpffs to a folder on one",
                    directory, std::strerror(errno), directory);
    }
    return {};
}

Result<KernelObjects> KernelObjects::load(const std::string& directory, const KernelSizes& sizes) {
    ::libbpf_set_print(logLibbpf);
    KernelObjects out;
    const ByteView bytes = programObject();
    bpf_object_open_opts open{};
    open.sz = sizeof(open);
    open.object_name = "midonet";
    open.pin_root_path = directory.c_str();
    out.object_.reset(::bpf_object__open_mem(bytes.data(), bytes.size(), &open));
    if (!out.object_) return fail(ErrorCode::Internal, "the embedded BPF object cannot be read: {}", std::strerror(errno));

    const auto size = [&](const char* name, std::uint32_t entries) {
        ::bpf_map__set_max_entries(::bpf_object__find_map_by_name(out.object_.get(), name), entries);
    };
    for (const char* table : {"mn_exact", "mn_masked", "mn_exact_wide", "mn_masked_wide"}) size(table, sizes.maxFlows);
    size("mn_slots", sizes.flowSlots);
    size("mn_flow_stats", sizes.flowSlots);
    size("mn_rings", sizes.workers);

    out.adopted_ = ::access((directory + "/mn_config_map").c_str(), F_OK) == 0;
    const int loaded = ::bpf_object__load(out.object_.get());
    if (loaded != 0 && out.adopted_) {
        return fail(ErrorCode::Conflict, "the maps pinned in {} do not fit: {}", directory, std::strerror(-loaded));
    }
    if (loaded != 0) {
        return fail(loaded == -EPERM ? ErrorCode::PermissionDenied : ErrorCode::Unsupported,
                    "the kernel refuses the BPF programs ({}): Linux 5.17 or newer is needed; '--set log.level=debug' shows more",
                    std::strerror(-loaded));
    }
    for (const Table table : kTables) out.flowTables_[static_cast<std::size_t>(table)] = out.map(mapName(table));
    TRY_VOID(out.mapArrays(sizes));
    TRY_VOID(out.openRings(sizes));
    return out;
}

KernelObjects::KernelObjects(KernelObjects&& other) noexcept { *this = std::move(other); }

KernelObjects& KernelObjects::operator=(KernelObjects&& other) noexcept {
    std::swap(object_, other.object_);
    std::swap(adopted_, other.adopted_);
    std::swap(config_, other.config_);
    std::swap(slots_, other.slots_);
    std::swap(stats_, other.stats_);
    std::swap(portTargets_, other.portTargets_);
    std::swap(pendingFlows_, other.pendingFlows_);
    std::swap(tunnels_, other.tunnels_);
    std::swap(flowTables_, other.flowTables_);
    std::swap(rings_, other.rings_);
    return *this;
}

KernelObjects::~KernelObjects() {
    unmapArray(portTargets_);
    unmapArray(pendingFlows_);
    unmapArray(tunnels_);
    if (config_ != nullptr) unmapArray(std::span{config_, 1});
}

void KernelObjects::Closer::operator()(bpf_object* object) const { ::bpf_object__close(object); }

int KernelObjects::map(const char* name) const { return ::bpf_object__find_map_fd_by_name(object_.get(), name); }

int KernelObjects::program(const char* name) const {
    return ::bpf_program__fd(::bpf_object__find_program_by_name(object_.get(), name));
}

std::array<std::uint64_t, MN_COUNTERS + MN_MAX_MASKS> KernelObjects::counters() const {
    std::array<std::uint64_t, MN_COUNTERS + MN_MAX_MASKS> out{};
    const int cpus = ::libbpf_num_possible_cpus();
    std::vector<decltype(out)> perCpu(static_cast<std::size_t>(cpus > 0 ? cpus : 1));
    const std::uint32_t zero = 0;
    if (::bpf_map_lookup_elem(map("mn_counters"), &zero, perCpu.data()) != 0) return out;
    for (const auto& values : perCpu) {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] += values[i];
    }
    return out;
}

Result<void> KernelObjects::mapArrays(const KernelSizes& sizes) {
    TRY(config, mapArray<mn_config>(map("mn_config_map"), "mn_config_map", 1));
    config_ = config.data();
    slots_ = MappedArray<mn_slot>{map("mn_slots"), sizes.flowSlots};
    stats_ = MappedArray<mn_stats>{map("mn_flow_stats"), sizes.flowSlots};
    TRY(targets, mapArray<mn_port_target>(map("mn_port_targets"), "mn_port_targets", MN_MAX_PORTS));
    portTargets_ = targets;
    TRY(pending, mapArray<mn_pending>(map("mn_pending_flows"), "mn_pending_flows", MN_PENDING_ENTRIES));
    pendingFlows_ = pending;
    TRY(tunnels, mapArray<mn_tunnel>(map("mn_tunnels"), "mn_tunnels", MN_MAX_TUNNELS));
    tunnels_ = tunnels;
    if (adopted_ && (config_->layout_version != MN_LAYOUT_VERSION || config_->workers != sizes.workers ||
                     config_->flow_slots != sizes.flowSlots || config_->ring_bytes != sizes.ringBytes)) {
        return fail(ErrorCode::Conflict, "the maps of the former agent have other sizes");
    }
    config_->layout_version = MN_LAYOUT_VERSION;
    config_->workers = sizes.workers;
    config_->flow_slots = sizes.flowSlots;
    config_->ring_bytes = sizes.ringBytes;
    return {};
}

Result<void> KernelObjects::openRings(const KernelSizes& sizes) {
    for (std::uint32_t i = 0; i < sizes.workers; ++i) {
        std::uint32_t id = 0;
        if (::bpf_map_lookup_elem(map("mn_rings"), &i, &id) == 0) {
            rings_.emplace_back(::bpf_map_get_fd_by_id(id));
        } else {
            rings_.emplace_back(::bpf_map_create(BPF_MAP_TYPE_RINGBUF, "mn_ring", 0, 0, sizes.ringBytes, nullptr));
            const int fd = rings_.back().get();
            if (fd < 0 || ::bpf_map_update_elem(map("mn_rings"), &i, &fd, BPF_ANY) != 0) {
                return fail(ErrorCode::Unavailable, "no upcall ring of {} bytes: {}; the size must be a power of two and a multiple of 4096",
                            sizes.ringBytes, std::strerror(errno));
            }
        }
        if (!rings_.back().valid()) return fail(ErrorCode::Unavailable, "cannot open upcall ring {}: {}", i, std::strerror(errno));
    }
    return {};
}

void removePins(const std::string& directory) {
    std::error_code error;
    std::filesystem::remove_all(directory, error);
}

}  // namespace midonet::datapath::ebpf
