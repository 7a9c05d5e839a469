/* The maps, all pinned by name below <bpffs dir>/v<layout version>/. Sizes that are settings are
 * written over by the loader. */
#ifndef MIDONET_MAPS_H
#define MIDONET_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "midonet_shared.h"

#define MN_FLOW_TABLE(NAME, KEY)              \
    struct {                                  \
        __uint(type, BPF_MAP_TYPE_HASH);      \
        __uint(map_flags, BPF_F_NO_PREALLOC); \
        __uint(max_entries, 262144);          \
        __type(key, struct KEY);              \
        __type(value, struct mn_flow);        \
        __uint(pinning, LIBBPF_PIN_BY_NAME);  \
    } NAME SEC(".maps")

MN_FLOW_TABLE(mn_exact, mn_key);
MN_FLOW_TABLE(mn_masked, mn_masked_key);
MN_FLOW_TABLE(mn_exact_wide, mn_wide_key);
MN_FLOW_TABLE(mn_masked_wide, mn_wide_masked_key);

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 262144);
    __type(key, __u32);
    __type(value, struct mn_slot);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} mn_slots SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 262144);
    __type(key, __u32);
    __type(value, struct mn_stats);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} mn_flow_stats SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct mn_config);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} mn_config_map SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, MN_MAX_PORTS);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u32);
    __type(value, struct mn_port);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} mn_ports SEC(".maps");

/* Port number by ifindex, 0 = no port: what mn_ports says, without hashing. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MN_FAST_IFINDEX);
    __type(key, __u32);
    __type(value, __u32);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} mn_port_numbers SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, MN_MAX_PORTS);
    __type(key, __u32);
    __type(value, struct mn_port_target);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} mn_port_targets SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, MN_MAX_TUNNELS);
    __type(key, __u32);
    __type(value, struct mn_tunnel);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} mn_tunnels SEC(".maps");

/* Underlay addresses of this host, network order: what the underlay hook takes packets for. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, MN_MAX_LOCAL_ADDRESSES);
    __type(key, __u32);
    __type(value, __u32);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} mn_local_addresses SEC(".maps");

struct mn_ring_template {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
};

/* One ring per worker, put in by the loader. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1);
    __type(key, __u32);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
    __array(values, struct mn_ring_template);
} mn_rings SEC(".maps");

/* An array, which the agent clears without a system call. Of two flows with one place the later one has it: then more
 * packets of the other may go up than should, within the limits of their port. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, MN_PENDING_ENTRIES);
    __type(key, __u32);
    __type(value, struct mn_pending);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} mn_pending_flows SEC(".maps");

struct mn_counters {
    __u64 values[MN_COUNTERS + MN_MAX_MASKS];
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct mn_counters);
    __uint(pinning, LIBBPF_PIN_BY_NAME);
} mn_counters SEC(".maps");

/* Where the running of an action list stands. In a map, not on the stack: the verifier would follow
 * every value there through every step. */
struct mn_progress {
    __u32 slot;
    __u32 index;        /* unit within the slot */
    __u32 redirect;     /* where the packet itself goes in the end */
    __u32 encapsulated; /* enum mn_tunnel_mode of the headers in front */
    __u32 hash;
    __u32 outputs; /* copies that left */
    __u32 wire_size; /* of the plain frame; MN_OP_TUNNEL keeps it for further copies */
    __u32 narrow_mtu; /* the last tunnel was too narrow: the largest IP packet for it; 0 = no IP packet */
    __u32 told_agent; /* that it does not fit a tunnel: once is enough */
};

/* Too big for the stack. Programs do not sleep and bottom halves are off, so one per CPU is enough for
 * each level: a list sent out may run inside a port's, a relayed copy inside both. */
enum mn_level { MN_LEVEL_INGRESS, MN_LEVEL_PACKET_OUT, MN_LEVEL_RELAY, MN_LEVELS };

struct mn_inner_eth {
    __u8 addresses[12];
    __u16 words[6]; /* up to two tags, then the type */
};

struct mn_scratch {
    struct mn_wide_key key;
    struct mn_wide_masked_key masked;
    struct mn_progress progress;
    __u8 header[56]; /* outer headers */
    struct mn_inner_eth inner;
    __u32 ip_id;
    __u32 tags;
    __u32 relay_tunnel;
    __u32 relay_key;
    __u32 relay_hash;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, MN_LEVELS);
    __type(key, __u32);
    __type(value, struct mn_scratch);
    __uint(pinning, LIBBPF_PIN_BY_NAME); /* old and new programs run side by side for a moment */
} mn_scratches SEC(".maps");

static __always_inline void mn_count(__u32 counter) {
    __u32 zero = 0;
    struct mn_counters* counters = bpf_map_lookup_elem(&mn_counters, &zero);
    if (counters && counter < MN_COUNTERS + MN_MAX_MASKS) ++counters->values[counter];
}

static __always_inline struct mn_config* mn_get_config(void) {
    __u32 zero = 0;
    return bpf_map_lookup_elem(&mn_config_map, &zero);
}

static __always_inline struct mn_scratch* mn_get_scratch(__u32 level) { return bpf_map_lookup_elem(&mn_scratches, &level); }

#endif
