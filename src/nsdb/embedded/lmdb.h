#pragma once

#include <lmdb.h>

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace midonet::nsdb::embedded {

/// LMDB's and the system's error numbers as an Error: disk full is Exhausted, a file that cannot be
/// read or written is Unavailable or PermissionDenied.
Error lmdbError(int code, std::string_view doing);

inline MDB_val toVal(std::string_view text) {
    return {text.size(), const_cast<char*>(text.data())};
}
inline std::string_view toText(const MDB_val& value) {
    return {static_cast<const char*>(value.mv_data), value.mv_size};
}

/// Closes itself.
class Cursor {
public:
    Cursor(MDB_txn* txn, MDB_dbi dbi) : code_(mdb_cursor_open(txn, dbi, &cursor_)) {}
    ~Cursor() {
        if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    }
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    int get(MDB_val& key, MDB_val& value, MDB_cursor_op op) {
        return code_ != 0 ? code_ : mdb_cursor_get(cursor_, &key, &value, op);
    }
    int erase() { return code_ != 0 ? code_ : mdb_cursor_del(cursor_, 0); }

private:
    MDB_cursor* cursor_ = nullptr;
    int code_ = 0;
};

/// Numbers in keys and values: big-endian, so that they sort.
std::uint64_t loadNumber(std::string_view bytes);
struct NumberText {
    explicit NumberText(std::uint64_t number);
    std::string_view view() const { return {reinterpret_cast<const char*>(bytes), sizeof bytes}; }
    std::uint8_t bytes[8];
};

}  // namespace midonet::nsdb::embedded
