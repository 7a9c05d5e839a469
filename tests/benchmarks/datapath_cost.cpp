// What the kernel programs cost per packet, by BPF_PROG_TEST_RUN: one JSON line per case, the median of
// seven rounds. Needs root. Programs that change the packet cannot run twice on it, so encapsulation and
// decapsulation are timed one run at a time, less what an exact hit takes in that way.
//
//     build/release/bin/datapath_cost

#include <bpf/bpf.h>
#include <fmt/core.h>
#include <linux/bpf.h>

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "datapath/ebpf/kernel_layout.h"
#include "packet/builder.h"
#include "testing/ebpf_world.h"

namespace midonet::datapath::ebpf::testing {
namespace {

using namespace midonet::packet;
using flow::Field;

constexpr const char* kA = "02:00:00:00:00:0a";
constexpr const char* kB = "02:00:00:00:00:0b";
constexpr int kRounds = 7;
constexpr std::uint32_t kRepeat = 300000;
constexpr int kSingleRuns = 20000;

template <class T>
T median(std::vector<T> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

/// The program that hangs on an interface, as its pinned TCX link tells.
FileDescriptor programAt(const EbpfWorld& world, const std::string& hook) {
    const FileDescriptor link{::bpf_obj_get(fmt::format("{}/v{}/hooks/{}", world.host().bpffs(), MN_LAYOUT_VERSION, hook).c_str())};
    bpf_link_info info{};
    std::uint32_t size = sizeof(info);
    if (!link.valid() || ::bpf_obj_get_info_by_fd(link.get(), &info, &size) != 0) throw std::runtime_error("no link " + hook);
    return FileDescriptor{::bpf_prog_get_fd_by_id(info.prog_id)};
}

std::uint32_t runProgram(const FileDescriptor& program, std::uint32_t ifindex, const Frame& frame, std::uint32_t repeat, std::uint32_t* verdict = nullptr) {
    __sk_buff context{};
    context.ifindex = ifindex;
    std::vector<std::uint8_t> out(frame.size() + 256);
    bpf_test_run_opts options{};
    options.sz = sizeof(options);
    options.data_in = frame.data();
    options.data_size_in = static_cast<std::uint32_t>(frame.size());
    options.data_out = out.data();
    options.data_size_out = static_cast<std::uint32_t>(out.size());
    options.ctx_in = &context;
    options.ctx_size_in = sizeof(context);
    options.repeat = static_cast<int>(repeat);
    if (::bpf_prog_test_run_opts(program.get(), &options) != 0) throw std::runtime_error("BPF_PROG_TEST_RUN failed");
    if (verdict != nullptr) *verdict = options.retval;
    return options.duration;
}

void report(std::string_view name, std::uint32_t nanoseconds) {
    fmt::print("{{\"benchmark\":\"datapath_cost\",\"figure\":\"{}\",\"value\":{},\"unit\":\"ns\"}}\n", name, nanoseconds);
}

flow::FlowMask prefixMask(unsigned bits) {
    flow::FlowMask mask;
    mask.seePrefix(Field::IpDestination, bits);
    mask.close();
    return mask;
}

/// Two instructions: what the harness itself takes, so how fast the machine is now.
void harness() {
    const bpf_insn program[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    const FileDescriptor nothing{::bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "nothing", "GPL", program, 2, nullptr)};
    if (!nothing.valid()) throw std::runtime_error("BPF_PROG_LOAD failed");
    std::vector<std::uint32_t> rounds;
    for (int i = 0; i < kRounds; ++i) rounds.push_back(runProgram(nothing, 1, Frame(60), kRepeat));
    report("harness", median(rounds));
}

struct Bench {
    Bench() {
        auto options = EbpfWorld::defaults();
        options.attach = AttachMode::Tcx;
        world = std::make_unique<EbpfWorld>(options);
        one = world->addPort("vm1");
        two = world->addPort("vm2");
        port = programAt(*world, fmt::format("port-{}", ifindexOf(one)));
    }
    std::uint32_t ifindexOf(flow::PortNumber number) const {
        for (const PortInfo& info : world->datapath().ports()) {
            if (info.number == number) return info.ifindex;
        }
        return 0;
    }
    flow::FlowKey keyOf(const Frame& frame) {
        world->drain();
        world->inject("vm1", frame);
        return world->drain().at(0).upcall.key;
    }
    std::uint32_t repeated(const Frame& frame) const {
        std::vector<std::uint32_t> rounds;
        for (int i = 0; i < kRounds; ++i) rounds.push_back(runProgram(port, ifindexOf(one), frame, kRepeat));
        return median(rounds);
    }
    static std::uint32_t singly(const FileDescriptor& program, std::uint32_t ifindex, const Frame& frame) {
        std::vector<std::uint32_t> rounds;
        for (int round = 0; round < kRounds; ++round) {
            std::vector<std::uint32_t> runs;
            for (int i = 0; i < kSingleRuns / kRounds; ++i) {
                std::uint32_t verdict = 0;
                runs.push_back(runProgram(program, ifindex, frame, 1, &verdict));
                if (verdict != 7) throw std::runtime_error("the packet was not forwarded");
            }
            rounds.push_back(median(runs));
        }
        return median(rounds);
    }

    std::unique_ptr<EbpfWorld> world;
    flow::PortNumber one, two;
    FileDescriptor port;
};

void exactHits(Bench& bench) {
    auto& datapath = bench.world->datapath();
    const Frame udp4 = (eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "12345678").toBytes();
    const Frame tcp4 = (eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / tcp(1, 2) / "12345678").toBytes();
    const Frame udp6 = (eth(kA, kB) / ipv6("fd00::1", "fd00::2") / udp(1, 2) / "12345678").toBytes();
    for (const auto& [name, frame] : {std::pair{"exact hit, IPv4 UDP", udp4}, {"exact hit, IPv4 TCP", tcp4}, {"exact hit, IPv6 UDP", udp6}}) {
        const auto handle = datapath.installFlow(0, bench.keyOf(frame), flow::FlowMask::exact(), {flow::Output{bench.two}}).value().handle;
        report(name, bench.repeated(frame));
        datapath.removeFlow(0, handle);
    }
    const auto key = bench.keyOf(udp4);
    const auto handle = datapath.installFlow(0, key, flow::FlowMask::exact(), {flow::SetEthernet{net::Mac{1}, net::Mac{2}}, flow::Output{bench.two}}).value().handle;
    report("exact hit, set Ethernet", bench.repeated(udp4));
    datapath.removeFlow(0, handle);
}

/// The hit is at the mask of `masks` that is walked last: the only one with hits goes to the front when the counters are read,
/// so they are not.
void maskedHits(Bench& bench) {
    auto& datapath = bench.world->datapath();
    const Frame frame = (eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "12345678").toBytes();
    const auto key = bench.keyOf(frame);
    for (const unsigned masks : {1U, 4U, 16U}) {
        std::vector<FlowHandle> handles;
        for (unsigned i = 1; i < masks; ++i) {
            auto other = key;
            other.ipDestination = net::Ipv4Address{0xdeadbe00U};
            handles.push_back(datapath.installFlow(0, other, prefixMask(i), {flow::Output{bench.two}}).value().handle);
        }
        handles.push_back(datapath.installFlow(0, key, prefixMask(32), {flow::Output{bench.two}}).value().handle);
        report(fmt::format("masked hit at the last of {}", masks), bench.repeated(frame));
        for (const FlowHandle& handle : handles) datapath.removeFlow(0, handle);
        bench.world->clock().advance(std::chrono::seconds{1});
    }
}

void tunnels(Bench& bench) {
    auto& datapath = bench.world->datapath();
    const net::Mac nicMac{0x020000000f01}, peerMac{0x020000000f02};
    const std::uint32_t nic = bench.world->addUnderlay("nic0", "192.0.2.1/24", nicMac);
    const Packet inner = eth(kA, kB) / ipv4("10.0.0.1", "10.0.0.2") / udp(1, 2) / "12345678";
    const Frame frame = inner.toBytes();
    const auto key = bench.keyOf(frame);
    const auto plain = datapath.installFlow(0, key, flow::FlowMask::exact(), {flow::Output{bench.two}}).value().handle;
    const std::uint32_t exact = bench.repeated(frame);
    const std::uint32_t exactSingly = Bench::singly(bench.port, bench.ifindexOf(bench.one), frame);
    const auto corrected = [&](std::uint32_t single) { return single > exactSingly ? single - exactSingly + exact : exact; };
    datapath.removeFlow(0, plain);
    for (const auto& [name, type] : {std::pair{"VXLAN", TunnelType::Vxlan}, {"GRE", TunnelType::Gre}}) {
        const auto id = datapath.addTunnel({type, net::Ipv4Address{0xc0000201}, net::Ipv4Address{0xc0000202}}).value();
        if (!datapath.setTunnelPath(id, TunnelPath{nic, nicMac, peerMac, 1600})) throw std::runtime_error("no path");
        const auto in = datapath.installFlow(0, key, flow::FlowMask::exact(), {flow::OutputTunnel{id, net::TunnelKey{5}}}).value().handle;
        report(fmt::format("exact hit, encapsulate {}", name), corrected(Bench::singly(bench.port, bench.ifindexOf(bench.one), frame)));
        datapath.removeFlow(0, in);

        const auto outer = Packet{Ethernet{peerMac, nicMac, {}}} / ipv4("192.0.2.2", "192.0.2.1");
        const Frame tunnelled = (type == TunnelType::Gre ? outer / gre(9) / frame : outer / udp(50000, 6677).checksum(0) / vxlan(9) / frame).toBytes();
        bench.world->drain();
        bench.world->inject("nic0", tunnelled);
        flow::FlowMask mask;
        for (const Field field : {Field::TunnelKey, Field::TunnelSource, Field::TunnelDestination}) mask.see(field);
        mask.close();
        const auto out = datapath.installFlow(0, bench.world->drain().at(0).upcall.key, mask, {flow::Output{bench.two}}).value().handle;
        const FileDescriptor underlay = programAt(*bench.world, fmt::format("underlay-{}", nic));
        report(fmt::format("decapsulate {}, tunnel flow hit", name), corrected(Bench::singly(underlay, nic, tunnelled)));
        datapath.removeFlow(0, out);
    }
}

}  // namespace

int run() {
    if (const std::string reason = PrivateHost::skipReason(); !reason.empty()) {
        fmt::print(stderr, "datapath_cost {}\n", reason);
        return 1;
    }
    Bench bench;
    harness();
    exactHits(bench);
    maskedHits(bench);
    tunnels(bench);
    return 0;
}

}  // namespace midonet::datapath::ebpf::testing

int main() { return midonet::datapath::ebpf::testing::run(); }
