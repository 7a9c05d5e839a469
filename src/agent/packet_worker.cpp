#include "agent/packet_worker.h"

#include "base/overloaded.h"
#include "flowcontrol/flow_translator.h"

namespace midonet::agent {
namespace {

using flow::DropReason;
using flow::FlowTag;
using simulation::FlowClass;

const Logger kLog{"worker"};
constexpr std::size_t kBatch = 256;
constexpr std::chrono::milliseconds kHousekeepingPeriod{250};

}  // namespace

PacketWorker::PacketWorker(event::Loop& loop, datapath::Datapath& datapath, datapath::WorkerIndex index,
                           Options options, ReportMac reportMac)
    : loop_(loop),
      datapath_(datapath),
      index_(index),
      reportMac_(std::move(reportMac)),
      learned_(options.maxMacsPerPort),
      flows_(datapath, index, [this](const simulation::Effects& effects) { release(effects); }),
      updates_(loop, [this](WorkerUpdate update) { apply(std::move(update)); }) {}

PacketWorker::~PacketWorker() = default;

void PacketWorker::start() {
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
    for (const auto tag : update.invalidated) stats_.invalidations += flows_.invalidate(tag);
    for (const auto& change : update.macs) changeMac(change);
    if (update.flushFlows) flows_.flush();

    auto waiting = waiting_.takeAll();
    for (auto& w : waiting) {
        const datapath::Upcall upcall{w.packet.key, w.packet.frame, static_cast<std::uint32_t>(w.packet.frame.size()),
                                      w.packet.offload, w.packet.reason, 0};
        handle(upcall, &w);
    }
}

void PacketWorker::changeMac(const topology::MacChange& change) {
    const bool removed = change.port.isNil();
    const auto before = removed ? macs_.remove(change.bridge, change.vlan, change.mac)
                                : macs_.set(change.bridge, change.vlan, change.mac, change.port);
    if (before && *before != change.port)
        stats_.invalidations += flows_.invalidate(FlowTag::vlanPort(change.bridge, change.vlan, change.mac, *before));
    if (!before && !removed)
        stats_.invalidations += flows_.invalidate(FlowTag::vlanFlood(change.bridge, change.vlan, change.mac));
}

// --- packets ----------------------------------------------------------------------------------

std::size_t PacketWorker::drainUpcalls() {
    return datapath_.upcalls(index_).drain(kBatch, [this](const datapath::Upcall& upcall) { onUpcall(upcall); });
}

void PacketWorker::onUpcall(const datapath::Upcall& upcall) {
    ++stats_.upcalls;
    handle(upcall, nullptr);
    datapath_.upcalls(index_).done(upcall.pendingId);
}

void PacketWorker::handle(const datapath::Upcall& upcall, const WaitingRoom::Waiting* waited) {
    if (upcall.key.fromTunnel()) return untunnel(upcall);

    const auto port = map_->virtualPort(upcall.key.inPort);
    if (!port) return drop(upcall, {}, DropReason::UnknownIngressPort, FlowClass::Error);
    if (waited != nullptr && waited->packet.ingress != *port) return count(DropReason::UnknownIngressPort);

    ++stats_.simulations;
    const auto result = simulation::simulate({*port, upcall.key}, *snapshot_, macs_);
    std::visit(Overloaded{
                   [&](const simulation::Forward& forwarded) { forward(upcall, forwarded); },
                   [&](const simulation::Drop& dropped) { drop(upcall, dropped, dropped.reason, dropped.flowClass); },
                   [&](const simulation::Consume&) {},
                   [&](const simulation::Park& park) {
                       if (waited != nullptr)
                           waiting_.parkAgain({park.device, waited->deadline, waited->packet});
                       else if (!waiting_.park(park.device, *port, upcall, loop_.clock().now()))
                           count(DropReason::WaitingRoomFull);
                   },
               },
               result);
}

void PacketWorker::untunnel(const datapath::Upcall& upcall) {
    ++stats_.untunnelled;
    const auto result = flowcontrol::untunnel(upcall.key, *map_);
    if (result.translation.actions.empty())
        return drop(upcall, result.decision, result.translation.reason, FlowClass::Error);
    install(upcall, result.decision, result.translation.actions, result.translation.tags, FlowClass::Tunnel);
    execute(upcall, result.translation.actions);
}

void PacketWorker::forward(const datapath::Upcall& upcall, const simulation::Forward& result) {
    const auto translation = flowcontrol::translate(result.actions, *snapshot_, *map_);
    if (translation.actions.empty()) {
        // What makes it reachable later invalidates one of these tags.
        auto decision = static_cast<const simulation::Decision&>(result);
        for (const auto tag : translation.tags) decision.tags.push_back(tag);
        return drop(upcall, decision, translation.reason, FlowClass::Error);
    }
    install(upcall, result, translation.actions, translation.tags, FlowClass::Normal);
    execute(upcall, translation.actions);
}

void PacketWorker::drop(const datapath::Upcall& upcall, const simulation::Decision& decision, DropReason reason,
                        FlowClass flowClass) {
    count(reason);
    if (Logger::enabled(LogLevel::Debug))
        kLog.debug("packet dropped", {kv("reason", toString(reason)), kv("packet", upcall.key.toString())});
    install(upcall, decision, {}, {}, flowClass);
}

void PacketWorker::install(const datapath::Upcall& upcall, const simulation::Decision& decision,
                           const flow::FlowActions& actions, const flow::FlowTags& moreTags, FlowClass flowClass) {
    // Held before the flow replaces an older one that may hold the same MAC: it never falls to zero.
    const bool learned = hold(decision.effects);
    static const simulation::Effects kNothing;
    // A packet that was sent to us on purpose says nothing about the others of its flow.
    if (upcall.reason != datapath::UpcallReason::Miss) return release(decision.effects);

    auto mask = decision.mask;
    mask.close();
    auto tags = decision.tags;
    if (!upcall.key.fromTunnel()) tags.push_back(FlowTag::datapathPort(upcall.key.inPort));
    const auto installed = flows_.install(
        {upcall.key, mask, actions, tags, moreTags, learned ? decision.effects : kNothing,
         learned ? flowClass : FlowClass::Error},
        loop_.clock().now());
    if (installed) return;
    if (learned) release(decision.effects);
    ++stats_.installErrors;
    if (errorLog_.allow(loop_.clock().now()))
        kLog.warn("flow not installed", {kv("error", installed.error()), kv("packet", upcall.key.toString())});
}

void PacketWorker::execute(const datapath::Upcall& upcall, const flow::FlowActions& actions) {
    const auto executed = datapath_.execute(index_, {upcall.frame, upcall.offload, actions, upcall.key.inPort});
    if (executed) {
        ++stats_.packetsExecuted;
        return;
    }
    ++stats_.executeErrors;
    count(DropReason::DatapathError);
    if (errorLog_.allow(loop_.clock().now()))
        kLog.warn("packet not executed", {kv("error", executed.error()), kv("packet", upcall.key.toString())});
}

bool PacketWorker::hold(const simulation::Effects& effects) {
    for (const auto& effect : effects) {
        const auto& learned = std::get<simulation::LearnMac>(effect);
        switch (learned_.add(learned)) {
            case LearnedMacs::Added::Refused: return false;
            case LearnedMacs::Added::Again: continue;
            case LearnedMacs::Added::First: break;
        }
        changeMac({learned.bridge, learned.vlan, learned.mac, learned.port});
        reportMac_(learned, true);
    }
    return true;
}

void PacketWorker::release(const simulation::Effects& effects) {
    for (const auto& effect : effects) {
        const auto& learned = std::get<simulation::LearnMac>(effect);
        if (learned_.remove(learned)) reportMac_(learned, false);
    }
}

void PacketWorker::housekeeping() {
    const auto now = loop_.clock().now();
    flows_.expire(now);
    const auto expired = waiting_.expire(now);
    stats_.drops[static_cast<std::size_t>(DropReason::WaitingTooLong)] += expired;
}

WorkerStats PacketWorker::stats() const {
    auto out = stats_;
    out.flowsInstalled = flows_.installed();
    out.flowsRemoved = flows_.removed();
    out.flows = flows_.size();
    out.waitingPackets = waiting_.size();
    out.learnedMacs = learned_.size();
    out.macEntries = macs_.size();
    out.macsRefused = learned_.refused();
    return out;
}

}  // namespace midonet::agent
