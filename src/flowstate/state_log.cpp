#include "flowstate/state_log.h"

#include <algorithm>
#include <optional>

#include "base/assert.h"
#include "flowstate/entry_codec.h"

namespace midonet::flowstate {
namespace {

constexpr std::uint8_t kMarker = 0xa5;
constexpr std::size_t kHeadSize = 1 + 1 + 4;
constexpr std::size_t kFixedSize = 1 + 8;
static_assert(kFixedSize + kMaxEntrySize <= 0xff);
enum class Kind : std::uint8_t { Put = 1, Remove = 2 };

/// Tells torn and foreign bytes from records; not meant against malice: the file is root's.
std::uint32_t checksumOf(ByteView body) {
    std::uint64_t h = body.size();
    std::size_t i = 0;
    for (; i + 8 <= body.size(); i += 8) h = combineHash(h, loadBe64(&body[i]));
    for (; i < body.size(); ++i) h = combineHash(h, body[i]);
    return static_cast<std::uint32_t>(h);
}

void append(std::vector<std::uint8_t>& out, Kind kind, std::uint64_t expires, const StateEntry& entry) {
    const auto begin = out.size();
    out.resize(begin + kHeadSize + kFixedSize);
    appendEntry(out, entry);
    const ByteSpan record{out.data() + begin, out.size() - begin};
    const auto body = record.subspan(kHeadSize);
    body[0] = static_cast<std::uint8_t>(kind);
    storeBe64(&body[1], expires);
    record[0] = kMarker;
    record[1] = static_cast<std::uint8_t>(body.size());
    storeBe32(&record[2], checksumOf(body));
}

/// The body of the record that begins here; empty when none does.
ByteView bodyAt(ByteView rest) {
    if (rest.size() < kHeadSize || rest[0] != kMarker || rest.size() < kHeadSize + rest[1]) return {};
    const auto body = rest.subspan(kHeadSize, rest[1]);
    return loadBe32(&rest[2]) == checksumOf(body) ? body : ByteView{};
}

struct Record {
    Kind kind;
    SavedEntry saved;
};
std::optional<Record> readBody(ByteView body) {
    ByteReader reader(body);
    const auto kind = reader.u8();
    const auto expires = reader.u64();
    auto entry = readEntry(reader);
    const bool known = kind == static_cast<std::uint8_t>(Kind::Put) || kind == static_cast<std::uint8_t>(Kind::Remove);
    if (!entry || !known || reader.left() != 0 || expires >> 63 != 0) return std::nullopt;
    const event::WallTime at{std::chrono::milliseconds{static_cast<std::int64_t>(expires)}};
    return Record{static_cast<Kind>(kind), {*entry, at}};
}

event::WallTime endOf(const SavedEntry& saved, event::WallTime now) {
    return std::min(saved.expires, now + std::chrono::seconds{saved.entry.idleSeconds});
}

}  // namespace

void appendPut(std::vector<std::uint8_t>& out, const SavedEntry& saved) {
    const auto expires = std::max<std::int64_t>(saved.expires.time_since_epoch().count(), 0);
    append(out, Kind::Put, static_cast<std::uint64_t>(expires), saved.entry);
}

void appendRemove(std::vector<std::uint8_t>& out, const StateKey& key) { append(out, Kind::Remove, 0, {key, {}, 0}); }

StateLog parseStateLog(ByteView bytes, event::WallTime now) {
    StateLog log;
    if (!asText(bytes).starts_with(kStateLogMagic)) {
        // Of a file that was just begun, a part of the magic may be all there is.
        log.foreign = !kStateLogMagic.starts_with(asText(bytes));
        log.unreadable = bytes.size();
        return log;
    }
    for (auto rest = bytes.subspan(kStateLogMagic.size()); !rest.empty();) {
        const auto body = bodyAt(rest);
        const auto record = body.empty() ? std::nullopt : readBody(body);
        if (!record) {
            ++log.unreadable;
            rest = rest.subspan(1);
            continue;
        }
        const auto whole = rest.first(kHeadSize + body.size());
        rest = rest.subspan(whole.size());
        const auto hash = record->saved.entry.key.hash();
        if (record->kind == Kind::Put && endOf(record->saved, now) > now)
            log.live.insert_or_assign(hash, whole);
        else
            log.live.erase(hash);
    }
    return log;
}

SavedEntry savedIn(ByteView record, event::WallTime now) {
    const auto read = readBody(bodyAt(record));
    MIDONET_ASSERT(read, "a live record can be read");
    return {read->saved.entry, endOf(read->saved, now)};
}

}  // namespace midonet::flowstate
