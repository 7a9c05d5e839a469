#include "maintenance/image.h"

#include <vector>

namespace midonet::maintenance {
namespace {

using nsdb::Record;

/// How often a store is read before others are found to be too busy with it.
constexpr int kAttempts = 10;

Result<void> readTree(nsdb::Snapshot& snapshot, const std::string& path, Image& out) {
    Image::Directory records;
    TRY(version, snapshot.list(path, [&records](const Record& record) {
        records.emplace(record.name, ImageRecord{std::string(record.value), record.version, record.lease});
    }));
    static_cast<void>(version);
    if (!records.empty()) out.directories.emplace(path, std::move(records));
    std::vector<std::string> below;
    TRY_VOID(snapshot.listDirectories(path, [&below](std::string_view name) { below.emplace_back(name); }));
    for (const auto& name : below) TRY_VOID(readTree(snapshot, path + '/' + name, out));
    return {};
}

Result<Image> readOnce(nsdb::Backend& backend, std::span<const std::string_view> roots) {
    TRY(snapshot, backend.snapshot());
    Image out;
    out.revision = snapshot->revision();
    for (const auto root : roots) TRY_VOID(readTree(*snapshot, std::string(root), out));
    TRY(leases, snapshot->leases());
    if (leases) out.leases.emplace(leases->begin(), leases->end());
    return out;
}

/// Versions only grow: what has the same ones twice was so all the time between.
bool samePersistentRecords(const Image& a, const Image& b) {
    const auto versions = [](const Image& image) {
        std::vector<std::pair<nsdb::RecordKey, nsdb::Revision>> out;
        for (const auto& [path, records] : image.directories)
            for (const auto& [name, record] : records)
                if (record.lease.isNil()) out.emplace_back(nsdb::RecordKey{path, name}, record.version);
        return out;
    };
    return versions(a) == versions(b);
}

}  // namespace

const ImageRecord* Image::find(const nsdb::RecordKey& key) const {
    const auto& records = directory(key.directory);
    const auto found = records.find(key.name);
    return found == records.end() ? nullptr : &found->second;
}

const Image::Directory& Image::directory(std::string_view path) const {
    static const Directory kNone;
    const auto found = directories.find(path);
    return found == directories.end() ? kNone : found->second;
}

Result<Image> readImage(nsdb::Backend& backend, std::span<const std::string_view> roots) {
    TRY(image, readOnce(backend, roots));
    if (backend.isolated()) return image;
    for (int attempt = 1; attempt < kAttempts; ++attempt) {
        TRY(again, readOnce(backend, roots));
        const bool same = samePersistentRecords(image, again);
        image = std::move(again);
        if (same) return image;
    }
    return fail(ErrorCode::Stale, "others keep changing the store while it is read; stop the programs that write, or try again later");
}

}  // namespace midonet::maintenance
