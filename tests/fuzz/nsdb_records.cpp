/// Values in the file of the embedded store, which another version or a broken disk may have written.
#include "base/assert.h"
#include "base/bytes.h"
#include "nsdb/change_log.h"
#include "nsdb/embedded/record_format.h"

using namespace midonet;
using namespace midonet::nsdb;
using namespace midonet::nsdb::embedded;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = asText({data, size});

    const auto record = decodeRecord("name", bytes);
    const auto written = encodeRecord(record.version, record.lease, record.value);
    const auto again = decodeRecord("name", written);
    MIDONET_ASSERT(again.version == record.version && again.lease == record.lease &&
                       again.value == record.value,
                   "what is written is read back");

    const auto changes = decodeChanges(bytes);
    const auto changesAgain = decodeChanges(encodeChanges(changes));
    MIDONET_ASSERT(changesAgain == changes, "what is written is read back");

    const auto lease = decodeLease(bytes.substr(0, 16), bytes);
    const auto leaseAgain = decodeLease(lease.id.toBytes(), encodeLease(lease));
    MIDONET_ASSERT(leaseAgain.id == lease.id && leaseAgain.ttl == lease.ttl &&
                       leaseAgain.incarnation == lease.incarnation,
                   "what is written is read back");
    return 0;
}
