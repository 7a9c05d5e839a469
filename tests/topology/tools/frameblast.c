// SPDX-License-Identifier: Apache-2.0
// Sends small frames from an interface of a network namespace at a steady rate, for a bounded time, from two threads.
//
//   frameblast NAMESPACE INTERFACE SOURCE-MAC TARGET-MAC MODE PACKETS-PER-SECOND SECONDS [SOURCE-ADDRESS TARGET-ADDRESS]
//
// UDP in IPv4. fixed: every frame is the same, one flow. targets: each frame goes to a MAC never used before (from TARGET-MAC
// on, in the locally administered range). sources: each frame comes from a new MAC. connections: each frame has another pair
// of ports. scan: to every address of 10.9.0.0/16 in turn. ARP. arps: requests for every address of 10.9.0.0/16 in turn.
// Without addresses they are ones that nobody answers for. Prints {"sent": N, "pps": R}.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kSenders = 2, kBurst = 64, kFrame = 60, kUdpAt = 34, kLowestPort = 1024, kPorts = 65536 - kLowestPort };
enum { kScanned = 0x0a090000 };  // 10.9.0.0/16
enum mode { kFixed, kTargets, kSources, kConnections, kScan, kArps, kModes };
static const char *const kModeNames[kModes] = {"fixed", "targets", "sources", "connections", "scan", "arps"};

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

// A pair of ports that no other number has, but for every 4 billion.
static void numberPorts(struct udphdr *udp, uint32_t number) {
    udp->source = htons((uint16_t)(kLowestPort + number % kPorts));
    udp->dest = htons((uint16_t)(kLowestPort + number / kPorts % kPorts));
}

static void makeUdp(uint8_t *frame, in_addr_t from, in_addr_t to) {
    frame[12] = 0x08;
    struct iphdr *ip = (void *)(frame + 14);
    *ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = 17, .tot_len = htons(kFrame - 14)};
    ip->saddr = from;
    ip->daddr = to;
    ip->check = headerChecksum(ip);
    struct udphdr *udp = (void *)(frame + kUdpAt);
    *udp = (struct udphdr){.source = htons(40000), .dest = htons(9), .len = htons(kFrame - kUdpAt)};
}

static void makeArpRequest(uint8_t *frame, in_addr_t from) {
    static const uint8_t kHead[] = {0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1};
    memcpy(frame + 12, kHead, sizeof kHead);
    memcpy(frame + 22, frame + 6, 6);
    memcpy(frame + 28, &from, 4);
}

// Makes the frame another one than all before.
static void numberFrame(uint8_t *frame, enum mode mode, uint32_t number) {
    const in_addr_t address = htonl(kScanned | (number & 0xffff));
    struct iphdr *ip = (void *)(frame + 14);
    switch (mode) {
        case kTargets: numberMac(frame, number); break;
        case kSources: numberMac(frame + 6, number); break;
        case kConnections: numberPorts((void *)(frame + kUdpAt), number); break;
        case kArps: memcpy(frame + 38, &address, 4); break;
        case kScan:
            ip->daddr = address;
            ip->check = 0;
            ip->check = headerChecksum(ip);
            break;
        case kFixed:
        case kModes: break;
    }
}

// One sender: its share of the rate, from its own socket and its own range of numbers.
struct sender {
    pthread_t thread;
    const char *interface, *source, *target;
    in_addr_t from, to;
    enum mode mode;
    uint32_t number;
    double rate, begin, end;
    uint64_t sent;
};

static void *send_frames(void *argument) {
    struct sender *const me = argument;
    const int fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0) die("packet socket");
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(me->interface)};
    if (!to.sll_ifindex || bind(fd, (void *)&to, sizeof to)) die(me->interface);
    const int buffer = 1 << 22, bypass = 1;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
    if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof bypass)) die("PACKET_QDISC_BYPASS");

    uint8_t frames[kBurst][kFrame];
    struct iovec io[kBurst];
    struct mmsghdr messages[kBurst];
    memset(frames, 0, sizeof frames);
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < kBurst; i++) {
        uint8_t *frame = frames[i];
        parseMac(me->target, frame);
        parseMac(me->source, frame + 6);
        if (me->mode == kArps) makeArpRequest(frame, me->from);
        else makeUdp(frame, me->from, me->to);
        io[i] = (struct iovec){frame, kFrame};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &io[i], .msg_iovlen = 1};
    }
    for (double at = now(); at < me->end; at = now()) {
        const double due = (at - me->begin) * me->rate - (double)me->sent;
        if (due < 1) {
            const struct timespec pause = {0, 50000};
            nanosleep(&pause, NULL);
            continue;
        }
        const unsigned count = due < kBurst ? (unsigned)due : kBurst;
        for (unsigned i = 0; i < count; i++) numberFrame(frames[i], me->mode, me->number++);
        const int done = sendmmsg(fd, messages, count, 0);
        if (done > 0) me->sent += (uint64_t)done;
        else if (errno != ENOBUFS && errno != EAGAIN) die("sendmmsg");
    }
    close(fd);
    return NULL;
}

static enum mode parseMode(const char *text) {
    enum mode mode = kFixed;
    while (mode < kModes && strcmp(text, kModeNames[mode])) mode++;
    return mode;
}

int main(int argc, char **argv) {
    if (argc != 8 && argc != 10) {
        fprintf(stderr, "usage: frameblast NAMESPACE INTERFACE SOURCE-MAC TARGET-MAC fixed|targets|sources|connections|scan|arps PPS "
                        "SECONDS [SOURCE-ADDRESS TARGET-ADDRESS]\n");
        return 2;
    }
    const enum mode mode = parseMode(argv[5]);
    const double rate = atof(argv[6]), seconds = atof(argv[7]);
    const in_addr_t from = inet_addr(argc == 10 ? argv[8] : "10.99.99.10"), to = inet_addr(argc == 10 ? argv[9] : "10.99.99.11");
    if (mode == kModes || from == INADDR_NONE || to == INADDR_NONE || rate < 1 || seconds <= 0 || seconds > 60) {
        fprintf(stderr, "frameblast: mode, rate (>= 1), time (at most 60 s) or an address is wrong\n");
        return 2;
    }
    char path[300];
    snprintf(path, sizeof path, "/run/netns/%s", argv[1]);
    const int space = open(path, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET)) die(path);

    // Numbers start at a place of their own in each run and each sender; the senders share the addresses of a scan by halves.
    const uint32_t number = (uint32_t)getpid() << 16 ^ (uint32_t)time(NULL);
    struct sender senders[kSenders];
    const double begin = now();
    for (int i = 0; i < kSenders; i++) {
        senders[i] = (struct sender){.interface = argv[2], .source = argv[3], .target = argv[4], .from = from,
                                     .to = to, .mode = mode, .number = number + (uint32_t)i * 0x40008000U,
                                     .rate = rate / kSenders, .begin = begin, .end = begin + seconds};
        if ((errno = pthread_create(&senders[i].thread, NULL, send_frames, &senders[i]))) die("pthread_create");
    }
    uint64_t sent = 0;
    for (int i = 0; i < kSenders; i++) {
        pthread_join(senders[i].thread, NULL);
        sent += senders[i].sent;
    }
    printf("{\"sent\": %lu, \"pps\": %.0f}\n", (unsigned long)sent, (double)sent / (now() - begin));
    return 0;
}
