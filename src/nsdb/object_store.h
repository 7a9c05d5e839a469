#pragma once

#include <memory>

#include "model/schema.h"
#include "nsdb/backend.h"
#include "nsdb/store.h"

namespace midonet::nsdb {

/// The object layer above a backend: classes, references, tables, sessions, elections.
std::unique_ptr<Store> makeObjectStore(std::unique_ptr<Backend> backend,
                                       const model::Schema& schema = model::Schema::get());
/// The backend of a store made so.
Backend& backendOf(Store& store);

}  // namespace midonet::nsdb
