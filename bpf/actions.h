/* Runs an action list. The agent orders it so that frames stay plain until the last tunnels: see
 * action_codec.h there for MN_OP_LAST and MN_OP_RELAY. */
#ifndef MIDONET_ACTIONS_H
#define MIDONET_ACTIONS_H

#include "encap.h"
#include "upcall.h"

struct mn_run {
    struct __sk_buff* skb;
    struct mn_scratch* s;
    __u32 level;
    __u32 ifindex; /* where it came in, 0 = tunnel */
};

struct mn_headers {
    __u16 type; /* below the tags */
    __u8 proto;
    __u8 has_transport;
    __u32 l3;
    __u32 l4;
    __u32 payload; /* behind the transport header, when there is one */
};

/* Where the headers of the packet are now. Functions that are not static are verified once, by
 * themselves, and not again for every path that leads to them. */
__noinline int mn_locate(struct __sk_buff* skb, struct mn_headers* at) {
    if (!at) return -1;
    __u16 type = 0;
    __u32 off = 12;
    for (int i = skb->vlan_present ? 1 : 0; i < 3; ++i) {
        if (bpf_skb_load_bytes(skb, off, &type, 2)) return -1;
        off += 2;
        if (!is_vlan(type)) break;
        off += 2;
    }
    at->type = type;
    at->l3 = off;
    at->has_transport = 0;
    __u32 len = skb->len;
    __u32 end;
    if (type == ETH_IPV4) {
        struct mn_ipv4 ip;
        if (bpf_skb_load_bytes(skb, off, &ip, sizeof(ip))) return -1;
        __u32 size = (ip.version_ihl & 0xf) * 4;
        __u32 total = bpf_ntohs(ip.total_length);
        if (ip.version_ihl >> 4 != 4 || size < 20 || total < size || off + size > len) return -1;
        at->proto = ip.proto;
        at->l4 = off + size;
        if (ip.fragment & bpf_htons(0x1fff)) return 0;
        end = off + total < len ? off + total : len;
    } else if (type == ETH_IPV6) {
        struct mn_ipv6 ip;
        if (bpf_skb_load_bytes(skb, off, &ip, sizeof(ip))) return -1;
        if ((bpf_ntohl(ip.first) >> 28) != 6) return -1;
        at->proto = ip.next;
        at->l4 = off + 40;
        __u32 payload = bpf_ntohs(ip.payload_length);
        end = len;
        if (!(payload == 0 && ip.next == PROTO_HOP_BY_HOP) && off + 40 + payload < len) end = off + 40 + payload;
        for (int i = 0;; ++i) {
            __u8 proto = at->proto;
            if (i == MN_EXTENSION_HEADERS) return 0;
            if (proto != PROTO_HOP_BY_HOP && proto != PROTO_ROUTING && proto != PROTO_FRAGMENT && proto != PROTO_DESTINATION) break;
            __u8 x[8];
            if (at->l4 + 8 > end || bpf_skb_load_bytes(skb, at->l4, x, 8)) return 0;
            if (proto == PROTO_FRAGMENT && (bpf_ntohs(*(__u16*)(x + 2)) & 0xfff8)) return 0;
            __u32 size = proto == PROTO_FRAGMENT ? 8 : 8 + x[1] * 8;
            if (at->l4 + size > end) return 0;
            at->proto = x[0];
            at->l4 += size;
        }
    } else {
        return -1;
    }
    if (at->proto == PROTO_TCP) {
        __u8 offset_byte;
        if (at->l4 + 20 > end || bpf_skb_load_bytes(skb, at->l4 + 12, &offset_byte, 1)) return 0;
        __u32 size = (offset_byte >> 4) * 4;
        at->has_transport = size >= 20 && at->l4 + size <= end;
        at->payload = at->l4 + size;
    } else if (at->proto == PROTO_UDP || (at->proto == PROTO_ICMPV6 && type == ETH_IPV6)) {
        at->has_transport = at->l4 + 8 <= end;
        at->payload = at->l4 + 8;
    }
    return 0;
}

/* Offset of the transport checksum, 0 = none. */
static __always_inline __u32 transport_checksum(const struct mn_headers* at) {
    if (!at->has_transport) return 0;
    if (at->proto == PROTO_TCP) return at->l4 + 16;
    if (at->proto == PROTO_UDP) return at->l4 + 6;
    return at->l4 + 2;
}

__noinline int mn_set_ip4(struct __sk_buff* skb, __u32 source, __u32 destination) {
    struct mn_headers at = {};
    if (mn_locate(skb, &at) || at.type != ETH_IPV4) return -1;
    __u32 addresses[2] = {source, destination};
    __u32 old[2];
    if (bpf_skb_load_bytes(skb, at.l3 + 12, old, 8)) return -1;
    __s64 diff = bpf_csum_diff(old, 8, addresses, 8, 0);
    __u32 checksum = transport_checksum(&at);
    if (checksum) {
        __u64 flags = BPF_F_PSEUDO_HDR | (at.proto == PROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0);
        if (bpf_l4_csum_replace(skb, checksum, 0, diff, flags)) return -1;
    }
    if (bpf_l3_csum_replace(skb, at.l3 + 10, 0, diff, 0)) return -1;
    return bpf_skb_store_bytes(skb, at.l3 + 12, addresses, 8, 0) ? -1 : 0;
}

struct mn_ip6_pair {
    __u64 words[4]; /* source, destination */
};

__noinline int mn_set_ip6(struct __sk_buff* skb, struct mn_ip6_pair* addresses) {
    struct mn_headers at = {};
    struct mn_ip6_pair old;
    if (!addresses || mn_locate(skb, &at) || at.type != ETH_IPV6) return -1;
    if (bpf_skb_load_bytes(skb, at.l3 + 8, &old, 32)) return -1;
    __u32 checksum = transport_checksum(&at);
    if (checksum) {
        __s64 diff = bpf_csum_diff((__be32*)&old, 32, (__be32*)addresses, 32, 0);
        __u64 flags = BPF_F_PSEUDO_HDR | (at.proto == PROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0);
        if (bpf_l4_csum_replace(skb, checksum, 0, diff, flags)) return -1;
    }
    return bpf_skb_store_bytes(skb, at.l3 + 8, addresses, 32, 0) ? -1 : 0;
}

__noinline int mn_set_l4(struct __sk_buff* skb, __u32 ports) {
    struct mn_headers at = {};
    if (mn_locate(skb, &at) || !at.has_transport || (at.proto != PROTO_TCP && at.proto != PROTO_UDP)) return -1;
    __u32 old;
    if (bpf_skb_load_bytes(skb, at.l4, &old, 4)) return -1;
    __u64 flags = 4 | (at.proto == PROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0);
    if (bpf_l4_csum_replace(skb, transport_checksum(&at), old, ports, flags)) return -1;
    return bpf_skb_store_bytes(skb, at.l4, &ports, 4, 0) ? -1 : 0;
}

/* 0, -1, or 1 = the packet has no more than `by` hops left and is as it was. */
__noinline int mn_decrement_ttl(struct __sk_buff* skb, __u32 by) {
    struct mn_headers at = {};
    if (mn_locate(skb, &at)) return -1;
    __u32 where = at.l3 + (at.type == ETH_IPV6 ? 7 : 8);
    __u16 old; /* TTL is the first byte on the wire, so the lower one here */
    if (bpf_skb_load_bytes(skb, where, &old, 2)) return -1;
    if ((old & 0xff) <= by) return 1;
    __u16 fresh = old - by;
    if (at.type == ETH_IPV4 && bpf_l3_csum_replace(skb, at.l3 + 10, old, fresh, 2)) return -1;
    return bpf_skb_store_bytes(skb, where, &fresh, 1, 0) ? -1 : 0;
}

/* Packets that the agent sends itself do not come back to it. */
static __always_inline void to_agent(struct mn_run* run, __u32 reason, __u32 mtu) {
    if (run->level == MN_LEVEL_INGRESS) mn_upcall_packet(run->skb, &run->s->key, run->ifindex, reason, mtu);
}

/* Once for a packet, however many tunnels are too narrow. `mtu` 0: no IP packet, nobody to tell. */
static __always_inline void report_too_big(struct mn_run* run, __u32 mtu) {
    if (!mtu || run->s->progress.told_agent) return;
    run->s->progress.told_agent = 1;
    to_agent(run, MN_REASON_TOO_BIG, mtu);
}

/* The packet goes, or a copy of it. */
static __always_inline void emit(struct mn_run* run, __u32 ifindex, __u32 flags) {
    if (flags & MN_OP_LAST) {
        run->s->progress.redirect = ifindex;
    } else if (bpf_clone_redirect(run->skb, ifindex, 0)) {
        mn_count(MN_COUNT_OUTPUT_ERROR);
    } else {
        ++run->s->progress.outputs;
    }
}

static __always_inline void output_port(struct mn_run* run, const struct mn_op* op) {
    __u32 number = op->w[0];
    struct mn_port_target* target = bpf_map_lookup_elem(&mn_port_targets, &number);
    if (!target || !target->ifindex) {
        mn_count(MN_COUNT_NO_SUCH_PORT);
        return;
    }
    emit(run, target->ifindex, op->flags);
}

/* Bytes of the plain frame on the wire, tags included; of a GSO packet, those of a segment. */
__noinline __u32 mn_wire_size(struct __sk_buff* skb) {
    __u32 tag = skb->vlan_present ? VLAN_TAG : 0;
    __u32 size = skb->len + tag;
    __u32 segment = skb->gso_size;
    if (!segment) return size;
    struct mn_headers at = {};
    if (mn_locate(skb, &at) || !at.has_transport) return segment;
    segment += at.payload + tag;
    return segment < size ? segment : size;
}

static __always_inline __u32 outer_size(const struct mn_tunnel* tunnel) {
    return tunnel->type == MN_TUNNEL_VXLAN ? MN_VXLAN_OUTER : MN_GRE_OUTER;
}

static __always_inline int fits(const struct mn_tunnel* tunnel, __u32 wire_size) { return wire_size + outer_size(tunnel) - 14 <= tunnel->mtu; }

/* The largest IP packet that the tunnel takes in a frame like this one with `tags` bytes more; 0 = this is no IP packet. */
__noinline __u32 mn_inner_mtu(struct __sk_buff* skb, struct mn_tunnel* tunnel, __u32 tags) {
    struct mn_headers at = {};
    if (!tunnel || mn_locate(skb, &at)) return 0;
    __u32 before = outer_size(tunnel) - 14 + at.l3 + (skb->vlan_present ? VLAN_TAG : 0) + tags;
    return before < tunnel->mtu ? tunnel->mtu - before : 0;
}

/* MN_OP_FIT: mn_inner_mtu() of the first of its tunnels that is too narrow, or 0. */
__noinline __u32 mn_check_fit(struct __sk_buff* skb, struct mn_op* op) {
    if (!op) return 0;
    __u32 tags = (__s16)op->half * VLAN_TAG;
    __u32 size = mn_wire_size(skb) + tags;
    for (int i = 0; i < 3; ++i) {
        __u32 id = op->w[i];
        struct mn_tunnel* tunnel = id ? bpf_map_lookup_elem(&mn_tunnels, &id) : 0;
        if (tunnel && tunnel->ifindex && !fits(tunnel, size)) return mn_inner_mtu(skb, tunnel, tags);
    }
    return 0;
}

/* Makes the packet ready to leave through a tunnel. `state`: enum mn_tunnel_mode of the headers that
 * it has in front already, and the level in the next byte. Returns the interface to send it to in the lower
 * half (0 = it cannot go, counted) and the mode of the headers in front in the upper half. */
__noinline __u64 mn_prepare_tunnel(struct __sk_buff* skb, __u32 id, __u32 key, __u32 hash, __u32 state) {
    __u32 encapsulated = state & 0xff;
    struct mn_tunnel* tunnel = bpf_map_lookup_elem(&mn_tunnels, &id);
    struct mn_config* config = mn_get_config();
    struct mn_scratch* s = mn_get_scratch(state >> 8);
    __u64 unchanged = (__u64)encapsulated << 32;
    if (!config || !s) return unchanged;
    if (!tunnel || !tunnel->in_use || !tunnel->ifindex) {
        mn_count(MN_COUNT_NO_TUNNEL_PATH);
        return unchanged;
    }
    __u32 mode = tunnel->mode;
    if (!encapsulated) s->progress.wire_size = mn_wire_size(skb);
    if (!fits(tunnel, s->progress.wire_size)) {
        mn_count(MN_COUNT_TOO_BIG);
        if (!encapsulated) s->progress.narrow_mtu = mn_inner_mtu(skb, tunnel, 0);
        return unchanged;
    }
    if (mode == MN_TUNNEL_VXLAN_DEVICE) {
        struct bpf_tunnel_key tunnel_key = {.tunnel_id = key, .tunnel_ttl = 255};
        tunnel_key.remote_ipv4 = bpf_ntohl(tunnel->remote);
        tunnel_key.local_ipv4 = bpf_ntohl(tunnel->local);
        if (encapsulated || !config->vxlan_ifindex ||
            bpf_skb_set_tunnel_key(skb, &tunnel_key, sizeof(tunnel_key), BPF_F_ZERO_CSUM_TX)) {
            mn_count(MN_COUNT_ENCAP_ERROR);
            return unchanged;
        }
        mn_count(MN_COUNT_ENCAPSULATED);
        return config->vxlan_ifindex;
    }
    long failed;
    if (!encapsulated) {
        failed = mn_encapsulate(skb, id, key, hash, state >> 8);
    } else if (encapsulated == mode) {
        /* A further copy: only the outer headers differ. */
        write_outer(s, tunnel, key, skb->len - outer_size(tunnel), hash);
        failed = bpf_skb_store_bytes(skb, 0, s->header, mode == MN_TUNNEL_VXLAN ? MN_VXLAN_OUTER : MN_GRE_OUTER, 0);
    } else {
        failed = -1;
    }
    if (failed) {
        mn_count(MN_COUNT_ENCAP_ERROR);
        return unchanged;
    }
    mn_count(MN_COUNT_ENCAPSULATED);
    return (__u64)mode << 32 | tunnel->ifindex;
}

static __always_inline void relay(struct mn_run* run, __u32 id, __u32 key, __u32 hash) {
    struct mn_scratch* relay = mn_get_scratch(MN_LEVEL_RELAY);
    struct mn_config* config = mn_get_config();
    if (!relay || !config || !config->tap_ifindex) {
        mn_count(MN_COUNT_ENCAP_ERROR);
        return;
    }
    __u32 mark = run->skb->mark;
    relay->relay_tunnel = id;
    relay->relay_key = key;
    relay->relay_hash = hash;
    run->skb->mark = MN_RELAY_MARK;
    emit(run, config->tap_ifindex, 0);
    run->skb->mark = mark;
}

static __always_inline void output_tunnel(struct mn_run* run, __u32 id, __u32 key, __u32 flags) {
    struct mn_progress* progress = &run->s->progress;
    if (!progress->hash) {
        progress->hash = (run->level == MN_LEVEL_INGRESS ? (__u32)(hash_key(&run->s->key) >> 20) : bpf_get_hash_recalc(run->skb)) | 1;
    }
    if (flags & MN_OP_RELAY) {
        relay(run, id, key, progress->hash);
        return;
    }
    __u64 prepared = mn_prepare_tunnel(run->skb, id, key, progress->hash, progress->encapsulated | run->level << 8);
    progress->encapsulated = prepared >> 32;
    if ((__u32)prepared) {
        emit(run, (__u32)prepared, flags);
    } else if (!(flags & MN_OP_CHECKED)) {
        report_too_big(run, progress->narrow_mtu);
    }
}

/* One step of bpf_loop(): 1 = done. */
static long run_step(__u32 step, struct mn_run* run) {
    struct mn_progress* progress = &run->s->progress;
    __u32 number = progress->slot;
    struct mn_slot* slot = bpf_map_lookup_elem(&mn_slots, &number);
    if (!slot) return 1;
    __u32 index = progress->index;
    if (index >= slot->count) {
        if (!slot->next) return 1;
        progress->slot = slot->next;
        progress->index = 0;
        return 0;
    }
    if (index >= MN_OPS_PER_SLOT) return 1;
    struct mn_op* op = &slot->ops[index];
    progress->index = index + 1;
    struct __sk_buff* skb = run->skb;
    long failed = 0;
    switch (op->code) {
        case MN_OP_OUTPUT: output_port(run, op); break;
        case MN_OP_TUNNEL: output_tunnel(run, op->w[0], op->w[1], op->flags); break;
        case MN_OP_SET_ETH: failed = bpf_skb_store_bytes(skb, 0, op->bytes, 12, 0); break;
        case MN_OP_PUSH_VLAN: failed = bpf_skb_vlan_push(skb, ETH_VLAN, op->half & 0xefff); break;
        case MN_OP_POP_VLAN:
            if (skb->vlan_present || is_vlan(skb->protocol)) failed = bpf_skb_vlan_pop(skb);
            break;
        case MN_OP_SET_IP4: failed = mn_set_ip4(skb, op->w[0], op->w[1]); break;
        case MN_OP_SET_IP6:
            /* The agent keeps the three units in one slot. */
            asm volatile("" : "+r"(index)); /* keeps the check where the verifier sees it */
            if (index > MN_OPS_PER_SLOT - 3) return 1;
            progress->index = index + 3;
            {
                struct mn_ip6_pair pair;
                const __u64* words = (const __u64*)&slot->ops[index + 1];
                for (int i = 0; i < 4; ++i) pair.words[i] = words[i];
                failed = mn_set_ip6(skb, &pair);
            }
            break;
        case MN_OP_SET_L4: failed = mn_set_l4(skb, op->w[0]); break;
        case MN_OP_DEC_TTL:
            failed = mn_decrement_ttl(skb, op->half);
            if (failed > 0) {
                mn_count(MN_COUNT_TTL_EXCEEDED);
                if (!progress->told_agent) to_agent(run, MN_REASON_ACTION, 0);
                return 1;
            }
            break;
        case MN_OP_TO_AGENT: to_agent(run, MN_REASON_ACTION, 0); break;
        case MN_OP_FIT:
            if (run->level == MN_LEVEL_INGRESS) report_too_big(run, mn_check_fit(skb, op));
            break;
        default: return 1;
    }
    if (failed) mn_count(MN_COUNT_ACTION_ERROR);
    return 0;
}

static __always_inline void start_run(struct mn_run* run, __u32 slot, __u32 hash) {
    struct mn_progress fresh = {.slot = slot, .hash = hash};
    run->s->progress = fresh;
}

/* Afterwards s->progress.redirect is where the packet is to go, 0 = nowhere. */
static __always_inline void run_list(struct mn_run* run, __u32 slot) {
    start_run(run, slot, 0);
    bpf_loop(MN_MAX_OPS, run_step, run, 0);
}

#endif
