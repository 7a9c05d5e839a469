#pragma once

#include <string>
#include <string_view>

#include "base/uuid.h"

namespace midonet::model {

class Port;

/// True when the port has a host and an interface there.
bool isBound(const Port& port);

/// Where a binding is, as `Port.place` has it: no two ports can have one.
std::string placeOf(const Uuid& host, std::string_view interface);

/// What follows from the host and the interface of a port that is about to be stored in the place of `stored`: it remembers the
/// host it leaves, and its place, which no other port can have (the store answers AlreadyExists).
void followBinding(const Port& stored, Port& next);

}  // namespace midonet::model
