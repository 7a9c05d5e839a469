#pragma once

#include <optional>
#include <set>
#include <string>

#include "nsdb/store.h"
#include "rest/fault.h"

namespace midonet::rest {

/// Writes what changes in the store as lines of JSON, one for each transaction, a part at a time. 410 where the store does not know
/// any more what changed. One thread at a time.
class ChangeLines {
public:
    /// `types`: only changes of these are written, and transactions that have any; empty: all.
    ChangeLines(nsdb::Store& store, std::set<nsdb::Class> types) : store_(store), types_(std::move(types)) {}

    /// Behind that revision; nullopt: behind the newest. Gives a line that says which that is, or the first lines.
    Outcome<std::string> begin(std::optional<nsdb::Revision> since);
    /// The next lines; empty: there are none now.
    Outcome<std::string> next();
    /// Whether there may be more at once.
    bool more() const { return more_; }
    /// A line without changes: how far this is.
    std::string mark();
    /// The same, unless the last line says it.
    std::string markIfNew() { return marked_ == position_ ? std::string{} : mark(); }

private:
    Outcome<void> read(std::optional<nsdb::Revision> since, std::string& out);

    nsdb::Store& store_;
    std::set<nsdb::Class> types_;
    nsdb::Revision position_ = 0;
    std::optional<nsdb::Revision> marked_;
    bool more_ = false;
};

}  // namespace midonet::rest
