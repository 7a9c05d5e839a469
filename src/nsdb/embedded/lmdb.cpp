#include "nsdb/embedded/lmdb.h"

#include <cerrno>

#include "base/bytes.h"

namespace midonet::nsdb::embedded {
namespace {

ErrorCode classify(int code) {
    switch (code) {
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
        case MDB_MAP_FULL:
        case MDB_TXN_FULL:
        case MDB_READERS_FULL: return ErrorCode::Exhausted;
        case EACCES:
        case EPERM:
        case EROFS: return ErrorCode::PermissionDenied;
        case MDB_INVALID:
        case MDB_CORRUPTED:
        case MDB_PAGE_NOTFOUND:
        case MDB_VERSION_MISMATCH: return ErrorCode::Malformed;
        case MDB_BAD_VALSIZE: return ErrorCode::Invalid;
        default: return ErrorCode::Unavailable;
    }
}

std::string_view adviceFor(ErrorCode code) {
    switch (code) {
        case ErrorCode::Exhausted: return "; make room on its disk";
        case ErrorCode::PermissionDenied:
            return "; let this user read and write it, or run as a user who may";
        case ErrorCode::Malformed: return "; it is not a store or is damaged: name another folder, or restore a backup";
        default: return "";
    }
}

}  // namespace

Error lmdbError(int code, std::string_view doing) {
    const auto kind = classify(code);
    return {kind, fmt::format("{}: {}{}", doing, mdb_strerror(code), adviceFor(kind))};
}

std::uint64_t loadNumber(std::string_view bytes) {
    if (bytes.size() < 8) return 0;
    return loadBe64(reinterpret_cast<const std::uint8_t*>(bytes.data()));
}

NumberText::NumberText(std::uint64_t number) { storeBe64(bytes, number); }

}  // namespace midonet::nsdb::embedded
