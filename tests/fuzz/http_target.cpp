/// Request targets and methods from clients.
#include "base/assert.h"
#include "base/bytes.h"
#include "http/message.h"
#include "http/router.h"

using namespace midonet;

namespace {

const http::Router& router() {
    static const http::Router made = [] {
        http::Router r;
        r.add(http::Method::Get, "/", 0);
        r.add(http::Method::Get, "/bridges", 1);
        r.add(http::Method::Post, "/bridges", 2);
        r.add(http::Method::Get, "/bridges/{id}", 3);
        r.add(http::Method::Get, "/bridges/{id}/vlans/{vlan}/mac_table/{entry}", 4);
        r.add(http::Method::Delete, "/bridges/special", 5);
        return r;
    }();
    return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text{asText({data, size})};
    const auto encoded = http::percentEncode(text);
    MIDONET_ASSERT(http::percentDecode(encoded) == text, "what is encoded is decoded");
    (void)http::percentDecode(text, true);

    http::Request request;
    request.target = text;
    (void)request.query("a");
    for (const auto method : {http::Method::Get, http::Method::Head, http::Method::Delete}) {
        const auto match = router().find(method, request.path());
        if (match.outcome == http::Router::Outcome::NoSuchMethod)
            MIDONET_ASSERT(!match.allow.empty(), "a refused method names the others");
        if (match.outcome == http::Router::Outcome::Found && match.route == 3)
            MIDONET_ASSERT(match.parameters.size() == 1, "one segment, one parameter");
    }
    const auto found = router().find(http::Method::Get, "/bridges/" + encoded);
    if (!text.empty() && found.outcome == http::Router::Outcome::Found && found.route == 3)
        MIDONET_ASSERT(found.parameters["id"] == text, "a segment comes back decoded");
    (void)http::parseMethod(text);
    return 0;
}
