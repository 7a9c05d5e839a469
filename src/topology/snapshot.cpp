#include "topology/snapshot.h"

namespace midonet::topology {
namespace {

template <class Map>
bool sameContents(const Map& a, const Map& b) {
    if (a.size() != b.size()) return false;
    for (const auto& [id, device] : a) {
        const auto other = b.find(id);
        if (other == b.end() || !(*other->second == *device)) return false;
    }
    return true;
}

}  // namespace

bool TopologySnapshot::sameDevices(const TopologySnapshot& other) const {
    return sameContents(ports, other.ports) && sameContents(bridges, other.bridges);
}

}  // namespace midonet::topology
