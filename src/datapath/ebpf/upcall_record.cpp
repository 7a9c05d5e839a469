#include "datapath/ebpf/upcall_record.h"

#include <cstring>

#include "datapath/ebpf/key_codec.h"
#include "datapath/ebpf/vnet_header.h"
#include "packet/checksum.h"
#include "packet/parse.h"

namespace midonet::datapath::ebpf {
namespace {

std::uint8_t gsoTypeOf(const flow::FlowKey& key) {
    if (key.ipProtocol == packet::ipproto::kUdp) return kVnetGsoUdp;
    return key.isIpv6() ? kVnetGsoTcp6 : kVnetGsoTcp4;
}

ByteView insertTag(ByteView frame, const mn_upcall& header, std::vector<std::uint8_t>& scratch) {
    scratch.resize(frame.size() + packet::kVlanSize);
    std::memcpy(scratch.data(), frame.data(), 12);
    std::memcpy(scratch.data() + 12, &header.vlan_proto, 2);
    storeBe16(scratch.data() + 14, static_cast<std::uint16_t>(header.vlan_tci & ~MN_VLAN_PRESENT));
    std::memcpy(scratch.data() + 16, frame.data() + 12, frame.size() - 12);
    return scratch;
}

}  // namespace

Result<Upcall> parseUpcallRecord(ByteView record, std::chrono::nanoseconds now, std::vector<std::uint8_t>& scratch) {
    mn_upcall header;
    if (record.size() < sizeof(header)) return fail(ErrorCode::Malformed, "an upcall of {} bytes has no header", record.size());
    std::memcpy(&header, record.data(), sizeof(header));
    if (header.version != MN_UPCALL_VERSION || header.reason > static_cast<int>(UpcallReason::TooBig)) {
        return fail(ErrorCode::Malformed, "an upcall of version {} and reason {}", header.version, header.reason);
    }
    if (header.captured < packet::kEthernetSize || header.captured > record.size() - sizeof(header)) {
        return fail(ErrorCode::Malformed, "an upcall says {} bytes and has {}", header.captured, record.size() - sizeof(header));
    }
    Upcall out;
    out.frame = record.subspan(sizeof(header), header.captured);
    out.key = decodeKey(header.key);
    out.reason = static_cast<UpcallReason>(header.reason);
    out.mtu = header.mtu;
    out.pendingId = header.pending_id;
    // One that came after the clock was read has not waited.
    if (const auto nowNs = static_cast<std::uint64_t>(now.count()); header.at_ns < nowNs)
        out.age = std::chrono::nanoseconds{nowNs - header.at_ns};
    out.originalLength = header.original;
    if (header.ip_summed == MN_IP_SUMMED_PARTIAL) {
        out.offload.checksumPartial = true;
        out.offload.checksumStart = header.csum_start;
        out.offload.checksumOffset = header.csum_offset;
    } else if (header.ip_summed == MN_IP_SUMMED_UNKNOWN) {
        findPartialChecksum(out.frame, out.offload);
    }
    if (header.gso_size != 0) {
        out.offload.gsoSize = static_cast<std::uint16_t>(header.gso_size);
        out.offload.gsoType = gsoTypeOf(out.key);
    }
    if (header.vlan_tci != 0) {
        out.frame = insertTag(out.frame, header, scratch);
        out.originalLength += static_cast<std::uint32_t>(packet::kVlanSize);
        if (out.offload.checksumPartial) {
            out.offload.checksumStart = static_cast<std::uint16_t>(out.offload.checksumStart + packet::kVlanSize);
        }
    }
    return out;
}

bool findPartialChecksum(ByteView frame, Offload& offload) {
    const auto parsed = packet::parse(frame);
    if (!parsed || parsed->layer != packet::Layer::Transport) return false;
    std::uint16_t at = 0;
    if (parsed->ipProtocol == packet::ipproto::kTcp) at = 16;
    if (parsed->ipProtocol == packet::ipproto::kUdp) at = 6;
    if (at == 0) return false;
    const std::uint32_t length = parsed->payloadEnd - parsed->transportOffset;
    const std::uint16_t pseudo = packet::Checksum{}.addPseudoHeader(parsed->ipSource, parsed->ipDestination, parsed->ipProtocol, length).folded();
    if (loadBe16(frame.data() + parsed->transportOffset + at) != pseudo) return false;
    offload.checksumPartial = true;
    offload.checksumStart = static_cast<std::uint16_t>(parsed->transportOffset);
    offload.checksumOffset = at;
    return true;
}

}  // namespace midonet::datapath::ebpf
