#include "maintenance/status.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "maintenance/contents.h"
#include "model/topology.pb.h"
#include "nsdb/layout.h"

namespace midonet::maintenance {
namespace {

struct Owner {
    std::string host;
    std::size_t states = 0;
    std::size_t learned = 0;
    std::size_t candidacies = 0;
};

/// "NAME (ID)" of the host whose state a record of "s/Host/ID" is.
std::string hostOf(const Image& image, const std::string& id) {
    model::Host host;
    const auto* record = image.find({"o/Host", id});
    if (record == nullptr || !host.ParseFromString(record->value)) return id;
    return fmt::format("{} ({})", host.name(), id);
}

std::map<Uuid, Owner> ownersOf(const Image& image) {
    constexpr std::string_view kHostState = "s/Host/";
    std::map<Uuid, Owner> out;
    for (const auto& lease : image.leases.value_or(std::set<Uuid>{})) out.try_emplace(lease);
    for (const auto& [path, records] : image.directories)
        for (const auto& [name, record] : records) {
            if (record.lease.isNil()) continue;
            auto& owner = out[record.lease];
            ++(path.starts_with("s/") ? owner.states : path.starts_with("t/") ? owner.learned : owner.candidacies);
            if (path.starts_with(kHostState) && name == "alive") owner.host = hostOf(image, path.substr(kHostState.size()));
        }
    return out;
}

}  // namespace

std::string describe(const Image& image, const model::Schema& schema) {
    std::string out;
    const auto line = [&out](std::string_view what, const auto& value) { out += fmt::format("{:<18} {}\n", what, value); };
    line("revision", image.revision);
    line("schema version", nsdb::kSchemaVersion);
    if (image.find(nsdb::unfinishedLoadMark()) != nullptr) line("load", "UNFINISHED: load again, with --replace");
    for (const auto& type : schema.classes())
        if (const auto count = image.directory(nsdb::objectDirectory(*type)).size(); count > 0) line(type->name, count);

    std::size_t persistent = 0;
    image.forEachBelow("t", [&](const std::string&, const Image::Directory& records) {
        for (const auto& [name, record] : records) persistent += record.lease.isNil() ? 1 : 0;
    });
    line("persistent entries", persistent);
    for (const auto& [name, record] : image.directory("c")) line("counter " + nsdb::decodeName(name), record.value);

    const auto owners = ownersOf(image);
    line("sessions", owners.size());
    for (const auto& [session, owner] : owners)
        out += fmt::format("  {}  {}: {} states, {} learned entries, {} candidacies\n", session,
                           owner.host.empty() ? "no agent" : "agent of " + owner.host, owner.states, owner.learned, owner.candidacies);
    return out;
}

std::uint64_t sizeOfFolder(const std::string& path) {
    std::uint64_t bytes = 0;
    std::error_code error;
    auto file = std::filesystem::recursive_directory_iterator(path, error);
    for (; !error && file != std::filesystem::end(file); file.increment(error))
        if (file->is_regular_file(error)) bytes += file->file_size(error);
    return bytes;
}

}  // namespace midonet::maintenance
