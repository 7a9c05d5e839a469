#include "rest/tunnel_keys.h"

#include "model/topology.pb.h"

namespace midonet::rest {

Outcome<void> allocateTunnelKey(nsdb::Transaction& transaction, model::Port& port) {
    GET_OR_REFUSE(key, transaction.next("tunnel_key"));
    if (key > kLastTunnelKey) return refuse(503, "all {} tunnel keys have been used", kLastTunnelKey);
    port.set_tunnel_key(static_cast<std::uint32_t>(key));
    return {};
}

}  // namespace midonet::rest
