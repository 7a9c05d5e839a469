#include "model/topology.pb.h"
#include "rest/topology_api.h"

namespace midonet::rest {

void addChains(ObjectApi& api) {
    auto chain = resource<model::Chain>();
    chain.updatable = false;
    chain.removeMissingIs404 = true;
    chain.links = {{"rules", "/rules"}};
    api.add(std::move(chain));
}

}  // namespace midonet::rest
