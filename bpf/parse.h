/* From a packet to its flow key. packet::parse() of the agent must read every frame the same way
 * (tests/bpf compares them). */
#ifndef MIDONET_PARSE_H
#define MIDONET_PARSE_H

#include "maps.h"

#define ETH_IPV4 bpf_htons(0x0800)
#define ETH_ARP bpf_htons(0x0806)
#define ETH_IPV6 bpf_htons(0x86dd)
#define ETH_VLAN bpf_htons(0x8100)
#define ETH_QINQ bpf_htons(0x88a8)

#define PROTO_HOP_BY_HOP 0
#define PROTO_ICMP 1
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_ROUTING 43
#define PROTO_FRAGMENT 44
#define PROTO_GRE 47
#define PROTO_ICMPV6 58
#define PROTO_DESTINATION 60
#define PROTO_SCTP 132

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04

#define FRAG_NONE 0
#define FRAG_FIRST 1
#define FRAG_LATER 2

#define MN_HEADERS 86 /* as much as is pulled when a header is not in the linear part */
#define MN_EXTENSION_HEADERS 8

struct mn_eth {
    __u8 dst[6];
    __u8 src[6];
    __u16 type;
} __attribute__((packed));

struct mn_vlan {
    __u16 tci;
    __u16 type;
} __attribute__((packed));

struct mn_ipv4 {
    __u8 version_ihl;
    __u8 tos;
    __u16 total_length;
    __u16 id;
    __u16 fragment;
    __u8 ttl;
    __u8 proto;
    __u16 checksum;
    __u32 src;
    __u32 dst;
} __attribute__((packed));

struct mn_ipv6 {
    __u32 first;
    __u16 payload_length;
    __u8 next;
    __u8 hop_limit;
    __u8 src[16];
    __u8 dst[16];
} __attribute__((packed));

struct mn_arp {
    __u16 hardware;
    __u16 protocol;
    __u8 hardware_size;
    __u8 protocol_size;
    __u16 operation;
    __u8 sender_mac[6];
    __u32 sender_ip;
    __u8 target_mac[6];
    __u32 target_ip;
} __attribute__((packed));

static __always_inline int is_vlan(__u16 type) { return type == ETH_VLAN || type == ETH_QINQ; }

/* `off` is where the transport header starts, `end` where the datagram ends (both from the start of
 * the frame). Returns the flags of TCP, else 0. */
static __always_inline int parse_transport(struct __sk_buff* skb, struct mn_key* key, __u32 off, __u32 end, int v6) {
    __u32 need;
    switch (key->proto) {
        case PROTO_TCP: need = 20; break;
        case PROTO_UDP: need = 8; break;
        case PROTO_SCTP: need = 12; break;
        case PROTO_ICMP:
            if (v6) return 0;
            need = 8;
            break;
        case PROTO_ICMPV6:
            if (!v6) return 0;
            need = 8;
            break;
        default: return 0;
    }
    if (off + need > end || off > 512) return 0;

    __u8 copy[14];
    void* data = (void*)(long)skb->data;
    void* data_end = (void*)(long)skb->data_end;
    __u8* l4 = data + off;
    if ((void*)(l4 + 8) > data_end) {
        if (bpf_skb_load_bytes(skb, off, copy, 8)) return 0;
        l4 = copy;
    }
    __u16 first = *(__u16*)l4, second = *(__u16*)(l4 + 2), third = *(__u16*)(l4 + 4);

    int tcp_flags = 0;
    if (key->proto == PROTO_TCP) {
        __u8 offset_and_flags[2];
        __u8* at = data + off + 12;
        if ((void*)(at + 2) <= data_end) {
            offset_and_flags[0] = at[0];
            offset_and_flags[1] = at[1];
        } else if (bpf_skb_load_bytes(skb, off + 12, offset_and_flags, 2)) {
            return 0;
        }
        __u32 size = (offset_and_flags[0] >> 4) * 4;
        if (size < 20 || off + size > end) return 0;
        tcp_flags = offset_and_flags[1];
    }
    if (key->proto == PROTO_ICMP || key->proto == PROTO_ICMPV6) {
        __u8 type = first & 0xff; /* first byte on the wire; both targets are little endian */
        key->sport = bpf_htons(type);
        key->dport = bpf_htons(first >> 8);
        int echo = v6 ? (type == 128 || type == 129) : (type == 8 || type == 0);
        if (echo) key->icmp_id = third;
        return 0;
    }
    key->sport = first;
    key->dport = second;
    return tcp_flags;
}

/* Walks the extension headers with helper calls: they are rare. Not inlined: one copy is enough. Returns as
 * parse_transport(). */
__noinline int mn_parse_ipv6_rest(struct __sk_buff* skb, struct mn_key* key, __u32 off, __u32 end) {
    if (!key) return 0;
    for (int i = 0; i < MN_EXTENSION_HEADERS; ++i) {
        __u8 proto = key->proto;
        if (proto != PROTO_HOP_BY_HOP && proto != PROTO_ROUTING && proto != PROTO_FRAGMENT && proto != PROTO_DESTINATION) {
            return parse_transport(skb, key, off, end, 1);
        }
        __u8 x[8];
        if (off + 8 > end || bpf_skb_load_bytes(skb, off, x, 8)) return 0;
        if (proto == PROTO_FRAGMENT) {
            __u16 fragment = bpf_ntohs(*(__u16*)(x + 2));
            key->proto = x[0];
            off += 8;
            if (fragment & 0xfff8) {
                key->frag = FRAG_LATER;
                return 0;
            }
            if (fragment & 1) key->frag = FRAG_FIRST;
        } else {
            __u32 size = 8 + x[1] * 8;
            if (off + size > end) return 0;
            key->proto = x[0];
            off += size;
        }
    }
    return 0;
}


/* Fills the packet part of `key`, whose narrow part is zero but for the ingress; the wide part counts for
 * IPv6 only. Returns the flags of TCP, 0 of all else, or -1 for no Ethernet header. */
static __always_inline int parse(struct __sk_buff* skb, struct mn_wide_key* wide) {
    struct mn_key* key = &wide->base;
    void* data = (void*)(long)skb->data;
    void* data_end = (void*)(long)skb->data_end;
    if (data + 54 > data_end) {
        __u32 want = skb->len < MN_HEADERS ? skb->len : MN_HEADERS;
        if (data + want > data_end) {
            if (bpf_skb_pull_data(skb, want)) return -1;
            data = (void*)(long)skb->data;
            data_end = (void*)(long)skb->data_end;
        }
    }
    struct mn_eth* eth = data;
    if ((void*)(eth + 1) > data_end) return -1;
    __builtin_memcpy(key->eth_dst, eth->dst, 12);
    __u16 type = eth->type;
    __u32 off = sizeof(*eth);
    __u32 tags = 0;
    if (skb->vlan_present) {
        key->vlan_tci = (skb->vlan_tci & 0xefff) | MN_VLAN_PRESENT;
        tags = 1;
    }
    if (is_vlan(type)) {
        __u32 want = skb->len < MN_HEADERS ? skb->len : MN_HEADERS;
        if (data + want > data_end) {
            if (bpf_skb_pull_data(skb, want)) return -1;
            data = (void*)(long)skb->data;
            data_end = (void*)(long)skb->data_end;
        }
#pragma unroll
        for (__u32 i = 0; i < 2; ++i) {
            struct mn_vlan* tag = data + 14 + 4 * i;
            if (tags >= 2 || !is_vlan(type) || off != 14 + 4 * i || (void*)(tag + 1) > data_end) break;
            if (tags == 0) key->vlan_tci = (bpf_ntohs(tag->tci) & 0xefff) | MN_VLAN_PRESENT;
            type = tag->type;
            off += sizeof(*tag);
            ++tags;
        }
    }
    key->eth_type = bpf_ntohs(type) < 0x600 ? 0 : type;

    __u32 len = skb->len;
    if (type == ETH_IPV4) {
        struct mn_ipv4* ip = data + off;
        if ((void*)(ip + 1) > data_end) return 0;
        __u32 size = (ip->version_ihl & 0xf) * 4;
        __u32 total = bpf_ntohs(ip->total_length);
        if (ip->version_ihl >> 4 != 4 || size < 20 || total < size || off + size > len) return 0;
        __u32 end = off + total < len ? off + total : len;
        key->ip_src = ip->src;
        key->ip_dst = ip->dst;
        key->proto = ip->proto;
        key->tos = ip->tos;
        key->ttl = ip->ttl;
        __u16 fragment = ip->fragment;
        if (fragment & bpf_htons(0x1fff)) {
            key->frag = FRAG_LATER;
            return 0;
        }
        if (fragment & bpf_htons(0x2000)) key->frag = FRAG_FIRST;
        return parse_transport(skb, key, off + size, end, 0);
    } else if (type == ETH_ARP) {
        struct mn_arp* arp = data + off;
        if ((void*)(arp + 1) > data_end) return 0;
        if (arp->hardware != bpf_htons(1) || arp->protocol != ETH_IPV4 || arp->hardware_size != 6 || arp->protocol_size != 4) return 0;
        __u16 operation = bpf_ntohs(arp->operation);
        if (operation < 256) key->proto = operation;
        key->ip_src = arp->sender_ip;
        key->ip_dst = arp->target_ip;
    } else if (type == ETH_IPV6) {
        struct mn_ipv6* ip = data + off;
        __u64* addresses = (__u64*)wide->ip6_src;
        for (int i = 0; i < 4; ++i) addresses[i] = 0;
        if ((void*)(ip + 1) > data_end) return 0;
        __u32 first = bpf_ntohl(ip->first);
        if (first >> 28 != 6) return 0;
        __builtin_memcpy(wide->ip6_src, ip->src, 32);
        key->proto = ip->next;
        key->tos = (first >> 20) & 0xff;
        key->ttl = ip->hop_limit;
        __u32 payload = bpf_ntohs(ip->payload_length);
        __u32 end = len;
        /* Zero before a hop-by-hop header: a jumbogram, or a big GSO packet. */
        if (!(payload == 0 && ip->next == PROTO_HOP_BY_HOP) && off + 40 + payload < len) end = off + 40 + payload;
        return mn_parse_ipv6_rest(skb, key, off + 40, end);
    }
    return 0;
}

static __always_inline __u64 mix(__u64 h) {
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 29;
    return h;
}

/* Of the whole key: names a flow in the table of pending upcalls and spreads tunnels over paths. */
static __always_inline __u64 hash_key(const struct mn_wide_key* wide) {
    int v6 = wide->base.eth_type == ETH_IPV6;
    const __u64* words = (const __u64*)wide;
    __u64 h = 0x9e3779b97f4a7c15ULL;
    for (int i = 0; i < MN_KEY_WORDS; ++i) h = mix(h ^ words[i]);
    if (v6) {
        for (int i = MN_KEY_WORDS; i < MN_WIDE_KEY_WORDS; ++i) h = mix(h ^ words[i]);
    }
    return h;
}

#endif
