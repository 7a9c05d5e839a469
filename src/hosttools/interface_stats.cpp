#include "hosttools/interface_stats.h"

#include <fstream>
#include <iterator>
#include <sstream>

namespace midonet::hosttools {

InterfaceStats parseInterfaceStats(std::string_view text, std::string_view interface) {
    std::istringstream lines{std::string{text}};
    for (std::string line; std::getline(lines, line);) {
        const auto colon = line.find(':');
        const auto start = line.find_first_not_of(' ');
        if (colon == line.npos || start > colon || std::string_view{line}.substr(start, colon - start) != interface) continue;
        std::istringstream values(line.substr(colon + 1));
        InterfaceStats out;
        std::uint64_t other = 0;  // fifo, frame, compressed, multicast
        values >> out.rxBytes >> out.rxPackets >> out.rxErrors >> out.rxDropped >> other >> other >> other >> other;
        values >> out.txBytes >> out.txPackets >> out.txErrors >> out.txDropped;
        return out;
    }
    return {};
}

InterfaceStats readInterfaceStats(const std::string& interface) {
    std::ifstream file("/proc/self/net/dev");
    return parseInterfaceStats(std::string{std::istreambuf_iterator<char>(file), {}}, interface);
}

}  // namespace midonet::hosttools
