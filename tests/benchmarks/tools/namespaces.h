// SPDX-License-Identifier: Apache-2.0
// What the measuring programs share: sockets inside network namespaces, pinning to a CPU, a clock.
#ifndef MIDONET_BENCH_NAMESPACES_H
#define MIDONET_BENCH_NAMESPACES_H
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline void die(const char* what) {
    perror(what);
    exit(2);
}

static inline uint64_t nowNs(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void enterNamespace(const char* name) {
    char path[300];
    snprintf(path, sizeof path, "/run/netns/%s", name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET)) die(path);
    close(fd);
}

// The CPU modulo how many there are: on a machine with one, both ends share it.
static inline void pinTo(long cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)(cpu % sysconf(_SC_NPROCESSORS_ONLN)), &set);
    if (sched_setaffinity(0, sizeof set, &set)) die("sched_setaffinity");
}

static inline struct sockaddr_in addressOf(const char* text, uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, text, &address.sin_addr) != 1) {
        fprintf(stderr, "'%s' is not an IPv4 address\n", text);
        exit(2);
    }
    return address;
}

static inline double secondsOf(const char* text) {
    const double seconds = atof(text);
    if (seconds <= 0 || seconds > 60) {
        fprintf(stderr, "seconds must be above 0 and at most 60\n");
        exit(2);
    }
    return seconds;
}
#endif
