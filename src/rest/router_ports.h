#pragma once

#include "rest/resource.h"

namespace midonet::model {
class Port;
}

namespace midonet::rest {

/// What only ports of routers have: addresses, a MAC, and the Local route of each IPv4 address.
///
/// Both spellings of an address are read: `portSubnet` decides; `portAddress` and `networkLength` count without it,
/// or when they are what a PUT changes. No MAC: the stored one, else a random one. `stored` is nullptr for a
/// new port.
Outcome<void> readRouterPort(const model::JsonBody& body, const model::Port* stored, model::Port& next);

/// Takes away the Local routes of addresses that went, adds those of addresses that came. The port is stored.
Outcome<void> followAddresses(nsdb::Transaction& transaction, const model::Port* before, const model::Port& now);

Outcome<void> showRouterPort(const Show& out, const model::Port& port);

/// The properties only router ports have.
void describeRouterPort(Properties& out);

}  // namespace midonet::rest
