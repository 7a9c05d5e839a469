/* What the kernel programs and the agent (src/datapath/ebpf) share: the layout of every map. Plain C
 * of fixed sizes, included by both sides. A change here is a new MN_LAYOUT_VERSION: pins of another
 * version are never adopted. */
#ifndef MIDONET_SHARED_H
#define MIDONET_SHARED_H

#include <linux/types.h>

#define MN_LAYOUT_VERSION 6

#define MN_MAX_MASKS 64         /* mask ids */
#define MN_MASK_LIST 32         /* masks that one packet may walk */
#define MN_TUNNEL_MASK_LIST 8   /* ... before its inner frame is parsed */
#define MN_MAX_PORTS 16384
#define MN_FAST_IFINDEX 65536 /* interfaces below have their port number in an array */
#define MN_MAX_TUNNELS 8192
#define MN_MAX_LOCAL_ADDRESSES 256
#define MN_MAX_WORKERS 64
#define MN_PENDING_ENTRIES 16384 /* a power of two */
#define MN_PENDING_LIMIT 4
#define MN_WAITING_LIMIT 512 /* packets of one port in the ring at a time */
#define MN_PENDING_NS 10000000ULL
#define MN_OPS_PER_SLOT 8
#define MN_MAX_OPS 4096         /* operations of one list, over all its slots */
#define MN_RELAY_MARK 0xffffffffU
#define MN_STATE_KEY 0xffffff /* tunnel key of messages between agents; no flow is looked up for it */

/* Flow key: everything but IPv6 addresses. Network order where the wire has it (addresses, ports,
 * types); host order for in_port, tun_key, vlan_tci. An IPv6 packet has ip_src = ip_dst = 0 here. */
struct mn_key {
    __u32 in_port;
    __u32 tun_key;
    __u32 tun_src;
    __u32 tun_dst;
    __u8 eth_dst[6];
    __u8 eth_src[6];
    __u16 eth_type;
    __u16 vlan_tci; /* with MN_VLAN_PRESENT when there is a tag */
    __u32 ip_src;
    __u32 ip_dst;
    __u8 proto;
    __u8 tos;
    __u8 ttl;
    __u8 frag;
    __u16 sport;
    __u16 dport;
    __u16 icmp_id;
    __u8 reserved[6];
} __attribute__((aligned(8)));

#define MN_VLAN_PRESENT 0x1000
#define MN_KEY_WORDS 7

/* Key of IPv6 packets, and the mask of any flow. */
struct mn_wide_key {
    struct mn_key base;
    __u8 ip6_src[16];
    __u8 ip6_dst[16];
} __attribute__((aligned(8)));

#define MN_WIDE_KEY_WORDS 11

struct mn_masked_key {
    struct mn_key key;
    __u32 mask_id;
    __u32 reserved;
} __attribute__((aligned(8)));

struct mn_wide_masked_key {
    struct mn_wide_key key;
    __u32 mask_id;
    __u32 reserved;
} __attribute__((aligned(8)));

/* Value of the four flow tables. */
struct mn_flow {
    __u32 slot;       /* of actions and statistics */
    __u32 generation; /* must be that of the slot, else the entry is stale: a miss */
    __u32 epoch;      /* below mn_config.min_epoch: of a former agent, dropped: a miss */
    __u32 reserved;
};

enum mn_op_code {
    MN_OP_OUTPUT = 1,    /* w[0] = port */
    MN_OP_TUNNEL = 2,    /* w[0] = tunnel, w[1] = key */
    MN_OP_SET_ETH = 3,   /* bytes[0..5] = destination, bytes[6..11] = source */
    MN_OP_PUSH_VLAN = 4, /* half = TCI */
    MN_OP_POP_VLAN = 5,
    MN_OP_SET_IP4 = 6,   /* w[0] = source, w[1] = destination, network order */
    MN_OP_SET_IP6 = 7,   /* two raw units follow: source, destination */
    MN_OP_SET_L4 = 8,    /* w[0]: source and destination, network order */
    MN_OP_DEC_TTL = 9,   /* half = by how much; a packet with no more than that goes to the agent, the list ends */
    MN_OP_TO_AGENT = 10,
    MN_OP_FIT = 11,      /* w[0..2] = tunnels of this list (0 = none), half = tags that the list adds before them, signed: where
                            the packet does not fit, it goes to the agent as it is now; the list goes on */
};

#define MN_OP_LAST 1  /* nothing follows: the packet itself goes, not a copy */
#define MN_OP_RELAY 2 /* the frame must stay plain: a copy is encapsulated at the packet-out tap */
#define MN_OP_CHECKED 4 /* a MN_OP_FIT before has told the agent if the packet does not fit */

struct mn_op {
    __u8 code;
    __u8 flags;
    __u16 half;
    union {
        __u32 w[3];
        __u8 bytes[12];
    };
};

struct mn_slot {
    __u32 generation;
    __u32 count; /* units used here */
    __u32 next;  /* slot that goes on, 0 = none */
    __u32 reserved;
    struct mn_op ops[MN_OPS_PER_SLOT];
};

/* Most flows stay on one CPU, and the first that has a packet of it counts without atomics, which take longer than
 * the lookup. The others share a pair; what the flow had is the sum. */
struct mn_stats {
    __u64 packets;
    __u64 bytes;
    __u64 last_used_ns; /* CLOCK_MONOTONIC_COARSE */
    __u32 owner;        /* 1 + the first CPU, 0 = no packet yet */
    __u32 closing;      /* 1 = a TCP FIN or RST came, and no SYN after it */
    __u64 other_packets;
    __u64 other_bytes;
};

/* By ifindex. */
struct mn_port {
    __u32 number;
    __u32 ring;
    __u64 bucket_ns; /* when the bucket is full again (GCRA) */
    __u64 upcalls;
    __u64 throttled;
    char name[16];   /* when it was added; an adopting agent compares */
};

/* By port number. */
struct mn_port_target {
    __u32 ifindex; /* 0 = no such port */
    __u32 waiting; /* its packets in the ring that the agent has not read: added to here, taken off there */
};

enum mn_tunnel_mode { MN_TUNNEL_NONE = 0, MN_TUNNEL_GRE = 1, MN_TUNNEL_VXLAN = 2, MN_TUNNEL_VXLAN_DEVICE = 3 };

#define MN_GRE_OUTER 42   /* Ethernet, IPv4, GRE with key */
#define MN_VXLAN_OUTER 50 /* Ethernet, IPv4, UDP, VXLAN */

struct mn_tunnel {
    __u32 mode;
    __u32 type;    /* MN_TUNNEL_GRE or MN_TUNNEL_VXLAN: what it is on the wire */
    __u32 ifindex; /* 0 = no path now */
    __u32 mtu;     /* of the path */
    __u32 local;   /* network order */
    __u32 remote;  /* network order */
    __u32 ip_sum;  /* sum of the IPv4 header but for total length and id, not folded */
    __u32 in_use;
    __u8 header[56]; /* outer headers; total length, id, checksum, source port and key are filled in */
};

/* A flow whose packets are on their way to the agent: at the place of its id, mn_pending_index(). */
struct mn_pending {
    __u64 id; /* 0 = none; the agent takes it off when it is done */
    __u64 first_ns;
    __u64 count;
};

/* The lowest bit says nothing: an id is never 0. */
static inline __u32 mn_pending_index(__u64 id) { return (id >> 1) % MN_PENDING_ENTRIES; }

struct mn_mask_lists {
    __u32 narrow_count;
    __u32 wide_count;
    __u32 tunnel_count;
    __u32 reserved;
    __u8 narrow[MN_MASK_LIST];           /* for packets that are not IPv6 */
    __u8 wide[MN_MASK_LIST];             /* for IPv6 packets: masks of both kinds */
    __u8 tunnel[MN_TUNNEL_MASK_LIST];    /* see no more than ingress and tunnel */
};

struct mn_config {
    __u32 layout_version;
    __u32 min_epoch;
    __u32 last_epoch;   /* handed out so far; each agent takes the next */
    __u32 active_lists; /* 0 or 1 */
    __u32 rings;
    __u32 workers;
    __u32 flow_slots;
    __u32 tap_ifindex;    /* packet-out tap, 0 = none */
    __u32 vxlan_ifindex;  /* kernel vxlan device, 0 = none */
    __u32 underlay_vxlan; /* 1: VXLAN on the underlay is decapsulated by hand */
    __u32 ring_bytes;
    __u16 vxlan_port;     /* network order */
    __u16 next_port;      /* where the search for a free port number goes on */
    __u64 upcall_interval_ns; /* per upcall */
    __u64 upcall_burst_ns;
    __u64 tunnel_bucket_ns;   /* as mn_port.bucket_ns, for all tunnels together */
    __u64 tunnel_upcalls;
    __u64 tunnel_throttled;
    __u64 wide_masks;         /* bit per mask id */
    __u32 state_waiting[MN_MAX_WORKERS]; /* bytes of state messages in each ring, as mn_port_target.waiting */
    struct mn_mask_lists lists[2];
    __u64 masks[MN_MAX_MASKS][MN_WIDE_KEY_WORDS];
};

/* One upcall: this header, then `captured` bytes of the frame as skb had them (outer tag aside). */
struct mn_upcall {
    __u8 version;
    __u8 reason;
    __u8 ip_summed; /* 3 = partial; MN_IP_SUMMED_UNKNOWN: the kernel would not say */
    __u8 reserved;
    __u32 captured;
    __u32 original;
    __u16 csum_start; /* from the start of the captured bytes */
    __u16 csum_offset;
    __u32 gso_size;
    __u32 gso_segs;
    __u16 vlan_tci;   /* out of band, with MN_VLAN_PRESENT */
    __u16 vlan_proto; /* network order */
    __u32 mtu;        /* MN_REASON_TOO_BIG: the largest IP packet that would have fitted; else 0 */
    __u64 pending_id;
    __u64 at_ns;      /* bpf_ktime_get_ns(): when it came */
    struct mn_wide_key key;
};

#define MN_UPCALL_VERSION 3
#define MN_IP_SUMMED_PARTIAL 3
#define MN_IP_SUMMED_UNKNOWN 0xff
#define MN_UPCALL_SMALL 256
#define MN_UPCALL_MEDIUM 2048
#define MN_UPCALL_LARGE 65536

/* Per CPU. Hits of mask i are counted at MN_COUNTERS + i. */
enum mn_counter {
    MN_COUNT_HIT_EXACT,
    MN_COUNT_HIT_MASKED,
    MN_COUNT_MISS,
    MN_COUNT_STALE_FLOW,      /* entry of a former generation or epoch */
    MN_COUNT_UPCALL,
    MN_COUNT_UPCALL_LOST,     /* ring full */
    MN_COUNT_THROTTLED,       /* token bucket empty */
    MN_COUNT_PENDING_DROPPED, /* the agent has enough packets of this flow */
    MN_COUNT_DROPPED_BY_FLOW, /* empty action list */
    MN_COUNT_NO_SUCH_PORT,
    MN_COUNT_NO_TUNNEL_PATH,
    MN_COUNT_TOO_BIG,         /* does not fit the path of the tunnel */
    MN_COUNT_ENCAP_ERROR,
    MN_COUNT_DECAP_ERROR,
    MN_COUNT_ENCAPSULATED,
    MN_COUNT_DECAPSULATED,
    MN_COUNT_OUTPUT_ERROR,    /* the kernel refused a copy */
    MN_COUNT_UNKNOWN_INGRESS, /* interface is no port (any more) */
    MN_COUNT_SHORT_FRAME,
    MN_COUNT_PACKET_OUT,
    MN_COUNT_ACTION_ERROR,    /* a header could not be changed */
    MN_COUNT_TTL_EXCEEDED,    /* too few hops left for the list */
    MN_COUNT_STATE_LOST,      /* state messages: their share of the ring is full */
    MN_COUNTERS,
};

#ifdef __cplusplus
#define MN_ASSERT(condition) static_assert(condition)
#else
#define MN_ASSERT(condition) _Static_assert(condition, #condition)
#endif
MN_ASSERT(sizeof(struct mn_key) == 56);
MN_ASSERT(sizeof(struct mn_wide_key) == 88);
MN_ASSERT(sizeof(struct mn_masked_key) == 64);
MN_ASSERT(sizeof(struct mn_wide_masked_key) == 96);
MN_ASSERT(sizeof(struct mn_flow) == 16);
MN_ASSERT(sizeof(struct mn_op) == 16);
MN_ASSERT(sizeof(struct mn_slot) == 144);
MN_ASSERT(sizeof(struct mn_stats) == 48);
MN_ASSERT(sizeof(struct mn_port) == 48);
MN_ASSERT(sizeof(struct mn_pending) == 24);
MN_ASSERT(sizeof(struct mn_tunnel) == 88);
MN_ASSERT(sizeof(struct mn_mask_lists) == 88);
MN_ASSERT(sizeof(struct mn_upcall) == 136);
MN_ASSERT(sizeof(struct mn_config) % 8 == 0);

#endif
