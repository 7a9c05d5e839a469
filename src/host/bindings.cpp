#include "host/bindings.h"

#include <algorithm>

#include "base/log.h"
#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"

namespace midonet::host {
namespace {

const Logger kLog{"host"};

}  // namespace

Bindings::Bindings(event::Loop& loop, nsdb::Store& store, nsdb::Session& session, datapath::Datapath& datapath, HostId host,
                   ChangeCallback onChange)
    : loop_(loop), store_(store), session_(session), datapath_(datapath), host_(host), onChange_(std::move(onChange)) {}

Bindings::~Bindings() = default;

void Bindings::setWanted(std::vector<topology::WantedBinding> wanted) {
    wanted_ = std::move(wanted);
    reconcile();
}

void Bindings::setInterfaces(std::vector<Interface> interfaces) {
    interfaces_ = std::move(interfaces);
    reconcile();
}

std::vector<BindingStatus> Bindings::statuses() const {
    std::vector<BindingStatus> out;
    for (const auto& [port, binding] : bindings_) out.push_back({port, binding.interface, binding.problem});
    return out;
}

void Bindings::reconcile() {
    std::map<PortId, const topology::WantedBinding*> wanted;
    for (const auto& w : wanted_) wanted.emplace(w.port, &w);

    for (auto entry = bindings_.begin(); entry != bindings_.end();) {
        const auto found = wanted.find(entry->first);
        if (found != wanted.end() && found->second->interface == entry->second.interface) {
            ++entry;
            continue;
        }
        kLog.info("port unbound", {kv("port", entry->first), kv("interface", entry->second.interface)});
        deactivate(entry->second);
        session_.removeState(model::Port::descriptor(), entry->first.uuid(), "state");
        entry = bindings_.erase(entry);
    }
    for (const auto& [port, w] : wanted) {
        auto& binding = bindings_[port];
        binding.interface = w->interface;
        if (binding.key.value() == 0) binding.key = allocateKey(port);
        if (binding.watch == nullptr)
            binding.watch = store_.watchState(loop_, model::Port::descriptor(), port.uuid(), "state",
                                              [this, id = port](const auto& state) { onState(id, state.has_value()); });
    }

    // First give up what can no longer be, so that an interface is free for its next port.
    for (auto& [port, binding] : bindings_) {
        const auto* interface = findInterface(binding.interface);
        if (!binding.number) continue;
        const bool same = interface != nullptr && interface->up && interface->hasLink && interface->ifindex == binding.ifindex;
        if (!same) deactivate(binding);
    }
    bool again = false;
    for (auto& [port, binding] : bindings_) {
        const auto* interface = findInterface(binding.interface);
        const auto before = binding.problem;
        if (!binding.number) {
            const auto why = obstacle(port, binding, interface);
            if (why)
                binding.problem = *why;
            else
                activate(port, binding, *interface);
            again = again || (!binding.number && !why);
        }
        if (!binding.problem.empty() && binding.problem != before)
            kLog.warn("port not active", {kv("port", port), kv("interface", binding.interface), kv("problem", binding.problem)});
        report(port, binding);
    }
    retry_.reset();
    if (again) retry_ = loop_.after(kRetryPeriod, [this] { reconcile(); });

    std::vector<ActiveBinding> active;
    for (const auto& [port, binding] : bindings_)
        if (binding.number) active.push_back({port, binding.interface, *binding.number, binding.key});
    if (active == active_) return;
    active_ = std::move(active);
    onChange_();
}

std::optional<std::string> Bindings::obstacle(const PortId& port, const Binding& binding, const Interface* interface) const {
    for (const auto& [other, otherBinding] : bindings_) {
        if (other == port || otherBinding.interface != binding.interface) continue;
        // The one that is in the datapath keeps the interface; among newcomers the lower id gets it.
        if (otherBinding.number || other < port)
            return fmt::format("interface {} is also bound to port {}: unbind one of the two", binding.interface, other);
    }
    if (interface == nullptr) return fmt::format("interface {} does not exist on this host", binding.interface);
    if (!interface->up)
        return fmt::format("interface {0} is down: bring it up (ip link set {0} up)", binding.interface);
    if (!interface->hasLink)
        return fmt::format("interface {} has no carrier: its cable is unplugged, or its other end is down", binding.interface);
    return std::nullopt;
}

void Bindings::activate(const PortId& port, Binding& binding, const Interface& interface) {
    const auto number = datapath_.addPort(interface.name);
    if (!number) {
        binding.problem = fmt::format("interface {} cannot be taken into the datapath: {}", interface.name, number.error().message);
        return;
    }
    binding.number = *number;
    binding.ifindex = interface.ifindex;
    binding.problem.clear();
    kLog.info("port active", {kv("port", port), kv("interface", interface.name), kv("datapath_port", *number), kv("tunnel_key", binding.key)});
}

void Bindings::deactivate(Binding& binding) {
    if (!binding.number) return;
    if (const auto removed = datapath_.removePort(*binding.number); !removed)
        kLog.warn("interface not taken out of the datapath", {kv("interface", binding.interface), kv("error", removed.error())});
    binding.number.reset();
    binding.ifindex = 0;
}

void Bindings::report(const PortId& port, Binding& binding) {
    model::PortState state;
    state.set_host_id(model::bytesOf(host_.uuid()));
    state.set_active(binding.number.has_value());
    state.set_tunnel_key(binding.key.value());
    state.set_status(binding.problem);
    auto bytes = state.SerializeAsString();
    if (bytes == binding.reported) return;
    binding.reported = bytes;
    session_.putState(model::Port::descriptor(), port.uuid(), "state", std::move(bytes));
}

/// A host that had the port before and was cut off may come back with what it meant to say then: it takes our place, learns that
/// the port has moved, and takes back what it said.
void Bindings::onState(const PortId& port, bool present) {
    auto& binding = bindings_.at(port);
    if (!std::exchange(binding.isReported, present) || present) return;
    binding.reported.clear();
    report(port, binding);
}

void Bindings::reportAgain() {
    for (auto& [port, binding] : bindings_) {
        binding.reported.clear();
        report(port, binding);
    }
}

/// Made from the port's id, so that it is the same after a restart and flows that other hosts have
/// towards this one stay right; the next free one where two ports collide.
net::TunnelKey Bindings::allocateKey(const PortId& port) const {
    constexpr std::uint32_t kValueMask = (1U << 20) - 1;
    auto value = static_cast<std::uint32_t>(std::hash<PortId>{}(port)) & kValueMask;
    const auto taken = [&](net::TunnelKey key) {
        return std::any_of(bindings_.begin(), bindings_.end(), [&](const auto& b) { return b.second.key == key; });
    };
    while (taken(net::TunnelKey{net::kLocalTunnelKeyType | value})) value = (value + 1) & kValueMask;
    return net::TunnelKey{net::kLocalTunnelKeyType | value};
}

const Interface* Bindings::findInterface(const std::string& name) const {
    const auto found = std::find_if(interfaces_.begin(), interfaces_.end(), [&](const Interface& i) { return i.name == name; });
    return found == interfaces_.end() ? nullptr : &*found;
}

}  // namespace midonet::host
