#pragma once

#include <memory>
#include <string>

#include "nsdb/store.h"

namespace midonet::rest {

/// Reads of what is one tenant's (`owner` in schema/options.proto): all else is not there. Of an object, references to what is not
/// the tenant's, and what is restricted, are left out. The answers to questions that name something that is not the tenant's are those to
/// ones that name nothing.
std::unique_ptr<nsdb::View> viewOfTenant(std::unique_ptr<nsdb::View> whole, std::string tenant);
/// The same; `whole` outlives it.
std::unique_ptr<nsdb::View> viewOfTenant(nsdb::View& whole, std::string tenant);

/// Reads and writes of what is one tenant's. Objects are read as they are stored, to be written again as they were but for what the
/// tenant changes. What a new object has to name of its tenant is written here. Refused are references to what is not the tenant's
/// (NotFound, as if it were not there), objects for another tenant, and changes of what an administrator has set: what is restricted, and
/// references the tenant does not see (PermissionDenied). What goes with a removed object goes whoever's it is. `whole` outlives it.
std::unique_ptr<nsdb::Transaction> transactionOfTenant(nsdb::Transaction& whole, std::string tenant);

/// The object whose table it is (nsdb::macTableName() and the like), if it is there and the tenant's.
Result<bool> ownsTable(nsdb::View& ofTenant, std::string_view table);

}  // namespace midonet::rest
