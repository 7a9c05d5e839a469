/* The kernel half of the datapath: tc programs. See src/datapath/ebpf/README.md. */
#include <linux/bpf.h>

#include "actions.h"

#define TC_UNTOUCHED (-1) /* TC_ACT_UNSPEC, TCX_NEXT: go on as if we were not here */
#define TC_SHOT 2
#define TC_STOLEN 4
#define PACKET_OTHERHOST 3

static __always_inline struct mn_flow* lookup_mask(struct mn_config* config, struct mn_scratch* s, __u32 id) {
    const __u64* mask = config->masks[id & (MN_MAX_MASKS - 1)];
    const __u64* key = (const __u64*)&s->key;
    struct mn_masked_key narrow;
    __u64* out = (__u64*)&narrow;
    for (int i = 0; i < MN_KEY_WORDS; ++i) out[i] = key[i] & mask[i];
    narrow.mask_id = id;
    narrow.reserved = 0;
    return bpf_map_lookup_elem(&mn_masked, &narrow);
}

static __always_inline struct mn_flow* lookup_wide_mask(struct mn_config* config, struct mn_scratch* s, __u32 id) {
    const __u64* mask = config->masks[id & (MN_MAX_MASKS - 1)];
    const __u64* key = (const __u64*)&s->key;
    __u64* out = (__u64*)&s->masked;
    for (int i = 0; i < MN_WIDE_KEY_WORDS; ++i) out[i] = key[i] & mask[i];
    s->masked.mask_id = id;
    s->masked.reserved = 0;
    return bpf_map_lookup_elem(&mn_masked_wide, &s->masked);
}

/* The slot of a flow that is in force, or 0. */
static __always_inline struct mn_slot* slot_of(struct mn_config* config, struct mn_flow* flow) {
    __u32 number = flow->slot;
    struct mn_slot* slot = bpf_map_lookup_elem(&mn_slots, &number);
    if (!slot || slot->generation != flow->generation || flow->epoch < config->min_epoch) {
        mn_count(MN_COUNT_STALE_FLOW);
        return 0;
    }
    return slot;
}

/* Flows that see no more of a tunnelled packet than its tunnel: found without parsing it. */
static __noinline struct mn_flow* find_tunnel_flow(struct mn_config* config, struct mn_scratch* s) {
    if (!config || !s) return 0;
    struct mn_mask_lists* lists = &config->lists[config->active_lists & 1];
    for (__u32 i = 0; i < MN_TUNNEL_MASK_LIST; ++i) {
        if (i >= lists->tunnel_count) return 0;
        __u32 id = lists->tunnel[i];
        struct mn_flow* flow = lookup_mask(config, s, id);
        if (flow) return flow;
    }
    return 0;
}

static __noinline struct mn_flow* find_masked(struct mn_config* config, struct mn_scratch* s) {
    if (!config || !s) return 0;
    struct mn_mask_lists* lists = &config->lists[config->active_lists & 1];
    for (__u32 i = 0; i < MN_MASK_LIST; ++i) {
        if (i >= lists->narrow_count) return 0;
        __u32 id = lists->narrow[i] & (MN_MAX_MASKS - 1);
        struct mn_flow* flow = lookup_mask(config, s, id);
        if (flow) {
            mn_count(MN_COUNTERS + id);
            return flow;
        }
    }
    return 0;
}

static __noinline struct mn_flow* find_masked_wide(struct mn_config* config, struct mn_scratch* s) {
    if (!config || !s) return 0;
    struct mn_mask_lists* lists = &config->lists[config->active_lists & 1];
    for (__u32 i = 0; i < MN_MASK_LIST; ++i) {
        if (i >= lists->wide_count) return 0;
        __u32 id = lists->wide[i] & (MN_MAX_MASKS - 1);
        struct mn_flow* flow;
        if (config->wide_masks >> id & 1) {
            flow = lookup_wide_mask(config, s, id);
        } else {
            flow = lookup_mask(config, s, id);
        }
        if (flow) {
            mn_count(MN_COUNTERS + id);
            return flow;
        }
    }
    return 0;
}

/* For the list of a flow that was found without parsing: the packet as it came in. */
__noinline int mn_complete_key(struct __sk_buff* skb, struct mn_wide_key* key) { return key ? parse(skb, key) : -1; }

static __always_inline void add_to(struct mn_stats* stats, __u32 bytes) {
    __u32 self = 1 + bpf_get_smp_processor_id();
    if (stats->owner == 0) __sync_val_compare_and_swap(&stats->owner, 0, self);
    if (stats->owner == self) {
        ++stats->packets;
        stats->bytes += bytes;
    } else {
        __sync_fetch_and_add(&stats->other_packets, 1);
        __sync_fetch_and_add(&stats->other_bytes, bytes);
    }
    stats->last_used_ns = bpf_ktime_get_coarse_ns();
}

/* Tells the agent that the sender is done with its connection. A SYN begins a new one between the same ports. */
static __always_inline void note_tcp(struct mn_stats* stats, int flags) {
    if (flags & (TCP_FIN | TCP_RST | TCP_SYN)) stats->closing = !(flags & TCP_SYN);
}

#define NOT_PARSED (-1)

/* Statistics, then the actions. `tcp_flags` as of parse(). Returns the verdict of the program. */
static __always_inline int run_flow(struct __sk_buff* skb, struct mn_scratch* s, struct mn_slot* slot, __u32 number, __u32 ifindex,
                                    int tcp_flags) {
    struct mn_stats* stats = bpf_map_lookup_elem(&mn_flow_stats, &number);
    if (stats) {
        add_to(stats, skb->len);
        if (ifindex) note_tcp(stats, tcp_flags);
    }
    if (slot->count == 1 && slot->ops[0].code == MN_OP_OUTPUT) {
        /* By far the most frequent list. */
        __u32 port = slot->ops[0].w[0];
        struct mn_port_target* target = bpf_map_lookup_elem(&mn_port_targets, &port);
        if (target && target->ifindex) {
            skb->cb[0] = target->ifindex; /* tells who runs us by BPF_PROG_TEST_RUN where it goes */
            return bpf_redirect(target->ifindex, 0);
        }
        mn_count(MN_COUNT_NO_SUCH_PORT);
        return TC_SHOT;
    }
    if (slot->count == 0) {
        mn_count(MN_COUNT_DROPPED_BY_FLOW);
        return TC_SHOT;
    }
    if (tcp_flags == NOT_PARSED && mn_complete_key(skb, &s->key) < 0) {
        mn_count(MN_COUNT_SHORT_FRAME);
        return TC_SHOT;
    }
    struct mn_run run = {.skb = skb, .s = s, .level = MN_LEVEL_INGRESS, .ifindex = ifindex};
    run_list(&run, number);
    __u32 redirect = s->progress.redirect;
    if (!redirect) return TC_SHOT;
    skb->cb[0] = redirect;
    return bpf_redirect(redirect, 0);
}

/* The ingress part of s->key is filled in. */
static __always_inline int process(struct __sk_buff* skb, struct mn_config* config, struct mn_scratch* s, __u32 ifindex) {
    struct mn_flow* flow;
    struct mn_slot* slot;
    int from_agent = !ifindex && s->key.base.tun_key == MN_STATE_KEY;
    if (!ifindex && !from_agent) {
        flow = find_tunnel_flow(config, s);
        if (flow && (slot = slot_of(config, flow))) {
            mn_count(MN_COUNT_HIT_MASKED);
            return run_flow(skb, s, slot, flow->slot, ifindex, NOT_PARSED);
        }
    }
    int tcp_flags = parse(skb, &s->key);
    if (tcp_flags < 0) {
        mn_count(MN_COUNT_SHORT_FRAME);
        return TC_SHOT;
    }
    if (from_agent) {
        mn_upcall_state(skb, &s->key);
        return TC_SHOT;
    }
    int v6 = s->key.base.eth_type == ETH_IPV6;
    flow = v6 ? bpf_map_lookup_elem(&mn_exact_wide, &s->key) : bpf_map_lookup_elem(&mn_exact, &s->key.base);
    __u32 hit = MN_COUNT_HIT_EXACT;
    if (!flow || !(slot = slot_of(config, flow))) {
        hit = MN_COUNT_HIT_MASKED;
        flow = v6 ? find_masked_wide(config, s) : find_masked(config, s);
        if (!flow || !(slot = slot_of(config, flow))) {
            mn_count(MN_COUNT_MISS);
            mn_upcall_packet(skb, &s->key, ifindex, MN_REASON_MISS, 0);
            return TC_SHOT;
        }
    }
    mn_count(hit);
    return run_flow(skb, s, slot, flow->slot, ifindex, tcp_flags);
}

static __always_inline void clear_key(struct mn_wide_key* key) {
    __u64* words = (__u64*)key;
#pragma unroll
    for (int i = 0; i < MN_KEY_WORDS; ++i) words[i] = 0;
}

static __always_inline __u32 port_number(__u32 ifindex) {
    if (ifindex < MN_FAST_IFINDEX) {
        __u32* number = bpf_map_lookup_elem(&mn_port_numbers, &ifindex);
        return number ? *number : 0;
    }
    struct mn_port* port = bpf_map_lookup_elem(&mn_ports, &ifindex);
    return port ? port->number : 0;
}

/* Ingress of every port. */
SEC("tc")
int mn_port_in(struct __sk_buff* skb) {
    struct mn_config* config = mn_get_config();
    struct mn_scratch* s = mn_get_scratch(MN_LEVEL_INGRESS);
    __u32 ifindex = skb->ifindex;
    if (!config || !s) return TC_SHOT;
    __u32 number = port_number(ifindex);
    if (!number) {
        mn_count(MN_COUNT_UNKNOWN_INGRESS);
        return TC_SHOT;
    }
    clear_key(&s->key);
    s->key.base.in_port = number;
    return process(skb, config, s, ifindex);
}

/* Ingress of the kernel's vxlan device in external mode. */
SEC("tc")
int mn_tunnel_in(struct __sk_buff* skb) {
    struct mn_config* config = mn_get_config();
    struct mn_scratch* s = mn_get_scratch(MN_LEVEL_INGRESS);
    if (!config || !s) return TC_SHOT;
    struct bpf_tunnel_key tunnel = {};
    if (bpf_skb_get_tunnel_key(skb, &tunnel, sizeof(tunnel), 0)) {
        mn_count(MN_COUNT_DECAP_ERROR);
        return TC_SHOT;
    }
    mn_count(MN_COUNT_DECAPSULATED);
    clear_key(&s->key);
    s->key.base.tun_key = tunnel.tunnel_id & 0xffffff;
    s->key.base.tun_src = bpf_htonl(tunnel.remote_ipv4);
    s->key.base.tun_dst = bpf_htonl(tunnel.local_ipv4);
    return process(skb, config, s, 0);
}

/* Ingress of the underlay NICs: takes our own tunnel packets, leaves everything else alone. */
SEC("tc")
int mn_underlay_in(struct __sk_buff* skb) {
    if (skb->protocol != ETH_IPV4 || skb->pkt_type == PACKET_OTHERHOST || skb->vlan_present) return TC_UNTOUCHED;
    void* data = (void*)(long)skb->data;
    void* data_end = (void*)(long)skb->data_end;
    if (data + MN_GRE_OUTER > data_end) {
        if (skb->len < MN_GRE_OUTER || bpf_skb_pull_data(skb, MN_GRE_OUTER)) return TC_UNTOUCHED;
        data = (void*)(long)skb->data;
        data_end = (void*)(long)skb->data_end;
        if (data + MN_GRE_OUTER > data_end) return TC_UNTOUCHED;
    }
    struct mn_ipv4* ip = data + 14;
    /* Outer fragments are the kernel's business: they cannot be opened one by one. */
    if (ip->version_ihl != 0x45 || (ip->fragment & bpf_htons(0x3fff))) return TC_UNTOUCHED;
    __u32 src = ip->src, dst = ip->dst, proto = ip->proto;
    __u32 first = *(__u32*)(data + 34);
    __u32 second = *(__u32*)(data + 38);
    if (proto != PROTO_GRE && proto != PROTO_UDP) return TC_UNTOUCHED;
    struct mn_config* config = mn_get_config();
    struct mn_scratch* s = mn_get_scratch(MN_LEVEL_INGRESS);
    if (!config || !s) return TC_UNTOUCHED;

    __u32 outer, key;
    if (proto == PROTO_GRE) {
        /* Key present, nothing else, version 0; an Ethernet frame inside. */
        if (first != bpf_htonl(0x20006558)) return TC_UNTOUCHED;
        key = bpf_ntohl(second) & 0xffffff;
        outer = MN_GRE_OUTER;
    } else {
        if (!config->underlay_vxlan || first >> 16 != config->vxlan_port) return TC_UNTOUCHED;
        __u32 header[2];
        if (bpf_skb_load_bytes(skb, 42, header, 8) || !(header[0] & bpf_htonl(0x08000000))) return TC_UNTOUCHED;
        key = bpf_ntohl(header[1]) >> 8;
        outer = MN_VXLAN_OUTER;
    }
    if (!bpf_map_lookup_elem(&mn_local_addresses, &dst)) return TC_UNTOUCHED;
    if (decapsulate(skb, outer)) {
        mn_count(MN_COUNT_DECAP_ERROR);
        return TC_SHOT;
    }
    mn_count(MN_COUNT_DECAPSULATED);
    clear_key(&s->key);
    s->key.base.tun_key = key;
    s->key.base.tun_src = src;
    s->key.base.tun_dst = dst;
    return process(skb, config, s, 0);
}

/* Egress of the packet-out tap: runs the list of the slot named by the mark. Clsact only: a
 * consumed packet must be TC_STOLEN here, as TC_SHOT is an error to the sender. */
SEC("tc")
int mn_packet_out(struct __sk_buff* skb) {
    struct mn_config* config = mn_get_config();
    __u32 mark = skb->mark;
    struct mn_run run = {.skb = skb, .level = mark == MN_RELAY_MARK ? MN_LEVEL_RELAY : MN_LEVEL_PACKET_OUT};
    struct mn_scratch* s = mn_get_scratch(run.level);
    if (!config || !s || !mark) return TC_SHOT;
    run.s = s;
    skb->mark = 0;
    if (mark == MN_RELAY_MARK) {
        start_run(&run, 0, s->relay_hash);
        output_tunnel(&run, s->relay_tunnel, s->relay_key, MN_OP_LAST);
    } else {
        mn_count(MN_COUNT_PACKET_OUT);
        run_list(&run, mark - 1);
    }
    if (s->progress.redirect) return bpf_redirect(s->progress.redirect, 0);
    return s->progress.outputs ? TC_STOLEN : TC_SHOT;
}

char _license[] SEC("license") = "Dual BSD/GPL";
