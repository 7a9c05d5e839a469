#pragma once

#include <array>
#include <span>

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
/// The other way, of either family.
flow::FlowMask decodeMask(const mn_wide_key& bits);

/// Which of the four tables holds a flow.
enum class Table : std::uint8_t { Exact, ExactWide, Masked, MaskedWide };
constexpr std::array<Table, 4> kTables{Table::Exact, Table::ExactWide, Table::Masked, Table::MaskedWide};
/// Its map.
const char* mapName(Table table);
constexpr bool isWide(Table table) { return table == Table::ExactWide || table == Table::MaskedWide; }
constexpr bool isMasked(Table table) { return table == Table::Masked || table == Table::MaskedWide; }

/// Of an entry of the table.
std::size_t keySizeOf(Table table);
/// The key in an entry; what a narrow table has no room for is zero.
mn_wide_key wideKeyOf(Table table, std::span<const std::uint8_t> key);
/// The mask of an entry of a masked table.
std::uint8_t maskIdOf(std::span<const std::uint8_t> key);

/// Exact when the mask sees all there is; wide when IPv6 addresses matter.
Table tableFor(const flow::FlowKey& key, const flow::FlowMask& mask);

}  // namespace midonet::datapath::ebpf
