#include "simulation/packet_walk.h"

#include <algorithm>

#include "base/assert.h"
#include "packet/parse.h"
#include "simulation/icmp_data.h"

namespace midonet::simulation {
namespace {

using flow::Field;
using flowstate::KeyKind;
using flowstate::StateKey;

constexpr std::uint8_t kEchoReply = 0, kEchoRequest = 8, kEchoRequest6 = 128, kEchoReply6 = 129;

bool isIcmp(std::uint8_t protocol) { return protocol == packet::ipproto::kIcmp || protocol == packet::ipproto::kIcmpv6; }

}  // namespace

PacketWalk::PacketWalk(const PacketContext& packet, const topology::TopologySnapshot& topology, const StateView& state, Trace* trace)
    : packet_(packet), topology_(topology), state_(state), trace_(trace), now_(packet.key) {
    out_.ethSource = now_.ethSource;
    out_.ethDestination = now_.ethDestination;
    out_.ipSource = now_.ipSource;
    out_.ipDestination = now_.ipDestination;
    out_.l4Source = now_.l4Source;
    out_.l4Destination = now_.l4Destination;
}

flow::VlanTci PacketWalk::vlan() {
    if (!pushed_.empty()) return pushed_.back();
    if (popped_) return {};
    return see(Field::Vlan), now_.vlan;
}

void PacketWalk::seePrefix(Field address, unsigned bits) {
    if (!isRewritten(address)) decision_.mask.seePrefix(address, bits);
}

bool PacketWalk::isSeen(Field field) const {
    if (isRewritten(field)) return true;
    if (field == Field::IpSource) return decision_.mask.sourceBits() >= now_.ipSource.bits();
    if (field == Field::IpDestination) return decision_.mask.destinationBits() >= now_.ipDestination.bits();
    return decision_.mask.has(field);
}

bool PacketWalk::hasConnection() {
    if (!isIp() || fragment() == flow::Fragment::Later) return false;
    switch (protocol()) {
        case packet::ipproto::kTcp:
        case packet::ipproto::kUdp: return true;
        case packet::ipproto::kIcmp: return isIpv4() && (l4Source() == kEchoRequest || l4Source() == kEchoReply);
        case packet::ipproto::kIcmpv6: return isIpv6() && (l4Source() == kEchoRequest6 || l4Source() == kEchoReply6);
        default: return false;
    }
}

bool PacketWalk::isIcmpError() {
    if (!isIpv4() || protocol() != packet::ipproto::kIcmp || fragment() == flow::Fragment::Later) return false;
    const auto type = l4Source();
    return type == 3 || type == 11 || type == 12;
}

std::optional<PacketWalk::IcmpData> PacketWalk::icmpData() {
    if (!isIcmpError()) return std::nullopt;
    onlyThisPacket();
    if (!icmpDataRead_) {
        icmpDataRead_ = true;
        icmpData_ = icmpDataBefore_ = out_.icmpData = readIcmpData(packet_.frame);
    }
    return icmpData_;
}

// --- changing it ----------------------------------------------------------------------------------

void PacketWalk::setEthernet(net::Mac source, net::Mac destination) {
    // No action is needed for a packet that has them already, but is for others of a flow that did not look.
    if (now_.ethSource == source && now_.ethDestination == destination) {
        see(Field::EthSource);
        see(Field::EthDestination);
    }
    now_.ethSource = source;
    now_.ethDestination = destination;
    rewrite(Field::EthSource);
    rewrite(Field::EthDestination);
}

// An action writes both addresses (both ports), so the one that stays is part of the flow too.

void PacketWalk::setIpSource(const net::IpAddress& address) {
    see(Field::IpSource);
    see(Field::IpDestination);
    now_.ipSource = address;
    rewrite(Field::IpSource);
}

void PacketWalk::setIpDestination(const net::IpAddress& address) {
    see(Field::IpSource);
    see(Field::IpDestination);
    now_.ipDestination = address;
    rewrite(Field::IpDestination);
}

void PacketWalk::setL4Source(std::uint16_t port) {
    see(Field::L4Source);
    see(Field::L4Destination);
    now_.l4Source = port;
    rewrite(Field::L4Source);
}

void PacketWalk::setL4Destination(std::uint16_t port) {
    see(Field::L4Source);
    see(Field::L4Destination);
    now_.l4Destination = port;
    rewrite(Field::L4Destination);
}

void PacketWalk::setIcmpData(const IcmpData& data) { icmpData_ = data; }

bool PacketWalk::decrementTtl() {
    // Packets with enough hops share the flow: the datapath sends the others up (flow::DecrementTtl).
    if (packet_.key.ipTtl <= ttlDecrements_ + 1) {
        see(Field::IpTtl);
        return false;
    }
    ++ttlDecrements_;
    now_.ipTtl = static_cast<std::uint8_t>(packet_.key.ipTtl - ttlDecrements_);
    return true;
}

void PacketWalk::popVlan() {
    if (!pushed_.empty()) return pushed_.pop_back();
    see(Field::Vlan);
    popped_ = true;
}

void PacketWalk::pushVlan(flow::VlanTci tci) { pushed_.push_back(tci); }

// --- where it is ----------------------------------------------------------------------------------

bool PacketWalk::traversed(const Uuid& device) const {
    const auto tag = flow::FlowTag::device(device);
    return std::find(decision_.tags.begin(), decision_.tags.end(), tag) != decision_.tags.end();
}

bool PacketWalk::enterFlood(const BridgeId& bridge) {
    if (std::find(flooded_.begin(), flooded_.end(), bridge) != flooded_.end()) return false;
    flooded_.push_back(bridge);
    return true;
}

// --- connection tracking --------------------------------------------------------------------------

StateKey PacketWalk::connectionOf(const flow::FlowKey& key, const Uuid& device, bool answer) const {
    StateKey out{KeyKind::ConnTrack, key.ipProtocol, key.l4Source, key.l4Destination, key.ipSource, key.ipDestination, device};
    if (isIcmp(key.ipProtocol)) out.sourcePort = out.destinationPort = key.icmpId;
    if (answer) {
        std::swap(out.source, out.destination);
        std::swap(out.sourcePort, out.destinationPort);
    }
    return out;
}

bool PacketWalk::isForwardFlow() {
    if (packet_.leaves) return false;
    if (connection_ != Connection::NotAsked) return connection_ == Connection::Forward;
    connection_ = Connection::Forward;
    // The packet as it came in, at the device of its ingress port.
    auto& mask = decision_.mask;
    const auto& key = packet_.key;
    mask.see(Field::EtherType);
    if (key.etherType != 0x0800 && key.etherType != 0x86dd) return true;
    mask.see(Field::IpFragment);
    mask.see(Field::IpProtocol);
    if (key.ipFragment == flow::Fragment::Later) return true;
    if (isIcmp(key.ipProtocol)) {
        mask.see(Field::L4Source);
        const bool echo = key.isIpv6() ? key.l4Source == kEchoRequest6 || key.l4Source == kEchoReply6
                                       : key.l4Source == kEchoRequest || key.l4Source == kEchoReply;
        if (!echo) return true;
        mask.see(Field::IcmpId);
    } else if (key.ipProtocol == packet::ipproto::kTcp || key.ipProtocol == packet::ipproto::kUdp) {
        mask.see(Field::L4Source);
        mask.see(Field::L4Destination);
    } else {
        return true;
    }
    mask.see(Field::IpSource);
    mask.see(Field::IpDestination);
    const auto* ingress = topology_.port(packet_.port);
    const auto own = connectionOf(key, ingress != nullptr ? ingress->device() : Uuid{}, false);
    // What goes to itself is its own answer: the first packet would make an answer of the second.
    const bool toItself = own.source == own.destination && own.sourcePort == own.destinationPort;
    if (!toItself && state(own)) {
        connection_ = Connection::Return;
        useState(own);
    }
    if (tracing())
        step(TraceStep::Kind::ConnTrack, own.device, connection_ == Connection::Return ? "answers of a known connection" : "opens a connection");
    return connection_ == Connection::Forward;
}

std::optional<flowstate::Binding> PacketWalk::state(const StateKey& key) {
    const auto tagOfKey = flow::FlowTag::state(key.hash());
    tag(tagOfKey);
    // What this same decision adds counts as there.
    for (const auto& event : decision_.events)
        if (const auto* added = std::get_if<AddState>(&event); added != nullptr && added->entry.key == key) return added->entry.binding;
    auto found = state_.state(key);
    if (!found) decision_.missedState = tagOfKey;
    return found;
}

void PacketWalk::useState(const StateKey& key) {
    effect(UseState{key});
    if (key.protocol == packet::ipproto::kTcp && decision_.flowClass == FlowClass::Normal) decision_.flowClass = FlowClass::TcpConnection;
}

void PacketWalk::addState(const flowstate::StateEntry& entry) {
    // The copies of a flood leave the same device: one entry is for all.
    const Event added = AddState{entry};
    auto& events = decision_.events;
    events.reserve(4);  // those of a translated connection
    if (std::find(events.begin(), events.end(), added) == events.end()) event(added);
    useState(entry.key);
}

// --- recording ------------------------------------------------------------------------------------

void PacketWalk::tag(flow::FlowTag tag) {
    if (std::find(decision_.tags.begin(), decision_.tags.end(), tag) == decision_.tags.end()) decision_.tags.push_back(tag);
}

void PacketWalk::effect(const Effect& effect) {
    auto& effects = decision_.effects;
    if (std::find(effects.begin(), effects.end(), effect) != effects.end()) return;
    if (effects.size() == 1) effects.reserve(8);  // a second one seldom comes alone
    effects.push_back(effect);
}

void PacketWalk::step(TraceStep::Kind kind, const Uuid& subject, std::string detail) {
    trace_->steps.push_back({kind, subject, std::move(detail)});
}

// --- the end --------------------------------------------------------------------------------------

void PacketWalk::pushChanges() {
    // The TTL goes first: what has no hop left has to reach the agent as it came in.
    if (ttlDecrements_ != out_.ttlDecrements) {
        if (emitted_) decision_.mask.see(Field::IpTtl);
        actions_.push_back(flow::DecrementTtl{static_cast<std::uint8_t>(ttlDecrements_ - out_.ttlDecrements)});
        out_.ttlDecrements = ttlDecrements_;
    }
    if (now_.ethSource != out_.ethSource || now_.ethDestination != out_.ethDestination) {
        actions_.push_back(flow::SetEthernet{now_.ethSource, now_.ethDestination});
        out_.ethSource = now_.ethSource;
        out_.ethDestination = now_.ethDestination;
    }
    if (now_.ipSource != out_.ipSource || now_.ipDestination != out_.ipDestination) {
        actions_.push_back(flow::SetIpAddresses{now_.ipSource, now_.ipDestination});
        out_.ipSource = now_.ipSource;
        out_.ipDestination = now_.ipDestination;
    }
    if (now_.l4Source != out_.l4Source || now_.l4Destination != out_.l4Destination) {
        actions_.push_back(flow::SetL4Ports{now_.l4Source, now_.l4Destination});
        out_.l4Source = now_.l4Source;
        out_.l4Destination = now_.l4Destination;
    }
    if (icmpDataRead_ && icmpData_ != out_.icmpData && icmpData_) {
        actions_.push_back(SetIcmpData{icmpData_->source, icmpData_->destination, icmpData_->sourcePort, icmpData_->destinationPort});
        out_.icmpData = icmpData_;
    }
    // Back to the tags both have, then on to those that are wanted.
    std::size_t common = 0;
    if (popped_ == out_.popped)
        while (common < pushed_.size() && common < out_.pushed.size() && pushed_[common] == out_.pushed[common]) ++common;
    for (; out_.pushed.size() > common; out_.pushed.pop_back()) actions_.push_back(flow::PopVlan{});
    if (popped_ && !out_.popped) actions_.push_back(flow::PopVlan{});
    if (!popped_ && out_.popped) actions_.push_back(flow::PushVlan{packet_.key.vlan});
    out_.popped = popped_;
    for (; out_.pushed.size() < pushed_.size(); out_.pushed.push_back(pushed_[out_.pushed.size()]))
        actions_.push_back(flow::PushVlan{pushed_[out_.pushed.size()]});
}

void PacketWalk::emit(const topology::Port& port) {
    pushChanges();
    actions_.push_back(ToPort{port.id});
    emitted_ = true;
    if (connection_ == Connection::Forward && !packet_.leaves && hasConnection()) {
        const auto answers = connectionOf(now_, port.device(), true);
        addState({answers, {}, 60});
    }
    if (tracing()) step(TraceStep::Kind::Port, port.id.uuid(), "leaves the virtual network");
}

PacketWalk::Branch PacketWalk::branch() const {
    return {now_, rewritten_, place, devices, ttlDecrements_, popped_, pushed_, icmpData_, device_};
}

void PacketWalk::restore(const Branch& branch) {
    now_ = branch.now;
    rewritten_ = branch.rewritten;
    place = branch.place;
    devices = branch.devices;
    // What is out cannot get a hop back.
    ttlDecrements_ = std::max(branch.ttlDecrements, out_.ttlDecrements);
    popped_ = branch.popped;
    pushed_ = branch.pushed;
    // The branch may have begun before anybody looked.
    icmpData_ = branch.icmpData ? branch.icmpData : icmpDataBefore_;
    device_ = branch.device;
}

Fate PacketWalk::drop(flow::DropReason reason) {
    if (tracing()) step(TraceStep::Kind::Verdict, device(), std::string{"drop: "}.append(toString(reason)));
    return {Fate::Kind::Dropped, reason, {}};
}

Fate PacketWalk::error(flow::DropReason reason) {
    shorten();
    return drop(reason);
}

SimulationResult PacketWalk::result(const Fate& fate) {
    if (emitted_) return Forward{std::move(decision_), std::move(actions_)};
    switch (fate.kind) {
        case Fate::Kind::Forwarded:
        case Fate::Kind::Consumed: return Consume{std::move(decision_)};
        case Fate::Kind::Dropped: return Drop{std::move(decision_), fate.reason};
        case Fate::Kind::Parked: return Park{std::move(decision_), *fate.until};
    }
    MIDONET_UNREACHABLE();
}

}  // namespace midonet::simulation
