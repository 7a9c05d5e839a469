// SPDX-License-Identifier: Apache-2.0
// How many smallest UDP packets (18 bytes of payload, 64-byte frames) one CPU carries from a socket in one network
// namespace to a socket in another.
//
//   packetrate SENDER-NAMESPACE RECEIVER-NAMESPACE RECEIVER-ADDRESS SECONDS
//
// The sender is pinned to CPU 0; between veths the kernel takes each packet all the way to the receiving socket on the
// sender's CPU. That socket has a filter that refuses everything: arrivals are counted by the kernel and cost no second
// process, so the rate is one over the price of a packet. Prints {"sent": N, "received": N, "pps": R}.
#include <linux/filter.h>
#include <linux/sock_diag.h>

#include "namespaces.h"

enum { kPort = 5900, kBurst = 32, kPayload = 18 };

static int openReceiver(const char* address) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0) die("socket");
    struct sock_filter refuse[] = {{BPF_RET | BPF_K, 0, 0, 0}};
    const struct sock_fprog filter = {1, refuse};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter)) die("filter");
    const struct sockaddr_in own = addressOf(address, kPort);
    if (bind(fd, (const void*)&own, sizeof own)) die("bind");
    return fd;
}

static uint32_t refused(int fd) {
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof info;
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length)) die("SO_MEMINFO");
    return info[SK_MEMINFO_DROPS];
}

int main(int argc, char** argv) {
    if (argc != 5) {
        fprintf(stderr,
                "usage: packetrate SENDER-NAMESPACE RECEIVER-NAMESPACE RECEIVER-ADDRESS SECONDS\n");
        return 2;
    }
    const double seconds = secondsOf(argv[4]);
    pinTo(0);
    enterNamespace(argv[2]);
    const int receiver = openReceiver(argv[3]);
    enterNamespace(argv[1]);
    const int sender = socket(AF_INET, SOCK_DGRAM, 0);
    if (sender < 0) die("socket");
    const struct sockaddr_in to = addressOf(argv[3], kPort);
    if (connect(sender, (const void*)&to, sizeof to)) die("connect");

    static char payload[kPayload];
    struct iovec io = {payload, kPayload};
    struct mmsghdr messages[kBurst];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < kBurst; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &io, .msg_iovlen = 1};

    // The first tenth is for the neighbour, the first flow and the caches.
    const uint64_t warmUntil = nowNs() + (uint64_t)(seconds * 1e8);
    uint64_t sent = 0, begin = 0, now = 0, end = warmUntil;
    uint32_t before = 0;
    for (int warm = 1; warm || now < end; now = nowNs()) {
        const int done = sendmmsg(sender, messages, kBurst, 0);
        if (done > 0)
            sent += (uint64_t)done;
        else if (errno != ENOBUFS && errno != EAGAIN)
            die("sendmmsg");
        if (warm && now >= warmUntil) {
            warm = 0;
            sent = 0;
            before = refused(receiver);
            begin = nowNs();
            end = begin + (uint64_t)(seconds * 1e9);
        }
    }
    const double elapsed = (double)(nowNs() - begin) / 1e9;
    // What still waits in a queue has arrived by then.
    usleep(20000);
    const uint32_t received = refused(receiver) - before;
    printf("{\"sent\": %lu, \"received\": %u, \"pps\": %.0f}\n", (unsigned long)sent, received,
           received / elapsed);
    return received ? 0 : 1;
}
