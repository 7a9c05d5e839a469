#pragma once

#include "rest/object_api.h"

namespace midonet::rest {

/// Root document and system state.
void addRoot(Service& service);

/// Each adds the classes and endpoints of its part of the topology; in this order.
void addTunnelZones(ObjectApi& api);
void addBridges(ObjectApi& api);
void addPorts(ObjectApi& api);
void addHosts(ObjectApi& api);
void addMacTables(ObjectApi& api);

}  // namespace midonet::rest
