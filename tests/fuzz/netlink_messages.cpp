/// Datagrams from the kernel, and what our mirror makes of them.
#include "base/assert.h"
#include "netlink/messages.h"
#include "netlink/mirror.h"

using namespace midonet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView datagram{data, size};
    // Each parser must bear any message, whatever its type says.
    (void)netlink::parseLink(datagram);
    (void)netlink::parseAddress(datagram);
    (void)netlink::parseNeighbour(datagram);
    (void)netlink::parseRoute(datagram);
    (void)netlink::parseAcknowledgement(datagram);

    const auto messages = netlink::splitDatagram(datagram);
    if (!messages) return 0;
    netlink::Mirror mirror;
    for (const auto message : *messages) {
        MIDONET_ASSERT(message.data() >= data && message.data() + message.size() <= data + size,
                       "messages are inside the datagram");
        const auto event = netlink::parseEvent(message);
        if (!event || !*event) continue;
        mirror.apply(**event);
        MIDONET_ASSERT(!mirror.apply(**event) ||
                           std::holds_alternative<netlink::Change<netlink::Route>>(**event),
                       "the same event again changes nothing");
    }
    return 0;
}
