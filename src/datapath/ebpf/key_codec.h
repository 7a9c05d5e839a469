#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "datapath/datapath.h"
#include "datapath/ebpf/kernel_layout.h"
#include "flow/flow_key.h"

namespace midonet::datapath::ebpf {

/// The key as the kernel programs build it from a packet.
mn_wide_key encodeKey(const flow::FlowKey& key);
flow::FlowKey decodeKey(const mn_wide_key& key);

/// Every bit that a flow looks at, for packets of the family of `key`.
mn_wide_key encodeMask(const flow::FlowMask& mask, bool ipv6);

/// Which of the four tables holds a flow.
enum class Table : std::uint8_t { Exact, ExactWide, Masked, MaskedWide };
constexpr bool isWide(Table table) { return table == Table::ExactWide || table == Table::MaskedWide; }
constexpr bool isMasked(Table table) { return table == Table::Masked || table == Table::MaskedWide; }

/// Exact when the mask sees all there is; wide when IPv6 addresses matter.
Table tableFor(const flow::FlowKey& key, const flow::FlowMask& mask);

}  // namespace midonet::datapath::ebpf
