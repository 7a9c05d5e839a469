#pragma once

#include <string>

#include "base/bytes.h"

namespace midonet::packet {

/// The frame as text, one line per header, inner frames of VXLAN and GRE indented; wrong checksums
/// and lengths are pointed out. For logs, traces and the differences that failing tests print:
///
///     eth 02:00:00:00:00:01 > 02:00:00:00:00:02 type 0x0800 size 44
///     ipv4 10.0.1.2 > 10.0.2.2 proto 17 ttl 63 tos 0x00 id 0 length 30
///     udp 1000 > 53 length 10
///     payload 2 bytes: 68 69 "hi"
std::string describe(ByteView frame);

/// A short form on one line, for logs: "udp 10.0.1.2:1000 > 10.0.2.2:53, 44 bytes".
std::string summarize(ByteView frame);

/// Empty when the frames are equal; else both described, the lines that differ marked with '-'
/// (expected) and '+' (actual), and the offset of the first byte that differs.
std::string describeDifference(ByteView expected, ByteView actual);

}  // namespace midonet::packet
