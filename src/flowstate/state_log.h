#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "event/clock.h"
#include "flowstate/state_key.h"

namespace midonet::flowstate {

/// The content of a StateFile: kStateLogMagic, then records, the newest of a key wins. Network byte order.
/// Record: marker 0xa5, length of the body u8, checksum of the body u32; body: kind u8 (1 put, 2 remove), expiry in
/// ms since 1970 u64 (0 in a remove), entry (entry_codec.h).
inline constexpr std::string_view kStateLogMagic = "MnState1";

struct SavedEntry {
    StateEntry entry;
    event::WallTime expires;
    friend bool operator==(const SavedEntry&, const SavedEntry&) = default;
};

void appendPut(std::vector<std::uint8_t>& out, const SavedEntry& saved);
void appendRemove(std::vector<std::uint8_t>& out, const StateKey& key);

/// Refers to the bytes that it was read from.
struct StateLog {
    bool foreign = false;  ///< Does not begin as such a file does; nothing else is looked at.
    std::size_t unreadable = 0;  ///< Bytes that are no whole record: a torn tail, or what others wrote.
    boost::unordered_flat_map<std::uint64_t, ByteView> live;  ///< By StateKey::hash(): the whole record that holds the entry.
};
/// Never fails: what is whole is used, records behind damaged bytes too. Entries past their time are left out.
StateLog parseStateLog(ByteView bytes, event::WallTime now);
/// The entry of a live record; it does not outlive its idle time from `now` (the clock may have been set back).
SavedEntry savedIn(ByteView record, event::WallTime now);

}  // namespace midonet::flowstate
