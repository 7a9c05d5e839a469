#include "packet/gre.h"

#include "packet/checksum.h"

namespace midonet::packet {
namespace {

constexpr std::uint16_t kChecksumFlag = 0x8000;
constexpr std::uint16_t kKeyFlag = 0x2000;
constexpr std::uint16_t kSequenceFlag = 0x1000;
constexpr std::uint16_t kMustBeZero = 0x4c00;  // Routing, strict source route, first recursion bit.
constexpr std::uint16_t kVersionMask = 0x0007;

}  // namespace

Result<GreHeader> parseGre(ByteView bytes) {
    if (bytes.size() < 4)
        return fail(ErrorCode::Malformed, "a GRE header has 4 bytes, not {}", bytes.size());
    const std::uint16_t flags = loadBe16(bytes.data());
    if ((flags & kVersionMask) != 0)
        return fail(ErrorCode::Malformed, "GRE version {} is not 0", flags & kVersionMask);
    if ((flags & kMustBeZero) != 0)
        return fail(ErrorCode::Malformed, "GRE flags {:#06x} ask for source routing", flags);

    GreHeader header;
    header.protocol = loadBe16(bytes.data() + 2);
    header.hasChecksum = (flags & kChecksumFlag) != 0;
    if (flags & kKeyFlag) header.key = 0;
    if (flags & kSequenceFlag) header.sequence = 0;
    if (bytes.size() < header.size())
        return fail(ErrorCode::Malformed, "a GRE header with flags {:#06x} has {} bytes, not {}",
                    flags, header.size(), bytes.size());

    std::size_t at = header.hasChecksum ? 8 : 4;
    if (header.key) {
        header.key = loadBe32(bytes.data() + at);
        at += 4;
    }
    if (header.sequence) header.sequence = loadBe32(bytes.data() + at);
    if (header.hasChecksum && checksumOf(bytes) != 0)
        return fail(ErrorCode::Malformed, "the GRE checksum is wrong");
    return header;
}

void writeGre(const GreHeader& header, std::uint8_t* to) {
    unsigned flags = 0;
    if (header.hasChecksum) flags |= kChecksumFlag;
    if (header.key) flags |= kKeyFlag;
    if (header.sequence) flags |= kSequenceFlag;
    storeBe16(to, static_cast<std::uint16_t>(flags));
    storeBe16(to + 2, header.protocol);
    std::size_t at = 4;
    if (header.hasChecksum) {
        storeBe32(to + at, 0);
        at += 4;
    }
    if (header.key) {
        storeBe32(to + at, *header.key);
        at += 4;
    }
    if (header.sequence) storeBe32(to + at, *header.sequence);
}

}  // namespace midonet::packet
