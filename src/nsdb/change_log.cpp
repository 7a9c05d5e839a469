#include "nsdb/change_log.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"

namespace midonet::nsdb {
namespace {

constexpr std::string_view kCreated = "c";
constexpr std::string_view kRemoved = "d";

void append(std::string& out, std::string_view text) {
    std::uint8_t length[2];
    storeBe16(length, static_cast<std::uint16_t>(text.size()));
    out.append(reinterpret_cast<const char*>(length), sizeof length).append(text);
}

}  // namespace

bool isFull(const LogPart& part) {
    if (part.entries.size() >= kMostLogEntries) return true;
    std::size_t changes = 0;
    for (const auto& entry : part.entries) changes += entry.changes.size();
    return changes >= kMostLoggedChanges;
}

Unexpected logForgotten(Revision since) {
    return fail(ErrorCode::Stale, "the changes since revision {} are not known any more: read everything anew and begin without it", since);
}

std::string encodeChanges(std::span<const RecordChange> changes) {
    using Kind = RecordChange::Kind;
    std::string out;
    for (const auto& [key, kind] : changes) {
        if (kind != Kind::Updated) append(out, kind == Kind::Created ? kCreated : kRemoved);
        append(out, key.directory + '\0' + key.name);
    }
    return out;
}

std::vector<RecordChange> decodeChanges(std::string_view bytes) {
    using Kind = RecordChange::Kind;
    std::vector<RecordChange> out;
    auto kind = Kind::Updated;
    while (bytes.size() >= 2) {
        const std::size_t length = loadBe16(reinterpret_cast<const std::uint8_t*>(bytes.data()));
        const auto text = bytes.substr(2, length);
        bytes.remove_prefix(std::min(bytes.size(), 2 + length));
        if (const auto nul = text.find('\0'); nul != text.npos)
            out.push_back({{std::string(text.substr(0, nul)), std::string(text.substr(nul + 1))}, std::exchange(kind, Kind::Updated)});
        else
            kind = text == kCreated ? Kind::Created : text == kRemoved ? Kind::Removed : Kind::Updated;
    }
    return out;
}

std::vector<RecordChange> decodeLogged(std::string_view bytes) {
    auto changes = decodeChanges(bytes);
    std::erase_if(changes, [](const auto& change) { return !isLogged(change.key.directory); });
    return changes;
}

}  // namespace midonet::nsdb
