/// The connection state file. A header is put before the bytes, so that records are reached at once (first byte even).
#include "flowstate/state_log.h"

#include "base/assert.h"

using namespace midonet;
using namespace midonet::flowstate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const event::WallTime now{std::chrono::hours{500'000}};
    std::vector<std::uint8_t> bytes;
    if (!(data[0] & 1)) bytes.assign(kStateLogMagic.begin(), kStateLogMagic.end());
    bytes.insert(bytes.end(), data + 1, data + size);
    const auto log = parseStateLog(bytes, now);
    MIDONET_ASSERT(log.unreadable <= bytes.size(), "no byte is counted twice");
    MIDONET_ASSERT(!log.foreign || log.live.empty(), "nothing is taken from a file of somebody else");

    std::vector<std::uint8_t> written(kStateLogMagic.begin(), kStateLogMagic.end());
    for (const auto& [hash, record] : log.live) {
        const auto saved = savedIn(record, now);
        MIDONET_ASSERT(saved.entry.key.hash() == hash && saved.expires > now, "what is past its time is left out");
        appendPut(written, saved);
    }
    const auto again = parseStateLog(written, now);
    MIDONET_ASSERT(again.live.size() == log.live.size() && again.unreadable == 0, "what is written is read back");
    for (const auto& [hash, record] : again.live)
        MIDONET_ASSERT(savedIn(record, now) == savedIn(log.live.at(hash), now), "as it was");
    return 0;
}
