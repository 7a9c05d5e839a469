/* Packets for the agent: token bucket per port, at most a few of one flow in flight, one ring per
 * worker. State messages of other agents have a share of their own. */
#ifndef MIDONET_UPCALL_H
#define MIDONET_UPCALL_H

#include "parse.h"
#include "sk_buff.h"

enum mn_reason { MN_REASON_MISS = 0, MN_REASON_ACTION = 1, MN_REASON_TOO_BIG = 2 };

/* Generic cell rate: `*full` is when the bucket is full again. Races between CPUs let a packet more
 * or less through, which does no harm. */
static __always_inline int take_tokens(__u64* full, __u64 now, __u64 cost, __u64 burst) {
    __u64 from = *full > now ? *full : now;
    if (from + cost - now > burst) return 0;
    *full = from + cost;
    return 1;
}

/* 1 = the agent may have one more packet of this flow now. */
static __always_inline int admit_pending(__u64 id, __u64 now) {
    __u32 index = mn_pending_index(id);
    struct mn_pending* pending = bpf_map_lookup_elem(&mn_pending_flows, &index);
    if (!pending) return 0;
    if (pending->id == id && now - pending->first_ns < MN_PENDING_NS) {
        if (pending->count >= MN_PENDING_LIMIT) return 0;
        __sync_fetch_and_add(&pending->count, 1);
        return 1;
    }
    pending->id = id;
    pending->first_ns = now;
    pending->count = 1;
    return 1;
}

static __always_inline void fill_offload(struct __sk_buff* skb, struct mn_upcall* up) {
    up->gso_size = skb->gso_size;
    up->gso_segs = skb->gso_segs;
    up->vlan_tci = 0;
    up->vlan_proto = 0;
    if (skb->vlan_present) {
        up->vlan_tci = (skb->vlan_tci & 0xefff) | MN_VLAN_PRESENT;
        up->vlan_proto = skb->vlan_proto;
    }
    up->ip_summed = MN_IP_SUMMED_UNKNOWN;
    up->csum_start = 0;
    up->csum_offset = 0;
    if (bpf_cast_to_kern_ctx) {
        struct sk_buff* kernel = bpf_cast_to_kern_ctx(skb);
        up->ip_summed = BPF_CORE_READ_BITFIELD(kernel, ip_summed);
        up->csum_start = kernel->csum_start - (__u16)((__u64)kernel->data - (__u64)kernel->head);
        up->csum_offset = kernel->csum_offset;
    }
}

static __always_inline void fill_key(struct mn_upcall* up, const struct mn_wide_key* key) {
    up->key = *key;
    if (key->base.eth_type == ETH_IPV6) return;
    __u64* addresses = (__u64*)up->key.ip6_src;
    for (int i = 0; i < 4; ++i) addresses[i] = 0;
}

struct mn_message {
    __u64 pending_id;
    __u64 at_ns;
    __u32* waiting; /* where the share of the ring is counted, 0 = nowhere */
    __u32 by_bytes; /* ... in bytes of records, else in records */
    __u32 ring;
    __u32 reason;
    __u32 mtu;
};

/* Counted before it can be read: the agent takes off what it has read. */
#define MN_SUBMIT(SIZE)                                                                                       \
    do {                                                                                                      \
        struct mn_upcall* up = bpf_ringbuf_reserve(ring, sizeof(*up) + (SIZE), 0);                            \
        if (!up) return 0;                                                                                    \
        up->version = MN_UPCALL_VERSION;                                                                      \
        up->reason = m->reason;                                                                               \
        up->reserved = 0;                                                                                     \
        up->mtu = m->mtu;                                                                                     \
        up->original = skb->len;                                                                              \
        up->pending_id = m->pending_id;                                                                       \
        up->at_ns = m->at_ns;                                                                                 \
        fill_key(up, key);                                                                                    \
        fill_offload(skb, up);                                                                                \
        __u32 bytes = skb->len < (SIZE) ? skb->len : (SIZE);                                                  \
        bytes = ((bytes - 1) & ((SIZE) - 1)) + 1;                                                             \
        up->captured = bytes;                                                                                 \
        if (bpf_skb_load_bytes(skb, 0, (void*)(up + 1), bytes)) up->captured = 0;                             \
        if (m->waiting) __sync_fetch_and_add(m->waiting, m->by_bytes ? (__u32)sizeof(*up) + (SIZE) : 1);      \
        bpf_ringbuf_submit(up, 0);                                                                            \
    } while (0)

/* 1, or 0 when the ring is full. */
static __noinline int submit(struct __sk_buff* skb, struct mn_wide_key* key, const struct mn_message* m) {
    __u32 index = m->ring;
    void* ring = bpf_map_lookup_elem(&mn_rings, &index);
    if (!ring) return 0;
    __u32 len = skb->len;
    if (len <= MN_UPCALL_SMALL) {
        MN_SUBMIT(MN_UPCALL_SMALL);
    } else if (len <= MN_UPCALL_MEDIUM) {
        MN_SUBMIT(MN_UPCALL_MEDIUM);
    } else {
        MN_SUBMIT(MN_UPCALL_LARGE);
    }
    return 1;
}

static __always_inline __u32 ring_of_tunnel(const struct mn_config* config, const struct mn_wide_key* key) {
    __u32 rings = config->rings ? config->rings : 1;
    return (bpf_ntohl(key->base.tun_src) + key->base.tun_key) % rings;
}

/* `ifindex`: the port it came in on, 0 = a tunnel. `mtu`: for MN_REASON_TOO_BIG. Not inlined: off the hit path,
 * and it is called from several places. */
__noinline int mn_upcall_packet(struct __sk_buff* skb, struct mn_wide_key* key, __u32 ifindex, __u32 reason, __u32 mtu) {
    struct mn_config* config = mn_get_config();
    if (!config || !key) return 0;
    __u64 now = bpf_ktime_get_ns();
    struct mn_message message = {.at_ns = now, .reason = reason, .mtu = mtu};
    if (reason == MN_REASON_MISS) {
        message.pending_id = hash_key(key) | 1;
        if (!admit_pending(message.pending_id, now)) {
            mn_count(MN_COUNT_PENDING_DROPPED);
            return 0;
        }
    }

    __u64 cost = config->upcall_interval_ns;
    if (skb->len > MN_UPCALL_MEDIUM) cost *= 16;
    int admitted;
    if (ifindex) {
        struct mn_port* port = bpf_map_lookup_elem(&mn_ports, &ifindex);
        if (!port) return 0;
        message.ring = port->ring;
        __u32 number = port->number;
        struct mn_port_target* target = bpf_map_lookup_elem(&mn_port_targets, &number);
        if (!target) return 0;
        message.waiting = &target->waiting;
        /* Whatever the rate: one port never fills the ring, so another port's packet is soon read. */
        admitted = target->waiting < MN_WAITING_LIMIT && take_tokens(&port->bucket_ns, now, cost, config->upcall_burst_ns);
        __sync_fetch_and_add(admitted ? &port->upcalls : &port->throttled, 1);
    } else {
        message.ring = ring_of_tunnel(config, key);
        admitted = take_tokens(&config->tunnel_bucket_ns, now, cost, config->upcall_burst_ns);
        __sync_fetch_and_add(admitted ? &config->tunnel_upcalls : &config->tunnel_throttled, 1);
    }
    if (!admitted) {
        mn_count(MN_COUNT_THROTTLED);
        return 0;
    }
    int sent = submit(skb, key, &message);
    mn_count(sent ? MN_COUNT_UPCALL : MN_COUNT_UPCALL_LOST);
    return sent;
}

/* A message of another agent. All of them have one key and every one counts, so neither the bucket nor the
 * table of pending flows holds them back; but they never take more than half of a ring. */
__noinline int mn_upcall_state(struct __sk_buff* skb, struct mn_wide_key* key) {
    struct mn_config* config = mn_get_config();
    if (!config || !key) return 0;
    __u64 ring = ring_of_tunnel(config, key);
    asm volatile("" : "+r"(ring)); /* keeps the mask, which the verifier wants, where the compiler sees no use for it */
    ring &= MN_MAX_WORKERS - 1;
    __u32* waiting = &config->state_waiting[ring];
    struct mn_message message = {.at_ns = bpf_ktime_get_ns(), .waiting = waiting, .by_bytes = 1, .ring = ring, .reason = MN_REASON_MISS};
    int sent = *waiting < config->ring_bytes / 2 && submit(skb, key, &message);
    mn_count(sent ? MN_COUNT_UPCALL : MN_COUNT_STATE_LOST);
    return sent;
}

#endif
