#include "agent/packet_worker.h"

#include <algorithm>

#include "base/overloaded.h"
#include "flowcontrol/flow_translator.h"
#include "packet/parse.h"
#include "simulation/arp.h"
#include "simulation/icmp.h"
#include "simulation/icmp_data.h"

namespace midonet::agent {
namespace {

using flow::DropReason;
using flow::FlowTag;
using simulation::FlowClass;

const Logger kLog{"worker"};
constexpr std::size_t kBatch = 256;
constexpr std::chrono::milliseconds kHousekeepingPeriod{250};

/// What a packet itself says of its place in a connection.
enum class Stage : std::uint8_t { Opens, GoesOn, Unknown };

Stage stageOf(ByteView frame) {
    using namespace packet;
    const auto parsed = parse(frame);
    if (!parsed || parsed->layer != Layer::Transport) return Stage::Unknown;
    const auto opensIf = [](bool opens) { return opens ? Stage::Opens : Stage::Unknown; };
    switch (parsed->ipProtocol) {
        case ipproto::kTcp:
            if ((parsed->tcpFlags & tcpflag::kAck) == 0) return opensIf((parsed->tcpFlags & tcpflag::kSyn) != 0);
            return Stage::GoesOn;
        case ipproto::kIcmp: return opensIf(parsed->sourcePort == icmptype::kEchoRequest);
        case ipproto::kIcmpv6: return opensIf(parsed->sourcePort == icmpv6type::kEchoRequest);
        default: return Stage::Unknown;
    }
}

/// Above all that was used before a restart, and apart from the other workers'.
std::uint64_t firstSequence(const event::Clock& clock, datapath::WorkerIndex worker) {
    return (std::uint64_t{worker} << 56) | (static_cast<std::uint64_t>(event::unixMs(clock.wall())) * 1000);
}

}  // namespace

PacketWorker::PacketWorker(event::Loop& loop, datapath::Datapath& datapath, datapath::WorkerIndex index,
                           std::shared_ptr<flowstate::StateTable> states, Options options, Outside outside)
    : loop_(loop),
      datapath_(datapath),
      index_(index),
      outside_(std::move(outside)),
      states_(std::move(states)),
      state_(states_.get(), &natPorts_),
      learned_(options.maxMacsPerPort),
      arp_([this](const simulation::AskArp& question) {
          if (const auto* port = snapshot_->port(question.port)) sendFrame({port->id, simulation::arpRequestFrame(*port, question.address), false});
      }),
      sharing_(options.self, firstSequence(loop.clock(), index), *states_, [this](const HostId& peer, ByteView frame) { sendState(peer, frame); }),
      flows_(datapath, index, [this](const auto& kept) { flowEnded(kept); }),
      updates_(loop, [this](WorkerUpdate update) { apply(std::move(update)); }) {}

PacketWorker::~PacketWorker() = default;

void PacketWorker::takePackets() {
    timer_ = loop_.every(kHousekeepingPeriod, [this] { housekeeping(); });
    readable_ = loop_.onReadable(datapath_.upcalls(index_).descriptor(), [this] { drainUpcalls(); });
}

void PacketWorker::stop() {
    readable_.reset();
    timer_.reset();
}

// --- changes from the control loop ------------------------------------------------------------

void PacketWorker::apply(WorkerUpdate update) {
    // Swap first, then invalidate, both between two packets: no flow computed on the old snapshot can
    // be added after its tags were invalidated. This order is the correctness argument.
    if (update.snapshot) snapshot_ = std::move(update.snapshot);
    if (update.map) map_ = std::move(update.map);
    for (const auto& [block, isNew] : update.natBlocks) addNatBlock(block, isNew);
    moveStates(update.invalidated);
    changed(update.invalidated);
    for (const auto& route : update.routes) changed(routed_.affectedBy(route.router, route.destination));
    for (const auto& change : update.macs) changeMac(change);
    for (const auto& [neighbour, entry] : update.arps) changeArp(neighbour, entry);
    for (const auto& [neighbour, mac] : update.bridgeArps) changeBridgeArp(neighbour, mac);
    for (const auto& entry : update.expired) forgetState(entry);
    for (const auto& frame : update.stateFrames) (void)sharing_.onFrame(frame, loop_.clock().now());
    if (update.flushFlows) startOver();
    if (update.tracers) tracers_ = std::move(*update.tracers);
    settle();
    if (update.takePackets) takePackets();
}

void PacketWorker::startOver() {
    flows_.flush();
    for (auto* room : {&waiting_, &early_}) wake(room->takeAll());
}

void PacketWorker::changed(FlowTag tag) {
    stats_.invalidations += flows_.invalidate(tag);
    for (auto* room : {&waiting_, &early_}) wake(room->take(tag));
}

void PacketWorker::changed(const std::vector<FlowTag>& tags) {
    for (const auto tag : tags) changed(tag);
}

void PacketWorker::changeMac(const topology::MacChange& change) {
    const bool removed = change.port.isNil();
    const auto before = removed ? state_.removeMac(change.bridge, change.vlan, change.mac)
                                : state_.setMac(change.bridge, change.vlan, change.mac, change.port);
    if (before && *before != change.port) changed(FlowTag::vlanPort(change.bridge, change.vlan, change.mac, *before));
    if (!before && !removed) changed(FlowTag::vlanFlood(change.bridge, change.vlan, change.mac));
}

void PacketWorker::changeArp(const Neighbour& neighbour, const std::optional<topology::RouterArpEntry>& entry) {
    const auto& [router, address] = neighbour;
    const auto before = state_.arp(router, address);
    const auto now = event::unixMs(loop_.clock().wall());
    std::optional<net::Mac> after;
    if (entry && entry->expiryMs > now) {
        after = entry->mac;
        state_.setArp(router, address, entry->mac, loop_.clock().now() + std::chrono::milliseconds{entry->expiryMs - now});
        arp_.answered(neighbour);
    } else {
        state_.removeArp(router, address);
    }
    if (before != after) changed(FlowTag::arpEntry(router, address));
}

void PacketWorker::changeBridgeArp(const BridgeNeighbour& neighbour, const std::optional<net::Mac>& mac) {
    const auto before = state_.bridgeArp(neighbour.bridge, neighbour.address);
    if (mac)
        state_.setBridgeArp(neighbour.bridge, neighbour.address, *mac);
    else
        state_.removeBridgeArp(neighbour.bridge, neighbour.address);
    if (before != mac) changed(FlowTag::bridgeArp(neighbour.bridge, neighbour.address));
}

void PacketWorker::addNatBlock(const flowstate::NatBlockId& block, bool isNew) {
    natPorts_.addBlock(block);
    if (isNew) return;
    // Translations that outlived a restart have ports of it.
    for (const auto& entry : states_->all())
        if (entry.key.kind == flowstate::KeyKind::SourceNat && entry.key.device == block.device && entry.binding.address == block.address)
            natPorts_.take(entry.key.device, entry.binding, {entry.key.destination, entry.key.destinationPort});
}

// --- packets ----------------------------------------------------------------------------------

std::size_t PacketWorker::drainUpcalls() {
    const auto count = datapath_.upcalls(index_).drain(kBatch, [this](const datapath::Upcall& upcall) { onUpcall(upcall); });
    sharing_.acknowledge();
    return count;
}

void PacketWorker::onUpcall(const datapath::Upcall& upcall) {
    ++stats_.upcalls;
    if (upcall.age >= waiting_.patience()) {
        // While no agent took packets: nobody waits for it any more.
        count(DropReason::WaitingTooLong);
    } else if (upcall.key.fromTunnel()) {
        untunnel(upcall);
    } else if (const auto port = map_->virtualPort(upcall.key.inPort); !port) {
        dropUnknown(upcall);
    } else if (upcall.reason == datapath::UpcallReason::TooBig) {
        answerTooBig(upcall, *port);
    } else {
        const auto tracers = tracersOf(upcall.key);
        process({upcall.key, upcall.frame, upcall.offload, upcall.reason, *port, false, loop_.clock().now(), tracers});
    }
    datapath_.upcalls(index_).done(upcall.pendingId);
    settle();
}

void PacketWorker::dropUnknown(const datapath::Upcall& upcall) {
    const auto tracers = tracersOf(upcall.key);
    const Subject subject{upcall.key, upcall.frame, upcall.offload, upcall.reason, PortId{}, false, {}, tracers};
    simulation::Decision unknown;
    unknown.flowClass = FlowClass::Error;
    const auto dropped = drop(subject, unknown, DropReason::UnknownIngressPort);
    tell(subject, simulation::Drop{unknown, DropReason::UnknownIngressPort}, dropped);
}

/// Packets that waited, and frames that devices made meanwhile.
void PacketWorker::settle() {
    while (!woken_.empty() || !made_.empty()) {
        sendMadeFrames();
        const auto woken = std::exchange(woken_, {});
        for (const auto& packet : woken) {
            processHeld(packet);
            sendMadeFrames();
        }
    }
}

/// The sender learns how big its packets may be (RFC 1191, RFC 8201).
void PacketWorker::answerTooBig(const datapath::Upcall& upcall, const PortId& port) {
    const auto dropped = count(DropReason::TooBig);
    auto answer = simulation::tooBigAnswer(upcall.frame, upcall.mtu);
    if (answer) sendFrame({port, std::move(*answer), true});
    const auto tracers = tracersOf(upcall.key);
    tell({upcall.key, upcall.frame, upcall.offload, upcall.reason, port, false, {}, tracers}, simulation::Drop{{}, DropReason::TooBig}, dropped);
}

void PacketWorker::untunnel(const datapath::Upcall& upcall) {
    if (upcall.key.tunnelKey == net::kStateTunnelKey) return onStateFrame(upcall.frame);
    const auto tracers = tracersOf(upcall.key);
    const Subject subject{upcall.key, upcall.frame, upcall.offload, upcall.reason, PortId{}, false, {}, tracers};
    ++stats_.untunnelled;
    auto result = flowcontrol::untunnel(upcall.key, *map_);
    if (result.translation.actions.empty()) {
        result.decision.flowClass = FlowClass::Error;
        const auto dropped = drop(subject, result.decision, result.translation.reason);
        return tell(subject, simulation::Drop{result.decision, result.translation.reason}, dropped);
    }
    install(subject, result.decision, result.translation.actions, result.translation.tags, FlowClass::Tunnel);
    const auto dropped = execute(subject, result.translation.actions);
    if (const auto port = map_->portOfKey(upcall.key.tunnelKey)) tell(subject, simulation::Forward{result.decision, {simulation::ToPort{*port}}}, dropped);
}

void PacketWorker::onStateFrame(ByteView frame) {
    const auto told = sharing_.onFrame(frame, loop_.clock().now());
    if (told.forOthers) outside_.tellOthers([&](WorkerUpdate& u) { u.addStateFrame(frame); });
    if (told.news.empty()) return;
    std::vector<FlowTag> tags;
    for (const auto& entry : told.news) tags.push_back(FlowTag::state(entry.key.hash()));
    invalidateElsewhere(tags);
    save(told.news);
    changed(tags);
}

void PacketWorker::invalidateElsewhere(const std::vector<FlowTag>& tags) {
    outside_.tellOthers([&](WorkerUpdate& u) { u.invalidate(tags); });
}

void PacketWorker::process(const Subject& subject) {
    ++stats_.simulations;
    const bool lastTry = !waiting_.isPatient(subject.arrived, loop_.clock().now());
    simulation::Trace steps;
    const auto result = simulation::simulate({subject.port, subject.key, subject.frame, subject.leaves, lastTry}, *snapshot_, state_,
                                             subject.tracers.empty() ? nullptr : &steps);
    const bool waits = awaitsState(subject, result);
    const auto dropped = waits ? std::nullopt : decide(subject, result, lastTry);
    tell(subject, result, dropped, std::move(steps), waits);
}

PacketWorker::Dropped PacketWorker::decide(const Subject& subject, const simulation::SimulationResult& result, bool lastTry) {
    return std::visit(Overloaded{
                          [&](const simulation::Forward& forwarded) { return forward(subject, forwarded); },
                          [&](const simulation::Drop& dropped) {
                              const bool answered = answer(dropped.events);
                              take(dropped.events, answered ? Ending::Answered : Ending::Stays);
                              // The next packet that a device answers is to be answered too: no flow, as long as there are few.
                              if (!answered) return drop(subject, dropped, dropped.reason);
                              stayWithoutFlow(subject, dropped);
                              return Dropped{count(dropped.reason)};
                          },
                          [&](const simulation::Consume& consumed) {
                              take(consumed.events, answer(consumed.events) ? Ending::Answered : Ending::Stays);
                              stayWithoutFlow(subject, consumed);
                              return Dropped{};
                          },
                          [&](const simulation::Park& parked) {
                              if (lastTry) return Dropped{count(DropReason::WaitingTooLong)};
                              const auto dropped = park(subject, parked.until);
                              take(parked.events, Ending::Waits);
                              return dropped;
                          },
                      },
                      result);
}

std::vector<tracing::TracerId> PacketWorker::tracersOf(const flow::FlowKey& key) {
    std::vector<tracing::TracerId> out;
    if (tracers_.empty()) return out;
    for (auto& tracer : tracers_) {
        if (!tracer.match.matches(key)) continue;
        out.push_back(tracer.id);
        --tracer.left;
    }
    std::erase_if(tracers_, [](const LiveTracer& tracer) { return tracer.left == 0; });
    return out;
}

void PacketWorker::tell(const Subject& subject, const simulation::SimulationResult& result, Dropped dropped, simulation::Trace steps, bool waits) {
    if (subject.tracers.empty()) return;
    TracedPacket packet{{subject.tracers.begin(), subject.tracers.end()}, subject.waited, loop_.clock().wall(), subject.port, subject.key,
                        result, std::move(steps), dropped, waits, snapshot_};
    outside_.report([&](WorkerReport& r) { r.add(std::move(packet)); });
}

void PacketWorker::processHeld(const HeldPacket& packet) {
    const Subject subject{packet.key, packet.frame, packet.offload, packet.reason, packet.port, packet.leaves, packet.arrived, packet.tracers, true};
    if (packet.leaves || map_->virtualPort(packet.key.inPort) == packet.port) return process(subject);
    // The number of its port may be another port's by now.
    const auto dropped = count(DropReason::UnknownIngressPort);
    tell(subject, simulation::Drop{{}, dropped}, dropped);
}

HeldPacket PacketWorker::copyOf(const Subject& subject) {
    return {subject.key, {subject.frame.begin(), subject.frame.end()}, subject.offload, subject.reason, subject.port, subject.leaves, subject.arrived,
            {subject.tracers.begin(), subject.tracers.end()}};
}

PacketWorker::Dropped PacketWorker::park(const Subject& subject, FlowTag until) {
    const auto parked = waiting_.park(until, copyOf(subject));
    if (parked == WaitingRoom::Parked::Waits) return {};
    const auto full = count(DropReason::WaitingRoomFull);
    return parked == WaitingRoom::Parked::Refused ? Dropped{full} : Dropped{};
}

bool PacketWorker::awaitsState(const Subject& subject, const simulation::SimulationResult& result) {
    const auto* forwarded = std::get_if<simulation::Forward>(&result);
    const auto* dropped = std::get_if<simulation::Drop>(&result);
    const auto missed = forwarded != nullptr ? forwarded->missedState : dropped != nullptr ? dropped->missedState : std::nullopt;
    if (!missed || subject.leaves || !early_.isPatient(subject.arrived, loop_.clock().now()) || !early_.hasRoom(*missed)) return false;
    const auto stage = stageOf(subject.frame);
    // What goes on its way is held back only where it cannot be right: it goes on with a connection, and would open one. What
    // is dropped, unless it would open one.
    const bool early = forwarded != nullptr ? stage == Stage::GoesOn && opensConnection(*forwarded)
                                            : stage != Stage::Opens && !opensConnection(*dropped);
    if (!early) return false;
    early_.park(*missed, copyOf(subject));
    if (!earlyTimer_) earlyTimer_ = loop_.every(early_.patience(), [this] { decideEarly(); });
    return true;
}

bool PacketWorker::opensConnection(const simulation::Decision& decision) const {
    return std::any_of(decision.events.begin(), decision.events.end(), [&](const auto& event) {
        const auto* added = std::get_if<simulation::AddState>(&event);
        return added != nullptr && !states_->contains(added->entry.key);
    });
}

/// Nobody told of their connections in time.
void PacketWorker::decideEarly() {
    wake(early_.expire(loop_.clock().now()));
    if (early_.size() == 0) earlyTimer_.reset();
    settle();
}

void PacketWorker::wake(std::vector<HeldPacket> packets) {
    woken_.insert(woken_.end(), std::make_move_iterator(packets.begin()), std::make_move_iterator(packets.end()));
}

PacketWorker::Dropped PacketWorker::forward(const Subject& subject, const simulation::Forward& result) {
    const auto refuse = [&](DropReason reason, const flow::FlowTags& moreTags) {
        auto decision = static_cast<const simulation::Decision&>(result);
        for (const auto tag : moreTags) decision.tags.push_back(tag);
        decision.flowClass = FlowClass::Error;
        return drop(subject, decision, reason);
    };
    auto translation = flowcontrol::translate(result.actions, *snapshot_, *map_);
    // What makes it reachable later invalidates one of these tags.
    if (translation.actions.empty()) return refuse(translation.reason, translation.tags);
    if (!take(result.events, Ending::Leaves)) return refuse(DropReason::StateTableFull, {});
    share(subject, result, translation.tags);
    if (!subject.leaves) install(subject, result, translation.actions, translation.tags, result.flowClass);
    if (!result.onlyThisPacket) return execute(subject, translation.actions);

    std::vector<std::uint8_t> frame{subject.frame.begin(), subject.frame.end()};
    for (const auto& action : result.actions)
        if (const auto* data = std::get_if<simulation::SetIcmpData>(&action)) simulation::writeIcmpData(frame, *data);
    auto changed = subject;
    changed.frame = frame;
    return execute(changed, translation.actions);
}

PacketWorker::Dropped PacketWorker::drop(const Subject& subject, const simulation::Decision& decision, DropReason reason) {
    count(reason);
    if (Logger::enabled(LogLevel::Debug))
        kLog.debug("packet dropped", {kv("reason", toString(reason)), kv("packet", subject.key.toString())});
    if (subject.leaves) return reason;
    // A packet that goes nowhere keeps no connection alive, and what it would have added is not there.
    const auto isState = [](const auto& effect) { return std::holds_alternative<simulation::UseState>(effect); };
    if (std::none_of(decision.effects.begin(), decision.effects.end(), isState)) {
        install(subject, decision, {}, {}, decision.flowClass);
        return reason;
    }
    auto stateless = decision;
    auto& effects = stateless.effects;
    effects.erase(std::remove_if(effects.begin(), effects.end(), isState), effects.end());
    install(subject, stateless, {}, {}, decision.flowClass);
    return reason;
}

void PacketWorker::install(const Subject& subject, const simulation::Decision& decision, const flow::FlowActions& actions,
                           const flow::FlowTags& moreTags, FlowClass flowClass) {
    auto tags = tagsOf(subject, decision);
    // A packet that was sent to us on purpose, or was looked at inside, says nothing about the others of its flow.
    if (subject.reason != datapath::UpcallReason::Miss || decision.onlyThisPacket) {
        tags.insert(tags.end(), moreTags.begin(), moreTags.end());
        flows_.countPacket(tags, subject.frame.size());
        return teach(subject, decision);
    }
    // Held before the flow replaces an older one that may hold the same MAC: it never falls to zero.
    const bool learned = hold(decision.effects);
    static const simulation::Effects kNothing;
    auto mask = decision.mask;
    mask.close();
    const auto installed = flows_.install(
        {subject.key, mask, actions, tags, moreTags, learned ? decision.effects : kNothing,
         learned ? flowClass : FlowClass::Error, subject.frame.size()},
        loop_.clock().now());
    if (installed) return;
    if (learned) release(decision.effects);
    ++stats_.installErrors;
    if (errorLog_.allow(loop_.clock().now()))
        kLog.warn("flow not installed", {kv("error", installed.error()), kv("packet", subject.key.toString())});
}

/// What a packet without a flow taught is known for a while too.
void PacketWorker::teach(const Subject& subject, const simulation::Decision& decision) {
    if (!subject.leaves && hold(decision.effects)) release(decision.effects);
}

void PacketWorker::stayWithoutFlow(const Subject& subject, const simulation::Decision& decision) {
    if (subject.leaves) return;
    flows_.countPacket(tagsOf(subject, decision), subject.frame.size());
    teach(subject, decision);
}

flow::FlowTags PacketWorker::tagsOf(const Subject& subject, const simulation::Decision& decision) {
    auto tags = decision.tags;
    if (subject.key.fromTunnel()) return tags;
    tags.push_back(FlowTag::datapathPort(subject.key.inPort));
    tags.push_back(FlowTag::portRx(subject.port));
    return tags;
}

PacketWorker::Dropped PacketWorker::execute(const Subject& subject, const flow::FlowActions& actions) {
    const auto executed = datapath_.execute(index_, {subject.frame, subject.offload, actions, subject.key.inPort});
    if (executed) {
        ++stats_.packetsExecuted;
        return {};
    }
    ++stats_.executeErrors;
    if (errorLog_.allow(loop_.clock().now()))
        kLog.warn("packet not executed", {kv("error", executed.error()), kv("packet", subject.key.toString())});
    return count(DropReason::DatapathError);
}

// --- time -------------------------------------------------------------------------------------

void PacketWorker::housekeeping() {
    const auto now = loop_.clock().now();
    flows_.expire(now);
    wake(waiting_.expire(now));
    for (const auto& [router, address] : state_.expireArp(now)) changed(FlowTag::arpEntry(router, address));
    arp_.tick(now, [&](const Neighbour& neighbour) {
        const auto expiry = state_.arpExpiry(neighbour.router, neighbour.address);
        return !expiry || *expiry - now < topology::RouterArpEntry::kLifetime - topology::RouterArpEntry::kStaleAfter;
    });
    errors_.tick(now);
    sharing_.refresh(now);
    natPorts_.endRests(now);
    if (const auto idle = natPorts_.takeIdle(now); !idle.empty())
        outside_.report([&](WorkerReport& r) { r.idleBlocks.insert(r.idleBlocks.end(), idle.begin(), idle.end()); });
    settle();
}

/// The control loop took it out of the table of all workers.
void PacketWorker::forgetState(const flowstate::StateEntry& entry) {
    const auto& key = entry.key;
    if (key.kind == flowstate::KeyKind::SourceNat)
        natPorts_.release(key.device, entry.binding, {key.destination, key.destinationPort}, loop_.clock().now());
    changed(FlowTag::state(key.hash()));
}

WorkerStats PacketWorker::stats() const {
    auto out = stats_;
    out.flowsInstalled = flows_.installed();
    out.flowsRemoved = flows_.removed();
    out.flows = flows_.size();
    out.waitingPackets = waiting_.size();
    out.earlyPackets = early_.size();
    out.learnedMacs = learned_.size();
    out.macEntries = state_.macs();
    out.macsRefused = learned_.refused();
    out.natBlocks = natPorts_.blocks();
    out.natPortsTaken = natPorts_.taken();
    sharing_.addTo(out);
    return out;
}

}  // namespace midonet::agent
