#pragma once

#include "conf/catalogue.h"
#include "rest/object_api.h"

namespace midonet::rest {

class ChangeFeed;

/// All of the following but addConf().
void addTopology(ObjectApi& api, Authenticator& authenticator);

/// Root document and system state.
void addRoot(Service& service);
void addTenants(Service& service, Authenticator& authenticator);

/// Each adds the classes and endpoints of its part of the topology; in this order.
void addTunnelZones(ObjectApi& api);
void addChains(ObjectApi& api);
void addRules(ObjectApi& api);
void addLoadBalancers(ObjectApi& api);
void addPools(ObjectApi& api);
void addQos(ObjectApi& api);
void addBridges(ObjectApi& api);
void addDhcp(ObjectApi& api);
void addRouters(ObjectApi& api);
void addBgp(ObjectApi& api);
void addPorts(ObjectApi& api);
void addVxlanPorts(ObjectApi& api);
void addVteps(ObjectApi& api);
void addLinks(ObjectApi& api);
void addRoutes(ObjectApi& api);
void addPortGroups(ObjectApi& api);
void addIpAddrGroups(ObjectApi& api);
void addHosts(ObjectApi& api);
void addMacTables(ObjectApi& api);
void addArpTables(ObjectApi& api);
void addPeeringTables(ObjectApi& api);
void addMirrors(ObjectApi& api);
void addTraceRequests(ObjectApi& api);
void addL2Insertions(ObjectApi& api);
void addContainers(ObjectApi& api);

/// `/packet_traces`: what would happen to a packet.
void addPacketTraces(ObjectApi& api);
/// `/changes`: what changes, as it happens. `feed` serves those who wait, and outlives what is served; nullptr: to be described only.
void addChanges(ObjectApi& api, ChangeFeed* feed);
/// `/conf`: the configuration in the NSDB.
void addConf(ObjectApi& api, conf::Catalogue catalogue);

}  // namespace midonet::rest
