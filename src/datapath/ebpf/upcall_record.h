#pragma once

#include <chrono>
#include <vector>

#include "base/result.h"
#include "datapath/datapath.h"

namespace midonet::datapath::ebpf {

/// Reads one record of an upcall ring (struct mn_upcall and the frame behind it). The frame of the
/// result lies in `record`, or in `scratch` when an out-of-band VLAN tag had to be put in its place.
/// Where the kernel would not tell, a partial checksum is recognised by its bytes.
/// `now`: the kernel's monotonic clock, which records are stamped with.
/// Malformed: of another version or cut short.
Result<Upcall> parseUpcallRecord(ByteView record, std::chrono::nanoseconds now, std::vector<std::uint8_t>& scratch);

/// True when the transport checksum of the frame is the folded sum of its pseudo header: the state
/// that a sender with checksum offload leaves behind. Fills start and offset.
bool findPartialChecksum(ByteView frame, Offload& offload);

}  // namespace midonet::datapath::ebpf
