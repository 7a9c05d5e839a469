/// Records of the upcall ring. A short prefix stands for the fields of the header that matter, so that frames are
/// reached at once; the raw bytes are tried as a record too.
#include "datapath/ebpf/upcall_record.h"

#include <cstring>

#include "base/assert.h"
#include "datapath/ebpf/kernel_layout.h"

using namespace midonet;

namespace {

void read(ByteView record) {
    std::vector<std::uint8_t> scratch;
    const auto upcall = datapath::ebpf::parseUpcallRecord(record, std::chrono::seconds{1}, scratch);
    if (!upcall) return;
    const auto* const begin = upcall->frame.data();
    const auto* const end = begin + upcall->frame.size();
    const auto inside = [&](ByteView bytes) {
        return begin >= bytes.data() && end <= bytes.data() + bytes.size();
    };
    MIDONET_ASSERT(inside(record) || inside(scratch),
                   "the frame is in the record or in the scratch");
    MIDONET_ASSERT(upcall->frame.size() >= 14, "a frame has an Ethernet header");
    std::uint64_t sum = 0;
    for (const auto byte : upcall->frame) sum += byte;
    MIDONET_ASSERT(sum <= 255 * upcall->frame.size(), "every byte can be read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    read({data, size});

    constexpr std::size_t kPrefix = 8;
    if (size < kPrefix) return 0;
    mn_upcall header{};
    header.version = MN_UPCALL_VERSION;
    header.reason = data[0];
    header.ip_summed = data[1];
    header.vlan_tci = loadBe16(data + 2);
    header.csum_start = loadBe16(data + 4);
    header.gso_size = data[6];
    header.captured = static_cast<std::uint32_t>(size - kPrefix + data[7] / 128U);
    std::vector<std::uint8_t> record(sizeof header + size - kPrefix);
    std::memcpy(record.data(), &header, sizeof header);
    std::memcpy(record.data() + sizeof header, data + kPrefix, size - kPrefix);
    read(record);
    return 0;
}
