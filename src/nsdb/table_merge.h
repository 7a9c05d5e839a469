#pragma once

#include <map>
#include <optional>
#include <string>

#include "nsdb/backend.h"
#include "nsdb/store.h"

namespace midonet::nsdb {

/// Winners of a state table: of each key the learned entry, else the persistent one. Fed with
/// the changes of the table's directory, gives the changes of the winners.
class TableMerge {
public:
    TableChange apply(const DirectoryChange& change);

private:
    struct Slots {
        std::optional<TableEntry> learned;
        std::optional<TableEntry> persistent;
        Revision told = 0;  ///< Version of the winner told last; 0: none.
        const std::optional<TableEntry>& winner() const { return learned ? learned : persistent; }
    };
    void tell(std::map<std::string, Slots>::iterator slots, TableChange& out);

    std::map<std::string, Slots> slots_;
};

}  // namespace midonet::nsdb
