// What the decisions of a packet worker bring about: what is learned, answered and remembered, and told to other hosts.
#include <algorithm>

#include "agent/packet_worker.h"
#include "agent/state_peers.h"
#include "base/assert.h"
#include "base/overloaded.h"
#include "datapath/flow_key_from_frame.h"

namespace midonet::agent {
namespace {

using flow::DropReason;
using flow::FlowTag;

constexpr std::chrono::milliseconds kRetryPeriod{50};
/// What a killed agent may lose of the newest connections.
constexpr std::chrono::milliseconds kSavePause{20};
constexpr std::size_t kSaveShare = 1024;
/// Frames that virtual devices make because of one packet: an answer to an answer to an answer is a loop.
constexpr std::size_t kMadeFramesPerPacket = 64;

}  // namespace

/// A packet that waits is simulated anew, so nothing has happened but its question; one that does not leave opens no
/// connection, unless a device answers it: the answer has to find its way back.
bool PacketWorker::happens(const simulation::Event& event, Ending ending) {
    const bool asks = std::holds_alternative<simulation::AskArp>(event) || std::holds_alternative<simulation::LeaseNatBlock>(event);
    const bool opens = std::holds_alternative<simulation::AddState>(event) || std::holds_alternative<simulation::TakeNatPort>(event);
    const bool answers = std::holds_alternative<simulation::SendFrame>(event);
    switch (ending) {
        case Ending::Leaves: return true;
        case Ending::Answered: return !answers;
        case Ending::Stays: return !opens && !answers;
        case Ending::Waits: return asks;
    }
    MIDONET_UNREACHABLE();
}

bool PacketWorker::take(const simulation::Events& events, Ending ending) {
    const auto now = loop_.clock().now();
    bool kept = true;
    for (const auto& event : events) {
        if (!happens(event, ending)) continue;
        std::visit(Overloaded{
                       [&](const simulation::LearnArp& e) { learnArp(e); },
                       [&](const simulation::LearnBridgeArp& e) {
                           changeBridgeArp({e.bridge, e.address}, e.mac);
                           outside_.report([&](WorkerReport& r) { r.bridgeArps.insert_or_assign({e.bridge, e.address}, e.mac); });
                       },
                       [&](const simulation::AskArp& e) { arp_.ask(e, now); },
                       [&](const simulation::SendFrame& e) { sendFrame(e); },
                       [&](const simulation::AddState& e) {
                           const auto put = states_->put(e.entry, now);
                           if (put == flowstate::StateTable::Put::Refused) kept = false;
                           if (put == flowstate::StateTable::Put::Added || put == flowstate::StateTable::Put::Replaced) {
                               // Flows that were decided because it was not there, or led elsewhere.
                               stats_.invalidations += flows_.invalidate(FlowTag::state(e.entry.key.hash()));
                           }
                       },
                       [&](const simulation::TakeNatPort& e) { natPorts_.take(e.device, e.port, e.remote); },
                       [&](const simulation::LeaseNatBlock& e) { outside_.report([&](WorkerReport& r) { r.add(e); }); },
                       [&](const simulation::RemoveState& e) {
                           if (states_->remove(e.key)) stats_.invalidations += flows_.invalidate(FlowTag::state(e.key.hash()));
                       },
                   },
                   event);
    }
    return kept;
}

void PacketWorker::learnArp(const simulation::LearnArp& learned) {
    const Neighbour neighbour{learned.router, learned.address};
    const auto entry = topology::RouterArpEntry::confirmed(learned.mac, event::unixMs(loop_.clock().wall()));
    changeArp(neighbour, entry);
    outside_.report([&](WorkerReport& r) { r.arps.insert_or_assign(neighbour, learned.mac); });
}

bool PacketWorker::answer(const simulation::Events& events) {
    bool answered = false;
    for (const auto& event : events)
        if (const auto* frame = std::get_if<simulation::SendFrame>(&event)) answered |= sendFrame(*frame);
    return answered;
}

bool PacketWorker::sendFrame(const simulation::SendFrame& event) {
    if (event.isError && !errors_.allow(event.port, loop_.clock().now())) {
        ++stats_.errorsWithheld;
        return false;
    }
    if (made_.size() >= kMadeFramesPerPacket) return false;
    made_.push_back(event);
    return true;
}

void PacketWorker::sendMadeFrames() {
    for (std::size_t sent = 0; !made_.empty(); ++sent) {
        const auto made = std::move(made_.front());
        made_.pop_front();
        if (sent >= kMadeFramesPerPacket) {
            made_.clear();
            count(DropReason::TooManyDevices);
            return;
        }
        ++stats_.framesMade;
        const auto key = datapath::flowKeyFromFrame({}, made.frame);
        process({key, made.frame, {}, datapath::UpcallReason::Action, made.port, true, loop_.clock().now()});
    }
}

bool PacketWorker::holdMac(const simulation::LearnMac& learned) {
    switch (learned_.add(learned)) {
        case LearnedMacs::Added::Refused: return false;
        case LearnedMacs::Added::Again: return true;
        case LearnedMacs::Added::First: break;
    }
    changeMac({learned.bridge, learned.vlan, learned.mac, learned.port});
    outside_.report([&](WorkerReport& pending) {
        auto& holding = pending.macs[learned];
        holding.held = holding.learned = true;
    });
    return true;
}

void PacketWorker::releaseMac(const simulation::LearnMac& learned) {
    if (learned_.remove(learned)) outside_.report([&](WorkerReport& pending) { pending.macs[learned].held = false; });
}

bool PacketWorker::hold(const simulation::Effects& effects) {
    // The MACs first, one for each bridge on the way: all of them, or nothing is held.
    for (std::size_t i = 0; i < effects.size(); ++i) {
        const auto* learned = std::get_if<simulation::LearnMac>(&effects[i]);
        if (learned == nullptr || holdMac(*learned)) continue;
        for (std::size_t held = 0; held < i; ++held)
            if (const auto* before = std::get_if<simulation::LearnMac>(&effects[held])) releaseMac(*before);
        return false;
    }
    for (const auto& effect : effects)
        std::visit(Overloaded{
                       [](const simulation::LearnMac&) {},
                       [&](const simulation::UseArp& e) { arp_.use(e); },
                       [&](const simulation::UseRoute& e) { routed_.add(e); },
                       [&](const simulation::UseState& e) { states_->hold(e.key); },
                   },
                   effect);
    return true;
}

void PacketWorker::release(const simulation::Effects& effects) {
    const auto now = loop_.clock().now();
    for (const auto& effect : effects)
        std::visit(Overloaded{
                       [&](const simulation::LearnMac& e) { releaseMac(e); },
                       [&](const simulation::UseArp& e) { arp_.release(e); },
                       [&](const simulation::UseRoute& e) { routed_.remove(e); },
                       [&](const simulation::UseState& e) { states_->release(e.key.hash(), now); },
                   },
                   effect);
}

void PacketWorker::flowEnded(const flowcontrol::FlowTable::Kept& kept) {
    release(kept.effects);
    const auto now = loop_.clock().now();
    for (const auto hash : kept.states) states_->release(hash, now, kept.closed);
}

/// Tells the hosts that may see the answers, ahead of the packet and on the same way.
void PacketWorker::share(const Subject& subject, const simulation::Forward& result, flow::FlowTags& tags) {
    std::vector<flowstate::StateEntry> added;
    added.reserve(result.events.size());
    for (const auto& event : result.events)
        if (const auto* e = std::get_if<simulation::AddState>(&event)) added.push_back(e->entry);
    std::vector<flowstate::StateKey> used;
    used.reserve(result.effects.size());
    for (const auto& effect : result.effects)
        if (const auto* e = std::get_if<simulation::UseState>(&effect)) used.push_back(e->key);
    if (added.empty() && used.empty()) return;

    const auto peers = statePeersOf(portsOf(subject.port, result.actions), *snapshot_, map_->self);
    tags.insert(tags.end(), peers.tags.begin(), peers.tags.end());
    sharing_.share(added, used, peers, loop_.clock().now());
    awaitAnswers();
    if (added.empty()) return;
    // Other workers may have decided on its absence.
    std::vector<FlowTag> tagsOfAdded;
    tagsOfAdded.reserve(added.size());
    for (const auto& entry : added) tagsOfAdded.push_back(FlowTag::state(entry.key.hash()));
    invalidateElsewhere(tagsOfAdded);
    save(added);
}

/// In shares: to wake the control loop, and have it write, for each one would cost more than the connection itself.
void PacketWorker::save(std::span<const flowstate::StateEntry> entries) {
    unsaved_.insert(unsaved_.end(), entries.begin(), entries.end());
    const auto tell = [this] {
        saveTimer_.reset();
        outside_.report([&](WorkerReport& r) { r.add(unsaved_); });
        unsaved_.clear();
    };
    if (unsaved_.size() >= kSaveShare) return tell();
    if (!saveTimer_) saveTimer_ = loop_.after(kSavePause, tell);
}

/// The hosts to which ports moved are to know their connections before the first packet comes there.
void PacketWorker::moveStates(const std::vector<FlowTag>& invalidated) {
    std::vector<FlowTag> tags;
    std::copy_if(invalidated.begin(), invalidated.end(), std::back_inserter(tags), [](FlowTag tag) { return tag.kind() == FlowTag::Kind::StatePeers; });
    if (tags.empty()) return;
    const auto peersOf = [&](const std::vector<PortId>& ports) { return statePeersOf(ports, *snapshot_, map_->self); };
    sharing_.movePeers(tags, peersOf, loop_.clock().now());
    awaitAnswers();
}

void PacketWorker::awaitAnswers() {
    if (sharing_.awaitsAnswers() && !retryTimer_) retryTimer_ = loop_.every(kRetryPeriod, [this] { retryStates(); });
}

void PacketWorker::sendState(const HostId& peer, ByteView frame) {
    const auto route = map_->routeTo(peer);
    if (!route) return;
    const flow::FlowActions actions{flow::OutputTunnel{route->tunnel, net::kStateTunnelKey}};
    if (const auto sent = datapath_.execute(index_, {frame, {}, actions, {}}); !sent) ++stats_.executeErrors;
}

void PacketWorker::retryStates() {
    sharing_.retry(loop_.clock().now());
    if (!sharing_.awaitsAnswers()) retryTimer_.reset();
}

}  // namespace midonet::agent
