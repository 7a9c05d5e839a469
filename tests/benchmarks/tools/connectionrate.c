// SPDX-License-Identifier: Apache-2.0
// How many new TCP connections a second there are from one network namespace to another: connect, one byte there, one
// byte back, close.
//
//   connectionrate [-c CONNECTIONS] [-p PORTS] [-f] CLIENT-NAMESPACE SERVER-NAMESPACE SERVER-ADDRESS SECONDS
//
// -c: so many at once (32). -p: to so many ports of the server in turns (64), so that a connection is not like one of a
// moment ago. The client ends each with RST, which leaves nothing behind in the kernel; with -f with FIN, and the
// client's side waits a minute as it does in life. Client and server are pinned to CPU 0 and 1.
//
// Connections that fail are counted from the first to the last; those still open at the end get kPatienceNs. "resent":
// some packet of it was lost. Prints {"cps", "us_p50", "us_p99", "done", "refused", "timed_out", "broken", "resent"}.
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "namespaces.h"
#include "times.h"

enum { kFirstPort = 5910, kMostPorts = 256, kMostConnections = 4096, kEvents = 256, kTickMs = 20 };
static const uint64_t kPatienceNs = 3000000000u;
// The kernel sends nothing again sooner than after 200 ms.
static const uint64_t kSoonestResendNs = 150000000u;

static void watch(int epoll, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

// --- server: listeners are watched level-triggered under ~fd, connections under fd ---

static int openListeners(const char* address, int ports) {
    const int epoll = epoll_create1(EPOLL_CLOEXEC), on = 1;
    for (int i = 0; i < ports; i++) {
        const struct sockaddr_in own = addressOf(address, (uint16_t)(kFirstPort + i));
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)) die("socket");
        if (bind(fd, (const void*)&own, sizeof own) || listen(fd, kMostConnections)) die("listen");
        watch(epoll, fd, EPOLLIN, ~(uint64_t)fd);
    }
    return epoll;
}

static void acceptAll(int epoll, int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;)
        watch(epoll, fd, EPOLLIN, (uint64_t)fd);
}

static void answer(int fd) {
    char byte;
    const ssize_t size = recv(fd, &byte, 1, 0);
    if (size == 1 ? send(fd, &byte, 1, MSG_NOSIGNAL) != 1 : size == 0 || errno != EAGAIN) close(fd);
}

static void serve(int epoll) {
    struct epoll_event events[kEvents];
    for (;;) {
        const int count = epoll_wait(epoll, events, kEvents, -1);
        for (int i = 0; i < count; i++) {
            const int64_t data = (int64_t)events[i].data.u64;
            if (data < 0)
                acceptAll(epoll, (int)~data);
            else
                answer((int)data);
        }
    }
}

// --- client ---

struct attempt {
    int fd;  // -1: none
    int asked;
    uint64_t begin;
};

struct client {
    int epoll, parallel, ports, orderly;
    const char* address;
    uint64_t measureFrom, end;
    struct attempt attempts[kMostConnections];
    int open;
    uint64_t started, measured, done, refused, timedOut, broken, resent;
    struct times times;
};

static void begin(struct client* me, struct attempt* attempt) {
    attempt->begin = nowNs();
    attempt->asked = 0;
    attempt->fd = -1;
    if (attempt->begin >= me->end) return;
    const int on = 1, off = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)) die("socket");
    // The last packet of the handshake carries the byte. Where the byte comes right behind it, on another CPU, a server's kernel may
    // look for the connection between taking it from one list and putting it on the other, and refuse it (seen with Linux 6.18).
    if (setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off)) die("TCP_QUICKACK");
    const uint16_t port = (uint16_t)(kFirstPort + me->started++ % (unsigned)me->ports);
    const struct sockaddr_in server = addressOf(me->address, port);
    // Without a route or a free port there is nothing to be measured.
    if (connect(fd, (const void*)&server, sizeof server) && errno != EINPROGRESS) die("connect");
    attempt->fd = fd;
    me->open++;
    watch(me->epoll, fd, EPOLLIN | EPOLLOUT | EPOLLET, (uint64_t)(attempt - me->attempts));
}

static int sentAgain(int fd) {
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) && info.tcpi_total_retrans > 0;
}

static void finish(struct client* me, struct attempt* attempt) {
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (!me->orderly) setsockopt(attempt->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (nowNs() - attempt->begin > kSoonestResendNs) me->resent += (unsigned)sentAgain(attempt->fd);
    close(attempt->fd);
    me->open--;
    begin(me, attempt);
}

static void fail(struct client* me, struct attempt* attempt, uint64_t* counter) {
    ++*counter;
    finish(me, attempt);
}

static void succeed(struct client* me, struct attempt* attempt) {
    const uint64_t now = nowNs();
    me->done++;
    if (now >= me->measureFrom && now < me->end) {
        me->measured++;
        addTime(&me->times, (int64_t)(now - attempt->begin));
    }
    finish(me, attempt);
}

static void onEvent(struct client* me, struct attempt* attempt) {
    char byte = 'x';
    int error = 0;
    socklen_t length = sizeof error;
    if (attempt->fd < 0) return;
    if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &length)) die("SO_ERROR");
    if (error) {
        fail(me, attempt, error == ECONNREFUSED ? &me->refused : error == ETIMEDOUT ? &me->timedOut : &me->broken);
    } else if (!attempt->asked) {
        attempt->asked = 1;
        if (send(attempt->fd, &byte, 1, MSG_NOSIGNAL) != 1) fail(me, attempt, &me->broken);
    } else {
        const ssize_t size = recv(attempt->fd, &byte, 1, 0);
        if (size == 1)
            succeed(me, attempt);
        else if (size == 0 || errno != EAGAIN)
            fail(me, attempt, &me->broken);
    }
}

static void giveUpOld(struct client* me) {
    const uint64_t now = nowNs();
    for (int i = 0; i < me->parallel; i++)
        if (me->attempts[i].fd >= 0 && now - me->attempts[i].begin > kPatienceNs)
            fail(me, &me->attempts[i], &me->timedOut);
}

static void run(struct client* me) {
    struct epoll_event events[kEvents];
    uint64_t looked = 0;
    for (int i = 0; i < me->parallel; i++) begin(me, &me->attempts[i]);
    while (me->open > 0) {
        const int count = epoll_wait(me->epoll, events, kEvents, kTickMs);
        for (int i = 0; i < count; i++) onEvent(me, &me->attempts[events[i].data.u64]);
        if (nowNs() - looked > kTickMs * 1000000u) {
            giveUpOld(me);
            looked = nowNs();
        }
    }
}

static int usage(void) {
    fprintf(stderr,
            "usage: connectionrate [-c CONNECTIONS] [-p PORTS] [-f] CLIENT-NAMESPACE SERVER-NAMESPACE "
            "SERVER-ADDRESS SECONDS\n(at most %d connections, %d ports)\n",
            kMostConnections, kMostPorts);
    return 2;
}

int main(int argc, char** argv) {
    static struct client me = {.parallel = 32, .ports = 64};
    for (int option; (option = getopt(argc, argv, "c:p:f")) != -1;) {
        if (option == 'c') me.parallel = atoi(optarg);
        else if (option == 'p') me.ports = atoi(optarg);
        else if (option == 'f') me.orderly = 1;
        else return usage();
    }
    if (argc - optind != 4 || me.parallel < 1 || me.parallel > kMostConnections || me.ports < 1 || me.ports > kMostPorts)
        return usage();
    argv += optind;
    const double seconds = secondsOf(argv[3]);
    me.address = argv[2];
    enterNamespace(argv[1]);
    const int listeners = openListeners(me.address, me.ports);
    const pid_t server = fork();
    if (server < 0) die("fork");
    if (server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pinTo(1);
        serve(listeners);
    }
    close(listeners);
    pinTo(0);
    enterNamespace(argv[0]);
    me.epoll = epoll_create1(EPOLL_CLOEXEC);
    // The first tenth is for neighbours, programs and caches.
    me.measureFrom = nowNs() + (uint64_t)(seconds * 1e8);
    me.end = me.measureFrom + (uint64_t)(seconds * 1e9);
    run(&me);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    if (!me.measured) {
        fprintf(stderr, "connectionrate: no connection to %s: %lu refused, %lu timed out, %lu broken\n", me.address,
                (unsigned long)me.refused, (unsigned long)me.timedOut, (unsigned long)me.broken);
        return 1;
    }
    sortTimes(&me.times);
    printf("{\"cps\": %.0f, \"us_p50\": %.1f, \"us_p99\": %.1f, \"done\": %lu, \"refused\": %lu, \"timed_out\": %lu, "
           "\"broken\": %lu, \"resent\": %lu}\n",
           (double)me.measured / seconds, percentileUs(&me.times, 50), percentileUs(&me.times, 99), (unsigned long)me.done,
           (unsigned long)me.refused, (unsigned long)me.timedOut, (unsigned long)me.broken, (unsigned long)me.resent);
    return 0;
}
