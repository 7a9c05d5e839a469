#include "datapath/ebpf/traffic_hooks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "datapath/ebpf/file_descriptor.h"

namespace midonet::datapath::ebpf {
namespace {

std::string prefixOf(TrafficHooks::Kind kind) {
    static constexpr const char* kNames[] = {"port-", "tunnel-", "underlay-"};
    return kNames[static_cast<int>(kind)];
}

// Our filter among those of others on the same interface.
constexpr std::uint32_t kHandle = 0x6d69, kPriority = 77;

bpf_tc_hook hookOf(std::uint32_t ifindex, bpf_tc_attach_point point) {
    bpf_tc_hook hook{};
    hook.sz = sizeof(hook);
    hook.ifindex = static_cast<int>(ifindex);
    hook.attach_point = point;
    return hook;
}

Result<void> attachClsact(std::uint32_t ifindex, bpf_tc_attach_point point, int programFd) {
    bpf_tc_hook hook = hookOf(ifindex, point);
    const int created = ::bpf_tc_hook_create(&hook);
    if (created != 0 && created != -EEXIST) {
        return fail(ErrorCode::Unavailable, "no clsact qdisc on interface {}: {}; the kernel needs CONFIG_NET_CLS_ACT and CONFIG_NET_SCH_INGRESS",
                    ifindex, std::strerror(-created));
    }
    bpf_tc_opts options{};
    options.sz = sizeof(options);
    options.handle = kHandle;
    options.priority = kPriority;
    options.prog_fd = programFd;
    options.flags = BPF_TC_F_REPLACE;
    const int attached = ::bpf_tc_attach(&hook, &options);
    if (attached != 0) return fail(ErrorCode::Unavailable, "no tc filter on interface {}: {}", ifindex, std::strerror(-attached));
    return {};
}

void detachClsact(std::uint32_t ifindex) {
    const bpf_tc_hook hook = hookOf(ifindex, BPF_TC_INGRESS);
    bpf_tc_opts options{};
    options.sz = sizeof(options);
    options.handle = kHandle;
    options.priority = kPriority;
    ::bpf_tc_detach(&hook, &options);
}

}  // namespace

Result<void> TrafficHooks::attach(Kind kind, std::uint32_t ifindex, int programFd) const {
    const std::string pin = pinOf(kind, ifindex);
    if (tcx_) {
        TRY_VOID(attachTcx(pin, ifindex, programFd));
        detachClsact(ifindex);
        return {};
    }
    TRY_VOID(attachClsact(ifindex, BPF_TC_INGRESS, programFd));
    ::unlink(pin.c_str());
    if (::bpf_obj_pin(programFd, pin.c_str()) != 0) return fail(ErrorCode::Unavailable, "cannot pin {}: {}", pin, std::strerror(errno));
    return {};
}

void TrafficHooks::detach(Kind kind, std::uint32_t ifindex) const {
    const std::string pin = pinOf(kind, ifindex);
    // The link of an unlinked pin ends some time later; until then the same program is refused there.
    const FileDescriptor link{::bpf_obj_get(pin.c_str())};
    if (link.valid()) ::bpf_link_detach(link.get());
    ::unlink(pin.c_str());
    detachClsact(ifindex);
}

std::vector<std::uint32_t> TrafficHooks::attached(Kind kind) const {
    const std::string prefix = prefixOf(kind);
    std::vector<std::uint32_t> out;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{directory_, error}) {
        const std::string name = entry.path().filename();
        std::uint32_t ifindex = 0;
        if (!name.starts_with(prefix)) continue;
        const auto parsed = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), ifindex);
        if (parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size()) out.push_back(ifindex);
    }
    return out;
}

std::string TrafficHooks::pinOf(Kind kind, std::uint32_t ifindex) const {
    return fmt::format("{}/{}{}", directory_, prefixOf(kind), ifindex);
}

Result<void> TrafficHooks::attachTcx(const std::string& pin, std::uint32_t ifindex, int programFd) const {
    const FileDescriptor old{::bpf_obj_get(pin.c_str())};
    if (old.valid()) {
        if (::bpf_link_update(old.get(), programFd, nullptr) == 0) return {};
        ::unlink(pin.c_str());  // Of an interface that is gone; the number was given to another.
    }
    const FileDescriptor link{::bpf_link_create(programFd, static_cast<int>(ifindex), static_cast<bpf_attach_type>(kTcxIngress), nullptr)};
    if (!link.valid()) return fail(ErrorCode::Unavailable, "no TCX link on interface {}: {}", ifindex, std::strerror(errno));
    if (::bpf_obj_pin(link.get(), pin.c_str()) != 0) {
        return fail(ErrorCode::Unavailable, "cannot pin {}: {}", pin, std::strerror(errno));
    }
    return {};
}

Result<void> attachEgress(std::uint32_t ifindex, int programFd) { return attachClsact(ifindex, BPF_TC_EGRESS, programFd); }

}  // namespace midonet::datapath::ebpf
