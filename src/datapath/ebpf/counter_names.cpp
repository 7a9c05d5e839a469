#include "datapath/ebpf/counter_names.h"

namespace midonet::datapath::ebpf {

std::string_view counterName(mn_counter counter) {
    switch (counter) {
        case MN_COUNT_HIT_EXACT: return "hits_exact";
        case MN_COUNT_HIT_MASKED: return "hits_masked";
        case MN_COUNT_MISS: return "misses";
        case MN_COUNT_STALE_FLOW: return "stale_flows";
        case MN_COUNT_UPCALL: return "upcalls";
        case MN_COUNT_UPCALL_LOST: return "upcalls_lost";
        case MN_COUNT_THROTTLED: return "throttled";
        case MN_COUNT_PENDING_DROPPED: return "pending_dropped";
        case MN_COUNT_DROPPED_BY_FLOW: return "dropped_by_flow";
        case MN_COUNT_NO_SUCH_PORT: return "no_such_port";
        case MN_COUNT_NO_TUNNEL_PATH: return "no_tunnel_path";
        case MN_COUNT_TOO_BIG: return "too_big";
        case MN_COUNT_ENCAP_ERROR: return "encap_errors";
        case MN_COUNT_DECAP_ERROR: return "decap_errors";
        case MN_COUNT_ENCAPSULATED: return "encapsulated";
        case MN_COUNT_DECAPSULATED: return "decapsulated";
        case MN_COUNT_OUTPUT_ERROR: return "output_errors";
        case MN_COUNT_UNKNOWN_INGRESS: return "unknown_ingress";
        case MN_COUNT_SHORT_FRAME: return "short_frames";
        case MN_COUNT_PACKET_OUT: return "packets_out";
        case MN_COUNT_ACTION_ERROR: return "action_errors";
        case MN_COUNT_TTL_EXCEEDED: return "ttl_exceeded";
        case MN_COUNT_STATE_LOST: return "state_lost";
        case MN_COUNTERS: break;
    }
    return "unknown";
}

}  // namespace midonet::datapath::ebpf
