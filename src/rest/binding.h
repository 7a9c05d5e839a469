#pragma once

#include <string>

#include "model/port_binding.h"
#include "nsdb/store.h"
#include "rest/fault.h"

namespace midonet::rest {

/// What became of a binding.
struct BindingStatus {
    bool active = false;
    std::string reason;  ///< Why a bound port is not active, in words; else empty.
};
Outcome<BindingStatus> bindingStatus(nsdb::View& view, const model::Port& port);
/// What a tenant may know, who does not see where a port is bound: no reason, as it tells of hosts.
Outcome<BindingStatus> statusForTenants(nsdb::View& view, const model::Port& port);

}  // namespace midonet::rest
