#include "rest/scoped_store.h"

#include "base/assert.h"
#include "rest/tenant_scope.h"

namespace midonet::rest {

ScopedStore::ScopedStore(nsdb::Store& store, const Identity& caller) : store_(&store) {
    if (caller.isAdministrator()) return;
    MIDONET_ASSERT(!caller.tenant.empty(), "what has no owner is nobody's but the administrators'");
    tenant_ = caller.tenant;
}

Result<std::unique_ptr<nsdb::View>> ScopedStore::view() const {
    auto whole = store_->view();
    if (!whole || !tenant_) return whole;
    return viewOfTenant(std::move(*whole), *tenant_);
}

std::unique_ptr<nsdb::View> ScopedStore::shown(nsdb::Transaction& transaction) const {
    MIDONET_ASSERT(tenant_, "an administrator is shown what is read");
    return viewOfTenant(transaction, *tenant_);
}

Result<nsdb::Revision> ScopedStore::transact(const std::function<Result<void>(nsdb::Transaction&)>& body) const {
    if (!tenant_) return store_->transact(body);
    return store_->transact([&](nsdb::Transaction& whole) { return body(*transactionOfTenant(whole, *tenant_)); });
}

Result<std::vector<nsdb::TableEntry>> ScopedStore::readTable(std::string_view table) const {
    TRY(may, mayRead(table));
    if (!may) return std::vector<nsdb::TableEntry>{};
    return store_->readTable(table);
}

Result<std::vector<std::string>> ScopedStore::listTables(std::string_view prefix) const {
    TRY(may, mayRead(prefix));
    if (!may) return std::vector<std::string>{};
    return store_->listTables(prefix);
}

Result<bool> ScopedStore::mayRead(std::string_view table) const {
    if (!tenant_) return true;
    TRY(reads, view());
    return ownsTable(*reads, table);
}

}  // namespace midonet::rest
