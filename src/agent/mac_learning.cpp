#include "agent/mac_learning.h"

namespace midonet::agent {

using simulation::LearnMac;
using topology::MacChange;

MacLearning::MacLearning(event::Loop& loop, nsdb::Session& session, Broadcast broadcast)
    : loop_(loop), session_(session), broadcast_(std::move(broadcast)) {
    timer_ = loop_.every(kCheckPeriod, [this] { expire(); });
}

void MacLearning::publish(const LearnMac& learned) {
    current_[Key{learned.bridge, learned.vlan, learned.mac}] = learned.port;
    session_.learn(nsdb::macTableName(learned.bridge.uuid(), learned.vlan.value()), learned.mac.toString(),
                   learned.port.toString());
}

void MacLearning::withdraw(const LearnMac& learned) {
    if (!isCurrent(learned)) return;
    current_.erase(Key{learned.bridge, learned.vlan, learned.mac});
    session_.forget(nsdb::macTableName(learned.bridge.uuid(), learned.vlan.value()), learned.mac.toString());
}

bool MacLearning::isCurrent(const LearnMac& learned) const {
    const auto found = current_.find(Key{learned.bridge, learned.vlan, learned.mac});
    return found != current_.end() && found->second == learned.port;
}

void MacLearning::onReport(datapath::WorkerIndex worker, const WorkerReport& report) {
    std::vector<MacChange> news;
    const auto now = loop_.clock().now();
    const auto bit = std::uint64_t{1} << worker;
    for (const auto& [learned, holding] : report.macs) {
        // The end of something that was superseded meanwhile is of no interest.
        if (!holding.learned && !own_.contains(learned)) continue;
        auto& own = own_[learned];
        own.holders = holding.held ? own.holders | bit : own.holders & ~bit;
        if (own.holders == 0) own.idleSince = now;
        if (!holding.learned || isCurrent(learned)) continue;
        publish(learned);
        news.push_back({learned.bridge, learned.vlan, learned.mac, learned.port});
    }
    if (!news.empty()) broadcast_(news);
}

void MacLearning::onStore(const std::vector<MacChange>& changes) {
    std::vector<MacChange> news;
    for (const auto& change : changes) {
        const auto ours = current_.find(Key{change.bridge, change.vlan, change.mac});
        if (ours == current_.end()) {
            news.push_back(change);
            continue;
        }
        if (change.port == ours->second) continue;  // our own, coming back
        if (change.port.isNil()) {
            // The store lost our entry (lease gone): the session writes it again; we still know better.
            continue;
        }
        const LearnMac superseded{change.bridge, change.vlan, change.mac, ours->second};
        withdraw(superseded);
        own_.erase(superseded);
        news.push_back(change);
    }
    if (!news.empty()) broadcast_(news);
}

void MacLearning::forgetPort(const PortId& port) {
    forgetWhere([&](const LearnMac& learned, const Own&) { return learned.port == port; });
}

void MacLearning::forgetTable(const BridgeId& bridge, net::VlanId vlan) {
    forgetWhere([&](const LearnMac& learned, const Own&) { return learned.bridge == bridge && learned.vlan == vlan; });
}

void MacLearning::expire() {
    const auto now = loop_.clock().now();
    forgetWhere([&](const LearnMac&, const Own& own) { return own.holders == 0 && now - own.idleSince >= kIdleTime; });
}

template <class Condition>
void MacLearning::forgetWhere(const Condition& condition) {
    std::vector<MacChange> news;
    for (auto entry = own_.begin(); entry != own_.end();) {
        if (!condition(entry->first, entry->second)) {
            ++entry;
            continue;
        }
        const auto learned = entry->first;
        // Where the MAC has been learned behind another port since, that entry stays.
        if (isCurrent(learned)) news.push_back({learned.bridge, learned.vlan, learned.mac, PortId{}});
        withdraw(learned);
        own_.erase(entry++);
    }
    if (!news.empty()) broadcast_(news);
}

}  // namespace midonet::agent
