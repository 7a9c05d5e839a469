// SPDX-License-Identifier: Apache-2.0
// Sends small UDP-in-IPv4 frames from an interface of a network namespace at a steady rate, for a bounded time.
//
//   frameblast NAMESPACE INTERFACE SOURCE-MAC TARGET-MAC fixed|targets|sources PACKETS-PER-SECOND SECONDS
//
// fixed: every frame is the same, one flow. targets: each frame goes to a MAC never used before (from TARGET-MAC on,
// in the locally administered range). sources: each frame comes from a new MAC. Prints {"sent": N, "pps": R}.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kBurst = 32, kFrame = 60 };

static void die(const char *what) {
    perror(what);
    exit(2);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void parseMac(const char *text, uint8_t *mac) {
    unsigned b[6];
    if (sscanf(text, "%x:%x:%x:%x:%x:%x", b, b + 1, b + 2, b + 3, b + 4, b + 5) != 6) {
        fprintf(stderr, "frameblast: '%s' is not a MAC address\n", text);
        exit(2);
    }
    for (int i = 0; i < 6; i++) mac[i] = (uint8_t)b[i];
}

static uint16_t headerChecksum(const void *header) {
    const uint8_t *bytes = header;
    uint32_t sum = 0;
    for (int i = 0; i < 20; i += 2) sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

// Writes the number into the low four bytes of a MAC address, below a fixed locally administered prefix.
static void numberMac(uint8_t *mac, uint32_t number) {
    mac[0] = 0x06;
    mac[1] = 0x42;
    for (int i = 0; i < 4; i++) mac[2 + i] = (uint8_t)(number >> (24 - 8 * i));
}

int main(int argc, char **argv) {
    if (argc != 8) {
        fprintf(stderr, "usage: frameblast NAMESPACE INTERFACE SOURCE-MAC TARGET-MAC fixed|targets|sources PPS SECONDS\n");
        return 2;
    }
    const int targets = !strcmp(argv[5], "targets"), sources = !strcmp(argv[5], "sources");
    const double rate = atof(argv[6]), seconds = atof(argv[7]);
    if ((!targets && !sources && strcmp(argv[5], "fixed")) || rate < 1 || seconds <= 0 || seconds > 60) {
        fprintf(stderr, "frameblast: mode, rate (>= 1) or time (at most 60 s) is wrong\n");
        return 2;
    }
    char path[300];
    snprintf(path, sizeof path, "/run/netns/%s", argv[1]);
    const int space = open(path, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET)) die(path);

    const int fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0) die("packet socket");
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[2])};
    if (!to.sll_ifindex || bind(fd, (void *)&to, sizeof to)) die(argv[2]);
    const int buffer = 1 << 22;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);

    static uint8_t frames[kBurst][kFrame];
    struct iovec io[kBurst];
    struct mmsghdr messages[kBurst];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < kBurst; i++) {
        uint8_t *frame = frames[i];
        parseMac(argv[4], frame);
        parseMac(argv[3], frame + 6);
        frame[12] = 0x08;
        struct iphdr *ip = (void *)(frame + 14);
        *ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = 17, .tot_len = htons(kFrame - 14)};
        ip->saddr = htonl(0x0a63630a);  // 10.99.99.10 and .11: nobody answers
        ip->daddr = htonl(0x0a63630b);
        ip->check = headerChecksum(ip);
        struct udphdr *udp = (void *)(frame + 34);
        *udp = (struct udphdr){.source = htons(40000), .dest = htons(9), .len = htons(kFrame - 34)};
        io[i] = (struct iovec){frame, kFrame};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &io[i], .msg_iovlen = 1};
    }

    // New MACs start at a place of their own in each run.
    uint32_t number = (uint32_t)getpid() << 16 ^ (uint32_t)time(NULL);
    uint64_t sent = 0;
    const double begin = now();
    for (double at = begin; at < begin + seconds; at = now()) {
        const double due = (at - begin) * rate - (double)sent;
        if (due < 1) {
            const struct timespec pause = {0, 50000};
            nanosleep(&pause, NULL);
            continue;
        }
        const unsigned count = due < kBurst ? (unsigned)due : kBurst;
        for (unsigned i = 0; i < count && (targets || sources); i++) numberMac(frames[i] + (sources ? 6 : 0), number++);
        const int done = sendmmsg(fd, messages, count, 0);
        if (done > 0) sent += (uint64_t)done;
        else if (errno != ENOBUFS && errno != EAGAIN) die("sendmmsg");
    }
    printf("{\"sent\": %lu, \"pps\": %.0f}\n", (unsigned long)sent, (double)sent / (now() - begin));
    return 0;
}
