#include "nsdb/table_merge.h"

#include <set>
#include <string_view>

#include "nsdb/layout.h"

namespace midonet::nsdb {
namespace {

bool isPersistent(std::string_view recordName) {
    return recordName.front() == static_cast<char>(TableSlot::Persistent);
}

}  // namespace

TableChange TableMerge::apply(const DirectoryChange& change) {
    std::set<std::string> touched;
    if (change.reset) {
        for (auto& [key, slots] : slots_) {
            slots.learned.reset();
            slots.persistent.reset();
            touched.insert(key);
        }
    }
    for (const auto& entry : change.updated) {
        const bool persistent = isPersistent(entry.name);
        auto key = decodeName(std::string_view(entry.name).substr(1));
        auto& slots = slots_[key];
        (persistent ? slots.persistent : slots.learned) =
            TableEntry{key, entry.value, entry.version, persistent, entry.lease};
        touched.insert(std::move(key));
    }
    for (const auto& name : change.removed) {
        auto key = decodeName(std::string_view(name).substr(1));
        const auto slots = slots_.find(key);
        if (slots == slots_.end()) continue;
        (isPersistent(name) ? slots->second.persistent : slots->second.learned).reset();
        touched.insert(std::move(key));
    }
    TableChange out;
    for (const auto& key : touched) tell(slots_.find(key), out);
    return out;
}

void TableMerge::tell(std::map<std::string, Slots>::iterator slots, TableChange& out) {
    const auto& winner = slots->second.winner();
    if (!winner) {
        if (slots->second.told != 0) out.removed.push_back(slots->first);
        slots_.erase(slots);
        return;
    }
    if (winner->version == slots->second.told) return;
    slots->second.told = winner->version;
    out.updated.push_back(*winner);
}

}  // namespace midonet::nsdb
