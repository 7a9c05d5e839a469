/// What other hosts say of their connections: a payload as it is (first byte even), or a whole frame.
#include "base/assert.h"
#include "base/overloaded.h"
#include "flowstate/state_message.h"

using namespace midonet;
using namespace midonet::flowstate;

namespace {

void check(const Message& message) {
    const auto frame = std::visit(Overloaded{
                                      [](const StateMessage& m) { return encodeFrame(m.sender, m.sequence, m.entries); },
                                      [](const AckMessage& m) { return encodeAckFrame(m.sender, m.sequences); },
                                  },
                                  message);
    auto again = decodeFrame(frame);
    MIDONET_ASSERT(again, "what is written is read back");
    // The hash is made from the entries.
    auto expected = message;
    if (auto* const state = std::get_if<StateMessage>(&expected)) state->hash = std::get<StateMessage>(*again).hash;
    MIDONET_ASSERT(*again == expected, "nothing is lost");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 32768) return 0;
    const ByteView bytes{data + 1, size - 1};
    const auto message = data[0] & 1 ? decodeFrame(bytes) : decodePayload(bytes);
    if (message) check(*message);
    return 0;
}
