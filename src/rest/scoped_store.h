#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nsdb/store.h"
#include "rest/authenticator.h"

namespace midonet::rest {

/// The store as the caller of a request may use it: all of it for administrators, at no cost; for a tenant what is its own, and
/// nothing else (tenant_scope.h). A small value; the store outlives it.
class ScopedStore {
public:
    ScopedStore(nsdb::Store& store, const Identity& caller);

    bool readsBlock() const { return store_->readsBlock(); }
    /// Whether it is a tenant's part.
    bool isOfTenant() const { return tenant_.has_value(); }
    Result<std::unique_ptr<nsdb::View>> view() const;
    /// Reads of a transaction of this, as its caller is shown them; to be used while the transaction runs.
    std::unique_ptr<nsdb::View> shown(nsdb::Transaction& transaction) const;
    Result<nsdb::Revision> transact(const std::function<Result<void>(nsdb::Transaction&)>& body) const;
    /// Of what the caller does not see: empty.
    Result<std::vector<nsdb::TableEntry>> readTable(std::string_view table) const;
    Result<std::vector<std::string>> listTables(std::string_view prefix) const;

private:
    Result<bool> mayRead(std::string_view table) const;

    nsdb::Store* store_;
    std::optional<std::string> tenant_;
};

}  // namespace midonet::rest
