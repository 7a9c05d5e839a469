#include "agent/learned_macs.h"

namespace midonet::agent {

LearnedMacs::Added LearnedMacs::add(const simulation::LearnMac& learned) {
    if (const auto found = counts_.find(learned); found != counts_.end()) {
        ++found->second;
        return Added::Again;
    }
    auto& inPort = perPort_[learned.port];
    if (inPort >= maxPerPort_) {
        ++refused_;
        return Added::Refused;
    }
    ++inPort;
    counts_.emplace(learned, 1);
    return Added::First;
}

bool LearnedMacs::remove(const simulation::LearnMac& learned) {
    const auto found = counts_.find(learned);
    if (found == counts_.end() || --found->second > 0) return false;
    counts_.erase(found);
    if (const auto port = perPort_.find(learned.port); --port->second == 0) perPort_.erase(port);
    return true;
}

}  // namespace midonet::agent
