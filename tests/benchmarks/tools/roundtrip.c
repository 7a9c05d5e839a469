// SPDX-License-Identifier: Apache-2.0
// The time a small UDP packet takes to another network namespace and back.
//
//   roundtrip CLIENT-NAMESPACE SERVER-NAMESPACE SERVER-ADDRESS SECONDS
//
// One request at a time. Client and server are pinned to CPU 0 and 1 and poll without sleeping, so that it is the way
// that is measured and not how fast the machine wakes an idle CPU. Prints {"us_p50", "us_p99", "exchanges", "lost"}.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "namespaces.h"
#include "times.h"

enum { kPort = 5901, kPayload = 18 };
static const uint64_t kPatienceNs = 200000000;

static void serve(int fd, uint64_t end) {
    char data[kPayload];
    struct sockaddr_in from;
    while (nowNs() < end) {
        socklen_t length = sizeof from;
        if (recvfrom(fd, data, sizeof data, MSG_DONTWAIT, (void*)&from, &length) == kPayload)
            sendto(fd, data, sizeof data, 0, (const void*)&from, sizeof from);
    }
}

int main(int argc, char** argv) {
    if (argc != 5) {
        fprintf(stderr,
                "usage: roundtrip CLIENT-NAMESPACE SERVER-NAMESPACE SERVER-ADDRESS SECONDS\n");
        return 2;
    }
    const double seconds = secondsOf(argv[4]);
    const struct sockaddr_in address = addressOf(argv[3], kPort);
    enterNamespace(argv[2]);
    const int server = socket(AF_INET, SOCK_DGRAM, 0);
    if (server < 0 || bind(server, (const void*)&address, sizeof address)) die("bind");
    enterNamespace(argv[1]);
    const int client = socket(AF_INET, SOCK_DGRAM, 0);
    if (client < 0 || connect(client, (const void*)&address, sizeof address)) die("connect");

    const uint64_t begin = nowNs(), warmUntil = begin + (uint64_t)(seconds * 1e8);
    const uint64_t end = warmUntil + (uint64_t)(seconds * 1e9);
    const pid_t child = fork();
    if (child < 0) die("fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pinTo(1);
        serve(server, end + kPatienceNs);
        _exit(0);
    }
    pinTo(0);
    struct times times = {0};
    uint64_t lost = 0, number = 0;
    for (uint64_t asked = nowNs(); asked < end; asked = nowNs()) {
        char data[kPayload] = {0};
        number++;
        memcpy(data, &number, sizeof number);
        if (send(client, data, sizeof data, 0) != kPayload) die("send");
        uint64_t answer = 0, waited = 0;
        while (waited < kPatienceNs) {
            const ssize_t size = recv(client, data, sizeof data, MSG_DONTWAIT);
            if (size < 0 && errno == ECONNREFUSED) die("recv");
            waited = nowNs() - asked;
            memcpy(&answer, data, sizeof answer);
            if (size == kPayload && answer == number) break;
        }
        if (asked < warmUntil) continue;
        if (waited >= kPatienceNs)
            lost++;
        else
            addTime(&times, (int64_t)waited);
    }
    waitpid(child, NULL, 0);
    if (!times.count) {
        fprintf(stderr, "roundtrip: no answer from %s\n", argv[3]);
        return 1;
    }
    sortTimes(&times);
    printf("{\"us_p50\": %.2f, \"us_p99\": %.2f, \"exchanges\": %zu, \"lost\": %lu}\n",
           percentileUs(&times, 50), percentileUs(&times, 99), times.count, (unsigned long)lost);
    return 0;
}
