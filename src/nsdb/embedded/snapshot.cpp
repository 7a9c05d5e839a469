#include "nsdb/embedded/snapshot.h"

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

}  // namespace midonet::nsdb::embedded
