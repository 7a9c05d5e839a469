#pragma once

#include <string>

#include "nsdb/store.h"
#include "rest/fault.h"

namespace midonet::model {
class Port;
}

namespace midonet::rest {

/// True when the port has a host and an interface there.
bool isBound(const model::Port& port);

/// What follows from the host and the interface of a port that is about to be stored in the place of `stored`: it remembers the
/// host it leaves, and its place, which no other port can have (the store answers AlreadyExists).
void followBinding(const model::Port& stored, model::Port& next);

/// What became of a binding.
struct BindingStatus {
    bool active = false;
    std::string reason;  ///< Why a bound port is not active, in words; else empty.
};
Outcome<BindingStatus> bindingStatus(nsdb::View& view, const model::Port& port);

}  // namespace midonet::rest
