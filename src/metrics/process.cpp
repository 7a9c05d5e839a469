#include "metrics/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace midonet::metrics {
namespace {

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::size_t entries(const char* folder) {
    std::error_code error;
    const std::filesystem::directory_iterator first(folder, error);
    if (error) return 0;
    return static_cast<std::size_t>(std::distance(first, std::filesystem::directory_iterator{}));
}

void report(Sink& sink) {
    std::ifstream statm("/proc/self/statm");  // sizes in pages: total, resident, ...
    long total = 0;
    long resident = 0;
    if (statm >> total >> resident)
        sink.gauge("midonet_process_resident_memory_bytes", "Memory in use.", {},
                   static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)));
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) == 0)
        sink.counter("midonet_process_cpu_seconds_total", "Processor time used, user and system.", {},
                     seconds(usage.ru_utime) + seconds(usage.ru_stime));
    sink.gauge("midonet_process_open_descriptors", "Open file descriptors.", {},
               static_cast<double>(entries("/proc/self/fd")));
    sink.gauge("midonet_process_threads", "Threads.", {},
               static_cast<double>(entries("/proc/self/task")));
}

}  // namespace

std::shared_ptr<void> collectProcess(Registry& registry) { return registry.collect(report); }

}  // namespace midonet::metrics
