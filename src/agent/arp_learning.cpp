#include "agent/arp_learning.h"

#include <algorithm>

namespace midonet::agent {

ArpLearning::ArpLearning(event::Loop& loop, nsdb::Session& session, Broadcast broadcast)
    : loop_(loop), session_(session), broadcast_(std::move(broadcast)) {
    timer_ = loop_.every(kCheckPeriod, [this] { expire(); });
}

void ArpLearning::onReport(const WorkerReport& report) {
    const auto now = event::unixMs(loop_.clock().wall());
    Arps news;
    for (const auto& [neighbour, mac] : report.arps) {
        const auto own = own_.find(neighbour);
        if (own != own_.end() && own->second.mac == mac && !own->second.isStale(now)) continue;
        const auto entry = topology::RouterArpEntry::confirmed(mac, now);
        own_.insert_or_assign(neighbour, entry);
        session_.learn(nsdb::routerArpTableName(neighbour.router.uuid()), neighbour.address.toString(), entry.toString());
        news.emplace(neighbour, entry);
    }
    BridgeArps bridgeNews;
    for (const auto& [neighbour, mac] : report.bridgeArps) {
        const auto begin = ownOfBridges_.lower_bound({neighbour.bridge, {}});
        const auto ofBridge = std::count_if(begin, ownOfBridges_.end(), [&](const auto& e) { return e.first.bridge == neighbour.bridge; });
        if (!ownOfBridges_.contains(neighbour) && static_cast<std::size_t>(ofBridge) >= kAddressesPerBridge) continue;
        ownOfBridges_.insert_or_assign(neighbour, mac);
        session_.learn(nsdb::bridgeArpTableName(neighbour.bridge.uuid()), neighbour.address.toString(), mac.toString());
        bridgeNews.emplace(neighbour, mac);
    }
    if (!news.empty() || !bridgeNews.empty()) broadcast_(news, bridgeNews);
}

void ArpLearning::onStore(const RouterId& router, const Arps& changes) {
    Arps news;
    for (const auto& [neighbour, entry] : changes) {
        // With a dead agent its entries vanish, and so does who would see the answer to a new question: what it said
        // holds until its time is over, which every worker knows by itself.
        if (!entry) continue;
        const auto own = own_.find(neighbour);
        if (own != own_.end() && *entry == own->second) continue;
        if (own != own_.end()) {
            session_.forget(nsdb::routerArpTableName(router.uuid()), neighbour.address.toString());
            own_.erase(own);
        }
        news.emplace(neighbour, entry);
    }
    if (!news.empty()) broadcast_(news, {});
}

void ArpLearning::onStore(const BridgeId& bridge, const BridgeArps& changes) {
    BridgeArps news;
    for (const auto& [neighbour, mac] : changes) {
        const auto own = ownOfBridges_.find(neighbour);
        if (own != ownOfBridges_.end() && (!mac || *mac == own->second)) continue;
        if (own != ownOfBridges_.end()) {
            session_.forget(nsdb::bridgeArpTableName(bridge.uuid()), neighbour.address.toString());
            ownOfBridges_.erase(own);
        }
        news.emplace(neighbour, mac);
    }
    if (!news.empty()) broadcast_({}, news);
}

void ArpLearning::forget(const RouterId& router) {
    std::erase_if(own_, [&](const auto& entry) {
        if (entry.first.router != router) return false;
        session_.forget(nsdb::routerArpTableName(router.uuid()), entry.first.address.toString());
        return true;
    });
}

void ArpLearning::forget(const BridgeId& bridge) {
    std::erase_if(ownOfBridges_, [&](const auto& entry) {
        if (entry.first.bridge != bridge) return false;
        session_.forget(nsdb::bridgeArpTableName(bridge.uuid()), entry.first.address.toString());
        return true;
    });
}

void ArpLearning::expire() {
    const auto now = event::unixMs(loop_.clock().wall());
    Arps news;
    std::erase_if(own_, [&](const auto& own) {
        const auto& [neighbour, entry] = own;
        if (entry.expiryMs > now) return false;
        session_.forget(nsdb::routerArpTableName(neighbour.router.uuid()), neighbour.address.toString());
        news.emplace(neighbour, std::nullopt);
        return true;
    });
    if (!news.empty()) broadcast_(news, {});
}

}  // namespace midonet::agent
