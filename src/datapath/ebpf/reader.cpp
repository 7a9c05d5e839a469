#include "datapath/ebpf/reader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <span>

#include "datapath/ebpf/action_codec.h"
#include "datapath/ebpf/counter_names.h"
#include "datapath/ebpf/file_descriptor.h"
#include "datapath/ebpf/flow_entries.h"
#include "datapath/ebpf/kernel_objects.h"

namespace midonet::datapath::ebpf {
namespace {

net::Ipv4Address addressOf(std::uint32_t wire) { return net::Ipv4Address::fromWire(reinterpret_cast<const std::uint8_t*>(&wire)); }

/// The pinned maps of one agent, opened for reading.
class Reader {
public:
    Reader(std::string directory, event::Duration patience) : directory_(std::move(directory)), end_(clock_.now() + patience) {}

    Result<DatapathContents> read() {
        DatapathContents out;
        TRY_VOID(openAll());
        if (::bpf_map_lookup_elem(config_.get(), &kZero, &settings_) != 0) return cannot("mn_config_map");
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        nowNs_ = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
        TRY_VOID(readPorts(out));
        TRY_VOID(readTunnels(out));
        for (const Table table : kTables) TRY_VOID(readFlows(table, out));
        readCounters(out);
        return out;
    }

private:
    static constexpr std::uint32_t kZero = 0;

    Unexpected cannot(const std::string& map) const {
        return fail(errno == EPERM || errno == EACCES ? ErrorCode::PermissionDenied : ErrorCode::Unavailable, "cannot read {}/{}: {}",
                    directory_, map, std::strerror(errno));
    }
    Result<FileDescriptor> open(const std::string& map) const {
        struct bpf_obj_get_opts options {};
        options.sz = sizeof(options);
        options.file_flags = BPF_F_RDONLY;
        FileDescriptor fd{::bpf_obj_get_opts((directory_ + "/" + map).c_str(), &options)};
        if (!fd.valid()) return cannot(map);
        return fd;
    }
    Result<void> openAll() {
        const std::map<std::string, FileDescriptor*> maps{{"mn_config_map", &config_}, {"mn_ports", &ports_},
                                                          {"mn_tunnels", &tunnels_},   {"mn_slots", &slots_},
                                                          {"mn_flow_stats", &stats_},  {"mn_counters", &counters_}};
        for (const auto& [name, fd] : maps) {
            TRY(opened, open(name));
            *fd = std::move(opened);
        }
        return {};
    }
    Result<void> checkTime() const {
        if (clock_.now() >= end_) return fail(ErrorCode::Timeout, "the datapath is too large to be read in time: give a longer --timeout");
        return {};
    }

    Result<void> readPorts(DatapathContents& out) const {
        std::uint32_t ifindex = 0;
        for (int more = ::bpf_map_get_next_key(ports_.get(), nullptr, &ifindex); more == 0;
             more = ::bpf_map_get_next_key(ports_.get(), &ifindex, &ifindex)) {
            mn_port port{};
            if (::bpf_map_lookup_elem(ports_.get(), &ifindex, &port) != 0) continue;
            out.ports.push_back({flow::PortNumber{port.number}, std::string{port.name, ::strnlen(port.name, sizeof(port.name))}, ifindex});
            TRY_VOID(checkTime());
        }
        std::sort(out.ports.begin(), out.ports.end(), [](const PortInfo& a, const PortInfo& b) { return a.number < b.number; });
        return {};
    }

    Result<void> readTunnels(DatapathContents& out) const {
        for (std::uint32_t id = 1; id < MN_MAX_TUNNELS; ++id) {
            mn_tunnel tunnel{};
            if (::bpf_map_lookup_elem(tunnels_.get(), &id, &tunnel) != 0) return cannot("mn_tunnels");
            if (tunnel.in_use == 0) continue;
            const auto type = tunnel.type == MN_TUNNEL_GRE ? TunnelType::Gre : TunnelType::Vxlan;
            out.tunnels.push_back({flow::TunnelId{id}, {type, addressOf(tunnel.local), addressOf(tunnel.remote)}});
        }
        return {};
    }

    Result<void> readFlows(Table table, DatapathContents& out) const {
        TRY(fd, open(mapName(table)));
        FlowEntries entries(fd.get(), table);
        while (entries.next()) {
            TRY_VOID(checkTime());
            for (std::size_t i = 0; i < entries.size(); ++i)
                if (auto flow = readFlow(table, entries.key(i), entries.value(i))) out.flows.push_back(std::move(*flow));
        }
        if (entries.failed()) return cannot(mapName(table));
        return {};
    }

    /// nullopt: it is a former agent's, or went while it was read.
    std::optional<InstalledFlow> readFlow(Table table, std::span<const std::uint8_t> key, const mn_flow& entry) const {
        if (entry.epoch < settings_.min_epoch) return std::nullopt;
        std::vector<mn_op> ops;
        mn_stats stats{};
        mn_slot slot{};
        for (std::uint32_t at = entry.slot; at != 0; at = slot.next) {
            if (::bpf_map_lookup_elem(slots_.get(), &at, &slot) != 0 || slot.count > MN_OPS_PER_SLOT || ops.size() > MN_MAX_OPS)
                return std::nullopt;
            if (at == entry.slot && slot.generation != entry.generation) return std::nullopt;
            ops.insert(ops.end(), slot.ops, slot.ops + slot.count);
        }
        if (::bpf_map_lookup_elem(stats_.get(), &entry.slot, &stats) != 0) return std::nullopt;
        if (::bpf_map_lookup_elem(slots_.get(), &entry.slot, &slot) != 0 || slot.generation != entry.generation) return std::nullopt;
        InstalledFlow out;
        out.key = decodeKey(wideKeyOf(table, key));
        out.mask = maskOf(table, key);
        out.actions = decodeActions(ops);
        out.stats = {stats.packets + stats.other_packets, stats.bytes + stats.other_bytes,
                     std::chrono::nanoseconds{nowNs_ > stats.last_used_ns ? nowNs_ - stats.last_used_ns : 0}, stats.closing != 0};
        return out;
    }
    flow::FlowMask maskOf(Table table, std::span<const std::uint8_t> key) const {
        if (!isMasked(table)) return flow::FlowMask::exact();
        mn_wide_key bits{};
        std::memcpy(&bits, settings_.masks[maskIdOf(key)], sizeof(bits));
        return decodeMask(bits);
    }

    void readCounters(DatapathContents& out) const {
        using Values = std::array<std::uint64_t, MN_COUNTERS + MN_MAX_MASKS>;
        const int cpus = ::libbpf_num_possible_cpus();
        std::vector<Values> perCpu(static_cast<std::size_t>(std::max(cpus, 1)));
        if (::bpf_map_lookup_elem(counters_.get(), &kZero, perCpu.data()) != 0) return;
        for (std::size_t i = 0; i < MN_COUNTERS; ++i) {
            std::uint64_t sum = 0;
            for (const auto& values : perCpu) sum += values[i];
            out.counters.push_back({std::string{counterName(static_cast<mn_counter>(i))}, "", sum});
        }
    }

    const std::string directory_;
    const event::SteadyClock clock_;
    const event::TimePoint end_;
    FileDescriptor config_, ports_, tunnels_, slots_, stats_, counters_;
    mn_config settings_{};
    std::uint64_t nowNs_ = 0;
};

}  // namespace

Result<DatapathContents> readEbpfDatapath(const std::string& bpffs, event::Duration patience) {
    const auto directory = pinDirectory(bpffs);
    if (::access(bpffs.c_str(), X_OK) != 0 && errno == EACCES)
        return fail(ErrorCode::PermissionDenied, "{} may be read by root only", bpffs);
    if (::access(directory.c_str(), F_OK) != 0)
        return fail(ErrorCode::NotFound, "no agent of this version has anything in the kernel: there is no {} (agent.bpffs)", directory);
    return Reader{directory, patience}.read();
}

}  // namespace midonet::datapath::ebpf
