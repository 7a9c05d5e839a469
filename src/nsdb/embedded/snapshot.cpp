#include "nsdb/embedded/snapshot.h"

#include <set>
#include <string>

namespace midonet::nsdb::embedded {

Result<Revision> EmbeddedSnapshot::list(std::string_view directory,
                                        const std::function<void(const Record&)>& visit) {
    const auto prefix = recordKeyText(directory, {});
    Cursor cursor(read_.txn(), read_.databases().records);
    auto key = toVal(prefix);
    MDB_val value{};
    int code = cursor.get(key, value, MDB_SET_RANGE);
    for (; code == 0 && toText(key).starts_with(prefix); code = cursor.get(key, value, MDB_NEXT))
        visit(decodeRecord(toText(key).substr(prefix.size()), toText(value)));
    if (code != 0 && code != MDB_NOTFOUND)
        return Unexpected{lmdbError(code, "the records cannot be listed")};
    return readDirectoryVersion(read_.txn(), read_.databases(), directory);
}

/// From directory to directory: keys are "directory NUL name", so what follows NUL is skipped by
/// seeking the next byte value, and '/' (deeper directories) sorts behind it.
Result<void> EmbeddedSnapshot::listDirectories(std::string_view parent,
                                               const std::function<void(std::string_view)>& visit) {
    const auto prefix = std::string(parent) + '/';
    Cursor cursor(read_.txn(), read_.databases().records);
    std::string sought = prefix;
    std::set<std::string, std::less<>> names;  // "a", "a-b", "a/c" is the order of the keys
    while (true) {
        auto key = toVal(sought);
        MDB_val value{};
        const int code = cursor.get(key, value, MDB_SET_RANGE);
        if (code == MDB_NOTFOUND || (code == 0 && !toText(key).starts_with(prefix))) break;
        if (code != 0) return Unexpected{lmdbError(code, "the directories cannot be listed")};
        const auto rest = toText(key).substr(prefix.size());
        const auto end = rest.find_first_of(std::string_view{"/\0", 2});
        const auto name = std::string(rest.substr(0, end));
        sought = prefix + name + (rest[end] == '/' ? '0' : '\x01');  // '0' follows '/'
        names.insert(name);
    }
    for (const auto& name : names) visit(name);
    return {};
}

Result<std::optional<std::vector<Uuid>>> EmbeddedSnapshot::leases() {
    std::vector<Uuid> ids;
    for (const auto& lease : listLeases(read_.txn(), read_.databases())) ids.push_back(lease.id);
    return std::optional{std::move(ids)};
}

}  // namespace midonet::nsdb::embedded
