// SPDX-License-Identifier: Apache-2.0
// Measured times, kept to be sorted.
#ifndef MIDONET_BENCH_TIMES_H
#define MIDONET_BENCH_TIMES_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { kMostTimes = 4 << 20 };

struct times {
    int64_t* ns;
    size_t count;
};

// What is beyond kMostTimes is left out.
static inline void addTime(struct times* times, int64_t ns) {
    if (!times->ns) times->ns = malloc(kMostTimes * sizeof *times->ns);
    if (!times->ns) {
        perror("malloc");
        exit(2);
    }
    if (times->count < kMostTimes) times->ns[times->count++] = ns;
}

static inline int compareTimes(const void* a, const void* b) {
    const int64_t x = *(const int64_t*)a, y = *(const int64_t*)b;
    return x < y ? -1 : x > y;
}

static inline void sortTimes(struct times* times) {
    qsort(times->ns, times->count, sizeof *times->ns, compareTimes);
}

// Of sorted times; there is at least one.
static inline double percentileUs(const struct times* times, unsigned percent) {
    return (double)times->ns[times->count * percent / 100] / 1e3;
}
#endif
