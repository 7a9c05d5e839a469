// SPDX-License-Identifier: Apache-2.0
// How much longer the first small UDP packet of a flow takes to another network namespace and back than the next ones.
//
//   firstpacket CLIENT-NAMESPACE SERVER-NAMESPACE SERVER-ADDRESS SECONDS
//
// Each try is a source port that was not used before: one exchange, then kWarm more, whose median is subtracted. The
// server's port is another one in each run, so that no flow of an earlier run fits. Client and server are pinned to CPU
// 0 and 1 and sleep while they wait: an agent needs the CPUs. Prints {"us_p50", "us_p99", "warm_us_p50", "tries",
// "lost_first", "lost_later"}.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "namespaces.h"
#include "times.h"

enum { kLowestPort = 20000, kServerPorts = 40000, kFirstSource = 2000, kTries = 60000, kWarm = 5, kPayload = 18 };
static const struct timeval kPatience = {1, 0};

static int openSocket(void) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience)) die("socket");
    return fd;
}

static void serve(int fd) {
    char data[kPayload];
    struct sockaddr_in from;
    for (;;) {
        socklen_t length = sizeof from;
        if (recvfrom(fd, data, sizeof data, 0, (void*)&from, &length) == kPayload)
            sendto(fd, data, sizeof data, 0, (const void*)&from, sizeof from);
    }
}

// Nanoseconds; below zero when there was no answer.
static int64_t exchange(int fd) {
    char data[kPayload] = {0};
    const uint64_t asked = nowNs();
    if (send(fd, data, sizeof data, 0) != kPayload) die("send");
    const ssize_t size = recv(fd, data, sizeof data, 0);
    if (size < 0 && errno != EAGAIN) die("recv");
    return size == kPayload ? (int64_t)(nowNs() - asked) : -1;
}

struct result {
    struct times extra, warm;
    unsigned long lostFirst, lostLater;
};

static void tryOnce(int fd, struct result* result) {
    int64_t warm[kWarm];
    const int64_t first = exchange(fd);
    if (first < 0) {
        result->lostFirst++;
        return;
    }
    for (int i = 0; i < kWarm; i++)
        if ((warm[i] = exchange(fd)) < 0) {
            result->lostLater++;
            return;
        }
    qsort(warm, kWarm, sizeof *warm, compareTimes);
    addTime(&result->extra, first - warm[kWarm / 2]);
    addTime(&result->warm, warm[kWarm / 2]);
}

int main(int argc, char** argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: firstpacket CLIENT-NAMESPACE SERVER-NAMESPACE SERVER-ADDRESS SECONDS\n");
        return 2;
    }
    const double seconds = secondsOf(argv[4]);
    const uint16_t port = (uint16_t)(kLowestPort + getpid() % kServerPorts);
    const struct sockaddr_in address = addressOf(argv[3], port);
    enterNamespace(argv[2]);
    const int listener = openSocket();
    if (bind(listener, (const void*)&address, sizeof address)) die("bind");
    const pid_t server = fork();
    if (server < 0) die("fork");
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pinTo(1);
        serve(listener);
    }
    pinTo(0);
    enterNamespace(argv[1]);
    struct result result = {0};
    unsigned long tries = 0;
    for (const uint64_t end = nowNs() + (uint64_t)(seconds * 1e9); nowNs() < end && tries < kTries; tries++) {
        const int fd = openSocket();
        struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(kFirstSource + tries))};
        if (bind(fd, (const void*)&own, sizeof own) || connect(fd, (const void*)&address, sizeof address)) die("connect");
        tryOnce(fd, &result);
        close(fd);
    }
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    if (!result.extra.count) {
        fprintf(stderr, "firstpacket: no answer from %s\n", argv[3]);
        return 1;
    }
    sortTimes(&result.extra);
    sortTimes(&result.warm);
    printf("{\"us_p50\": %.1f, \"us_p99\": %.1f, \"warm_us_p50\": %.1f, \"tries\": %lu, \"lost_first\": %lu, \"lost_later\": %lu}\n",
           percentileUs(&result.extra, 50), percentileUs(&result.extra, 99), percentileUs(&result.warm, 50), tries, result.lostFirst,
           result.lostLater);
    return 0;
}
