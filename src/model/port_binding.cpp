#include "model/port_binding.h"

#include <fmt/format.h>

#include "model/ids.h"
#include "model/topology.pb.h"

namespace midonet::model {

bool isBound(const Port& port) { return !port.host_id().empty() && !port.interface_name().empty(); }

std::string placeOf(const Uuid& host, std::string_view interface) { return fmt::format("{}/{}", host, interface); }

void followBinding(const Port& stored, Port& next) {
    if (!stored.host_id().empty() && stored.host_id() != next.host_id()) next.set_previous_host_id(stored.host_id());
    if (isBound(next))
        next.set_place(placeOf(uuidOf(next.host_id()), next.interface_name()));
    else
        next.clear_place();
}

}  // namespace midonet::model
