/// Accept and Content-Type headers.
#include "rest/media_type.h"

#include <algorithm>

#include "base/assert.h"
#include "base/bytes.h"

using namespace midonet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = asText({data, size});
    static const std::vector<std::string> kOffered{
        rest::itemType("Bridge", 4), rest::itemType("Bridge", 3), std::string(rest::kJson)};
    const auto chosen = rest::negotiate(text, kOffered);
    MIDONET_ASSERT(
        !chosen || std::find(kOffered.begin(), kOffered.end(), *chosen) != kOffered.end(),
        "only what is offered is chosen");
    (void)rest::understands(text, kOffered);
    return 0;
}
