#pragma once

#include <functional>
#include <map>

#include "agent/worker_messages.h"
#include "event/loop.h"
#include "nsdb/store.h"

namespace midonet::agent {

/// Joins what this host's workers learn with what the NSDB says, and tells each about the other
/// (reference section 3.4). A MAC that at least one flow carries is published as a learned entry of
/// its bridge's table; 15 s after its last flow it is withdrawn. A newer entry of another host
/// wins: ours is given up.
///
/// Control loop.
class MacLearning {
public:
    using Broadcast = std::function<void(const std::vector<topology::MacChange>&)>;
    static constexpr std::chrono::seconds kIdleTime{15};
    static constexpr std::chrono::seconds kCheckPeriod{2};

    MacLearning(event::Loop& loop, nsdb::Session& session, Broadcast broadcast);

    void onReport(datapath::WorkerIndex worker, const WorkerReport& report);
    /// What the MAC tables in the NSDB say now. Port nil = no entry any more.
    void onStore(const std::vector<topology::MacChange>& changes);
    /// A port left this host: what was learned behind it is withdrawn at once.
    void forgetPort(const PortId& port);
    /// A table that nobody follows any more: what was learned in it is withdrawn at once.
    void forgetTable(const BridgeId& bridge, net::VlanId vlan);

    std::size_t published() const { return own_.size(); }

private:
    struct Own {
        std::uint64_t holders = 0;  // bit per worker
        event::TimePoint idleSince;
    };
    struct Key {
        BridgeId bridge;
        net::VlanId vlan;
        net::Mac mac;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    bool isCurrent(const simulation::LearnMac& learned) const;
    void publish(const simulation::LearnMac& learned);
    void withdraw(const simulation::LearnMac& learned);
    void expire();
    template <class Condition>
    void forgetWhere(const Condition& condition);

    event::Loop& loop_;
    nsdb::Session& session_;
    Broadcast broadcast_;
    LearnMacMap<Own> own_;           // published by this host
    std::map<Key, PortId> current_;  // our entry of each MAC, to find it by MAC
    event::HandlePtr timer_;
};

}  // namespace midonet::agent
