/// Text of REST bodies, paths and files: addresses, prefixes, ids. What is accepted prints as text
/// that is read back as the same value.
#include "base/assert.h"
#include "base/bytes.h"
#include "base/uuid.h"
#include "net/ip_prefix.h"
#include "net/mac.h"

namespace {

template <class T>
void roundTrip(std::string_view text) {
    const auto value = T::parse(text);
    if (!value) {
        MIDONET_ASSERT(!value.error().message.empty(), "a refusal says why");
        return;
    }
    const auto again = T::parse(value->toString());
    MIDONET_ASSERT(again && *again == *value, "printed text is read back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = midonet::asText({data, size});
    roundTrip<midonet::Uuid>(text);
    roundTrip<midonet::net::Mac>(text);
    roundTrip<midonet::net::Ipv4Address>(text);
    roundTrip<midonet::net::Ipv6Address>(text);
    roundTrip<midonet::net::IpAddress>(text);
    roundTrip<midonet::net::IpPrefix>(text);
    return 0;
}
