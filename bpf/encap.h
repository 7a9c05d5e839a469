/* GRE and VXLAN by hand, and the kernel's vxlan device. */
#ifndef MIDONET_ENCAP_H
#define MIDONET_ENCAP_H

#include "parse.h"

#define INNER_ETH 14
#define VLAN_TAG 4
#define DECAP_L3_IPV6 (1ULL << 8) /* BPF_F_ADJ_ROOM_DECAP_L3_IPV6, not in the headers of Linux 6.1 */

/* An in-band outer tag becomes an out-of-band one, as it is on every packet that a NIC receives. */
static __noinline int tag_out_of_band(struct __sk_buff* skb) {
    struct mn_vlan tag;
    __u16 proto = skb->protocol;
    if (bpf_skb_load_bytes(skb, 14, &tag, sizeof(tag)) || bpf_skb_vlan_pop(skb)) return -1;
    return bpf_skb_vlan_push(skb, proto, bpf_ntohs(tag.tci)) ? -1 : 0;
}

/* The outer headers of a frame of `inner` bytes (tags included) into scratch->header. */
static __always_inline void write_outer(struct mn_scratch* s, const struct mn_tunnel* tunnel, __u32 key, __u32 inner, __u32 hash) {
    __u32 vxlan = tunnel->mode == MN_TUNNEL_VXLAN;
    __builtin_memcpy(s->header, tunnel->header, 56);
    struct mn_ipv4* ip = (struct mn_ipv4*)(s->header + 14);
    __u32 total = inner + (vxlan ? MN_VXLAN_OUTER : MN_GRE_OUTER) - 14;
    ip->total_length = bpf_htons(total);
    ip->id = bpf_htons(s->ip_id++);
    __u32 sum = tunnel->ip_sum + ip->total_length + ip->id;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    ip->checksum = ~sum;
    __u8* after = s->header + 34;
    if (vxlan) {
        *(__u16*)after = bpf_htons(0xc000 | (hash & 0x3fff));
        *(__u16*)(after + 4) = bpf_htons(total - 20);
        *(__u32*)(after + 12) = bpf_htonl(key << 8);
    } else {
        *(__u32*)(after + 4) = bpf_htonl(key);
    }
}

/* Encapsulates the plain packet by hand. A function of its own to the verifier, as its paths would
 * multiply with those of every caller. 0 or -1. */
__noinline int mn_encapsulate(struct __sk_buff* skb, __u32 id, __u32 key, __u32 hash, __u32 level) {
    struct mn_tunnel* tunnel = bpf_map_lookup_elem(&mn_tunnels, &id);
    struct mn_scratch* s = mn_get_scratch(level);
    if (!tunnel || !s) return -1;
    if (is_vlan(skb->protocol) && !skb->vlan_present && tag_out_of_band(skb)) return -1;
    __u32 vxlan = tunnel->mode == MN_TUNNEL_VXLAN;
    __u32 outer = vxlan ? MN_VXLAN_OUTER : MN_GRE_OUTER;
    /* All tags come off, as the kernel can encapsulate IP only, and go back in between. Popping one takes
     * the next out of the frame. */
    struct mn_inner_eth* inner = &s->inner;
    __u32 tags = 0;
    if (skb->vlan_present) {
        inner->words[0] = skb->vlan_proto;
        inner->words[1] = bpf_htons(skb->vlan_tci & 0xefff);
        tags = 1;
        if (bpf_skb_vlan_pop(skb)) return -1;
        if (skb->vlan_present) {
            inner->words[2] = skb->vlan_proto;
            inner->words[3] = bpf_htons(skb->vlan_tci & 0xefff);
            tags = 2;
            if (bpf_skb_vlan_pop(skb) || skb->vlan_present) return -1;
        }
    }
    /* By way of memory, so that the verifier follows one number of tags instead of three. */
    s->tags = tags;
    asm volatile("" ::: "memory");
    tags = s->tags;
    if (tags > 2) return -1;
    write_outer(s, tunnel, key, skb->len + tags * VLAN_TAG, hash);
    if (bpf_skb_load_bytes(skb, 0, inner->addresses, 12)) return -1;
    __u16 type = 0;
    if (bpf_skb_load_bytes(skb, 12, &type, 2)) return -1;
    inner->words[tags * 2] = type;
    __u32 inner_size = INNER_ETH + tags * VLAN_TAG;
    __u32 added = outer + tags * VLAN_TAG;

    __u16 protocol = skb->protocol;
    if (protocol == ETH_IPV4 || protocol == ETH_IPV6) {
        /* Knows GSO: the kernel cuts the inner packet and copies the outer headers. */
        __u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L2_ETH | BPF_F_ADJ_ROOM_ENCAP_L2(inner_size);
        flags |= vxlan ? BPF_F_ADJ_ROOM_ENCAP_L4_UDP : BPF_F_ADJ_ROOM_ENCAP_L4_GRE;
        if (bpf_skb_adjust_room(skb, added, BPF_ADJ_ROOM_MAC, flags)) return -1;
    } else {
        if (skb->gso_size || bpf_skb_change_head(skb, added, 0)) return -1;
    }
    if (bpf_skb_store_bytes(skb, 0, s->header, vxlan ? MN_VXLAN_OUTER : MN_GRE_OUTER, 0)) return -1;
    return bpf_skb_store_bytes(skb, outer, inner, inner_size, 0) ? -1 : 0;
}

/* Takes off `outer` bytes of headers in front of an inner frame; an inner tag goes out of band. 0 or -1. */
static __always_inline int decapsulate(struct __sk_buff* skb, __u32 outer) {
    __u8 inner[18];
    if (skb->len < outer + INNER_ETH || bpf_skb_load_bytes(skb, outer, inner, INNER_ETH)) return -1;
    __u16 type = *(__u16*)(inner + 12);
    __u32 tag = 0;
    if (is_vlan(type)) {
        if (skb->len < outer + 18 || bpf_skb_load_bytes(skb, outer + 14, inner + 14, 4)) return -1;
        tag = VLAN_TAG;
    }
    __u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;
    __u32 least = 20;
    __u16 inner_type = tag ? *(__u16*)(inner + 16) : type;
    if (inner_type == ETH_IPV6) least = 40;
    /* The kernel wants room for an IP header to remain. */
    if (skb->len < outer + INNER_ETH + tag + least && bpf_skb_change_tail(skb, outer + INNER_ETH + tag + least, 0)) return -1;
    __s32 change = -(__s32)(outer + tag);
    /* Makes skb->protocol follow: else the kernel takes an inner IPv6 GSO packet for IPv4 and drops it.
     * A kernel before 6.3 does not know the flag and loses these packets, not the others. */
    if (inner_type != ETH_IPV6 || bpf_skb_adjust_room(skb, change, BPF_ADJ_ROOM_MAC, flags | DECAP_L3_IPV6)) {
        if (bpf_skb_adjust_room(skb, change, BPF_ADJ_ROOM_MAC, flags)) return -1;
    }
    if (bpf_skb_store_bytes(skb, 0, inner, 12, 0) || bpf_skb_store_bytes(skb, 12, &inner_type, 2, 0)) return -1;
    if (tag && bpf_skb_vlan_push(skb, type, bpf_ntohs(*(__u16*)(inner + 14)))) return -1;
    return 0;
}

#endif
