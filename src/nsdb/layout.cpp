#include "nsdb/layout.h"

#include "base/bytes.h"
#include "nsdb/store.h"

namespace midonet::nsdb {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";
/// Longer values are cut, and told apart by a hash.
constexpr std::size_t kMaxUniqueName = 200;

bool mayStand(char c, bool first) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '/' || c == '%') return false;
    return !(first && c == '.');
}

int digitOf(char c) { return static_cast<int>(kHex.find(c)); }

}  // namespace

std::string objectDirectory(const model::ClassSchema& type) { return "o/" + type.name; }

const model::ClassSchema* classOfDirectory(const model::Schema& schema, std::string_view directory) {
    constexpr std::string_view kObjects = "o/";
    return directory.starts_with(kObjects) ? schema.byName(directory.substr(kObjects.size())) : nullptr;
}

RecordKey objectKey(const model::ClassSchema& type, const Uuid& id) {
    return {objectDirectory(type), id.toString()};
}

std::string indexesOf(const model::ClassSchema& type, const Uuid& id) {
    return fmt::format("i/{}/{}", type.name, id);
}

std::string indexDirectory(const model::ClassSchema& target, const Uuid& id,
                           const model::ClassSchema& holder,
                           const model::ReferencePath& reference) {
    return fmt::format("{}/{}.{}", indexesOf(target, id), holder.name, reference.name);
}

RecordKey uniqueKey(const model::ClassSchema& type, const model::UniquePath& unique,
                    std::string_view value) {
    auto name = encodeName(value);
    if (name.size() > kMaxUniqueName)
        name = fmt::format("{}%%{:016x}{:016x}", name.substr(0, kMaxUniqueName), hashOf(value, 1),
                           hashOf(value, 2));
    return {fmt::format("u/{}.{}", type.name, unique.name), std::move(name)};
}

std::string stateDirectory(const model::ClassSchema& type, const Uuid& id) {
    return fmt::format("s/{}/{}", type.name, id);
}

std::string tableDirectory(std::string_view table) { return fmt::format("t/{}", table); }

std::string tablesOf(const model::ClassSchema& type, const Uuid& id) {
    return fmt::format("t/{}/{}", type.name, id);
}

std::optional<RecordKey> ownerOfTable(const model::Schema& schema, std::string_view table) {
    const auto first = table.find('/');
    if (first == table.npos) return std::nullopt;
    const auto* type = schema.byName(table.substr(0, first));
    if (type == nullptr) return std::nullopt;
    const auto rest = table.substr(first + 1);
    const auto id = Uuid::parse(rest.substr(0, rest.find('/')));
    if (!id) return std::nullopt;
    return objectKey(*type, *id);
}

std::string electionDirectory(std::string_view name) { return "e/" + encodeName(name); }

RecordKey counterKey(std::string_view name) { return {"c", encodeName(name)}; }

std::string tableRecordName(TableSlot slot, std::string_view key) {
    return static_cast<char>(slot) + encodeName(key);
}

RecordKey unfinishedLoadMark() { return {tableDirectory(kLoadTable), tableRecordName(TableSlot::Persistent, kUnfinished)}; }

std::string encodeName(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (mayStand(c, out.empty())) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += kHex[byte >> 4];
        out += kHex[byte & 0xf];
    }
    return out;
}

std::string decodeName(std::string_view name) {
    std::string out;
    out.reserve(name.size());
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] == '%' && i + 2 < name.size() && digitOf(name[i + 1]) >= 0) {
            out += static_cast<char>(digitOf(name[i + 1]) * 16 + digitOf(name[i + 2]));
            i += 2;
        } else {
            out += name[i];
        }
    }
    return out;
}

std::uint64_t hashOf(std::string_view text, std::uint64_t seed) {
    for (const char c : text) seed = combineHash(seed, static_cast<unsigned char>(c));
    return seed;
}

std::string macTableName(const Uuid& bridge, std::uint16_t vlan) {
    return fmt::format("{}/{}", macTablesOf(bridge), vlan);
}

std::string macTablesOf(const Uuid& bridge) { return fmt::format("Bridge/{}/mac_table", bridge); }

std::string routerArpTableName(const Uuid& router) { return fmt::format("Router/{}/arp_table", router); }

std::string bridgeArpTableName(const Uuid& bridge) { return fmt::format("Bridge/{}/ip4_mac_map", bridge); }
std::string peeringTableName(const Uuid& port) { return fmt::format("Port/{}/peering_table", port); }

}  // namespace midonet::nsdb
