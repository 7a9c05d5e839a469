/* The few fields of struct sk_buff that __sk_buff does not show. Offsets come from the BTF of the
 * running kernel when the programs are loaded, so no vmlinux.h is needed. */
#ifndef MIDONET_SK_BUFF_H
#define MIDONET_SK_BUFF_H

#include <linux/types.h>

#include <bpf/bpf_core_read.h>

struct sk_buff {
    unsigned char* head;
    unsigned char* data;
    __u8 ip_summed : 2;
    __u16 csum_start;
    __u16 csum_offset;
} __attribute__((preserve_access_index));

/* Linux 6.2. Where it is missing the agent tells partial checksums from the bytes. */
extern void* bpf_cast_to_kern_ctx(void* obj) __attribute__((weak)) __attribute__((section(".ksyms")));

#endif
