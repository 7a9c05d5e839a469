#include "rest/topology_api.h"

namespace midonet::rest {

void addTopology(ObjectApi& api, Authenticator& authenticator) {
    addRoot(api.service());
    addTenants(api.service(), authenticator);
    addTunnelZones(api);
    addChains(api);
    addRules(api);
    addLoadBalancers(api);
    addPools(api);
    addQos(api);
    addBridges(api);
    addDhcp(api);
    addRouters(api);
    addBgp(api);
    addPorts(api);
    addVxlanPorts(api);
    addVteps(api);
    addLinks(api);
    addRoutes(api);
    addPortGroups(api);
    addIpAddrGroups(api);
    addHosts(api);
    addMacTables(api);
    addArpTables(api);
    addPeeringTables(api);
    addMirrors(api);
    addTraceRequests(api);
    addPacketTraces(api);
    addL2Insertions(api);
    addContainers(api);
}

}  // namespace midonet::rest
