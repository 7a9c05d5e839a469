#include "nsdb/embedded/record_format.h"

namespace midonet::nsdb::embedded {
namespace {

constexpr char kPersistent = 0;
constexpr char kLeased = 1;
constexpr std::size_t kLeaseSize = 16;

std::string_view numberAt(std::string_view bytes, std::size_t offset) { return bytes.substr(offset, 8); }

}  // namespace

std::string recordKeyText(std::string_view directory, std::string_view name) {
    std::string out;
    out.reserve(directory.size() + 1 + name.size());
    out.append(directory).push_back('\0');
    return out.append(name);
}

Record decodeRecord(std::string_view name, std::string_view value) {
    Record out;
    out.name = name;
    if (value.size() < 9) return out;
    out.version = loadNumber(numberAt(value, 1));
    if (value[0] == kPersistent) {
        out.value = value.substr(9);
    } else if (value.size() >= 9 + kLeaseSize) {
        out.lease = Uuid::fromBytes(value.substr(9, kLeaseSize)).value_or(Uuid{});
        out.value = value.substr(9 + kLeaseSize);
    }
    return out;
}

std::string encodeRecord(Revision version, const Uuid& lease, std::string_view value) {
    std::string out;
    out.reserve(9 + kLeaseSize + value.size());
    out.push_back(lease.isNil() ? kPersistent : kLeased);
    out.append(NumberText(version).view());
    if (!lease.isNil()) out.append(lease.toBytes());
    return out.append(value);
}

std::string encodeLease(const LeaseRecord& lease) {
    std::string out(NumberText(static_cast<std::uint64_t>(lease.ttl.count())).view());
    return out.append(NumberText(lease.incarnation).view());
}

LeaseRecord decodeLease(std::string_view id, std::string_view value) {
    LeaseRecord out;
    out.id = Uuid::fromBytes(id).value_or(Uuid{});
    if (value.size() < 16) return out;
    out.ttl = event::Duration(loadNumber(numberAt(value, 0)));
    out.incarnation = loadNumber(numberAt(value, 8));
    return out;
}

Revision readRevision(MDB_txn* txn, const Databases& databases) {
    auto key = toVal("revision");
    MDB_val value{};
    return mdb_get(txn, databases.meta, &key, &value) == 0 ? loadNumber(toText(value)) : 0;
}

Result<std::optional<Record>> readRecord(MDB_txn* txn, const Databases& databases,
                                         std::string_view directory, std::string_view name) {
    const auto text = recordKeyText(directory, name);
    if (text.size() > kMaxKeyLength) return std::nullopt;  // cannot have been written
    auto key = toVal(text);
    MDB_val value{};
    const int code = mdb_get(txn, databases.records, &key, &value);
    if (code == MDB_NOTFOUND) return std::nullopt;
    if (code != 0) return Unexpected{lmdbError(code, "a record cannot be read")};
    return decodeRecord(name, toText(value));
}

Revision readDirectoryVersion(MDB_txn* txn, const Databases& databases, std::string_view directory) {
    auto key = toVal(directory);
    MDB_val value{};
    return mdb_get(txn, databases.directories, &key, &value) == 0 ? loadNumber(toText(value)) : 0;
}

std::optional<LeaseRecord> readLease(MDB_txn* txn, const Databases& databases, const Uuid& id) {
    const auto bytes = id.toBytes();
    auto key = toVal(bytes);
    MDB_val value{};
    if (mdb_get(txn, databases.leases, &key, &value) != 0) return std::nullopt;
    return decodeLease(bytes, toText(value));
}

std::vector<LeaseRecord> listLeases(MDB_txn* txn, const Databases& databases) {
    std::vector<LeaseRecord> out;
    Cursor cursor(txn, databases.leases);
    MDB_val key{};
    MDB_val value{};
    for (int code = cursor.get(key, value, MDB_FIRST); code == 0;
         code = cursor.get(key, value, MDB_NEXT))
        out.push_back(decodeLease(toText(key), toText(value)));
    return out;
}

}  // namespace midonet::nsdb::embedded
