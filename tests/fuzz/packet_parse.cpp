/// Frames of tenants. The first byte decides about an out-of-band tag, the rest is the frame.
#include "base/assert.h"
#include "packet/describe.h"
#include "packet/parse.h"

using namespace midonet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const ByteView frame{data + 1, size - 1};
    std::optional<packet::VlanTag> tag;
    if (data[0] & 1) tag = packet::VlanTag{packet::ethertype::kVlan, data[0]};

    const auto parsed = packet::parse(frame, tag);
    MIDONET_ASSERT(parsed.has_value() == (frame.size() >= packet::kEthernetSize),
                   "only a runt is refused");
    if (parsed) {
        MIDONET_ASSERT(parsed->networkOffset <= parsed->transportOffset, "layers are in order");
        MIDONET_ASSERT(parsed->transportOffset <= parsed->payloadOffset, "layers are in order");
        MIDONET_ASSERT(parsed->payloadOffset <= parsed->payloadEnd, "the payload has a size");
        MIDONET_ASSERT(parsed->payloadEnd <= frame.size(), "the payload is inside the frame");
        const auto payload = parsed->payload(frame);
        MIDONET_ASSERT(payload.empty() || &payload.back() < data + size,
                       "the payload is inside the frame");
    }
    MIDONET_ASSERT(!packet::describe(frame).empty(), "every frame has a description");
    MIDONET_ASSERT(packet::summarize(frame).find('\n') == std::string::npos,
                   "a summary is one line");
    return 0;
}
