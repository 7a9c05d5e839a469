#pragma once

#include <string>

#include "base/id.h"
#include "base/result.h"
#include "nsdb/store.h"

namespace midonet::host {

/// Binds a port to an interface of this host, whoever had it before: a machine that moves is bound at its new host before it is
/// unbound at the old one. The interface need not be there yet. Blocks; any thread.
///
/// NotFound: no such port, or this host has never registered. Conflict: the port is linked to another port, or the interface is
/// another port's. Invalid: no name of an interface.
Result<void> bindPort(nsdb::Store& store, const HostId& self, const PortId& port, const std::string& interface);

/// Ends the binding if the port is bound to this host. Bound elsewhere, or not at all, it stays as it is.
Result<void> unbindPort(nsdb::Store& store, const HostId& self, const PortId& port);

}  // namespace midonet::host
