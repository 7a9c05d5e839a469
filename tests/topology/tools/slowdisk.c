/* Preloaded into a program: its disk takes as many milliseconds for each flush as the file $SLOWDISK says at that moment. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void wait_for_the_disk(void) {
    char text[16] = "";
    const char* path = getenv("SLOWDISK");
    const int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    const ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    const long milliseconds = length > 0 ? atol(text) : 0;
    const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, 0);
}

static int flushed(const char* name, int file) {
    wait_for_the_disk();
    int (*const next)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    return next(file);
}

int fsync(int file) { return flushed("fsync", file); }
int fdatasync(int file) { return flushed("fdatasync", file); }
