#include "nsdb/table_references.h"

#include <google/protobuf/message.h>

#include <set>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "nsdb/layout.h"
#include "nsdb/store.h"

namespace midonet::nsdb {
namespace {

constexpr std::string_view kMacTables = "/mac_table/";
constexpr std::uint16_t kUntagged = 0;
constexpr char kPersistent = static_cast<char>(TableSlot::Persistent);

}  // namespace

const model::ClassSchema* classNamedIn(const model::Schema& schema, std::string_view table) {
    return table.starts_with("Bridge/") && table.find(kMacTables) != table.npos ? schema.byName("Port") : nullptr;
}

std::optional<TablesNaming> tablesNaming(const model::Message& object) {
    if (object.GetDescriptor() != model::Port::descriptor()) return std::nullopt;
    const auto& port = static_cast<const model::Port&>(object);
    if (port.bridge_id().empty()) return std::nullopt;
    const auto bridge = model::uuidOf(port.bridge_id());
    return TablesNaming{macTablesOf(bridge), bridge, macTableName(bridge, kUntagged)};
}

Result<void> removeEntriesNaming(TrackingSnapshot& records, const TablesNaming& tables, const Uuid& id) {
    std::set<std::string> directories{tableDirectory(tables.first)};
    const auto parent = tableDirectory(tables.prefix);
    TRY_VOID(records.listDirectories(parent, [&](std::string_view name) { directories.insert(fmt::format("{}/{}", parent, name)); }));
    for (const auto& directory : directories) {
        std::vector<RecordKey> naming;
        TRY_VOID(records.listBeginning(directory, std::string_view{&kPersistent, 1}, [&](const Record& record) {
            if (record.value == id.toString()) naming.push_back({directory, std::string(record.name)});
        }));
        for (const auto& key : naming) records.remove(key);
    }
    return {};
}

}  // namespace midonet::nsdb
