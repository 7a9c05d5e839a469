#pragma once

#include <gmock/gmock.h>

#include <memory>
#include <random>
#include <string>

#include "event/loop.h"
#include "maintenance/dump.h"
#include "nsdb/memory.h"
#include "nsdb/object_store.h"
#include "nsdb/tests/world.h"

namespace midonet::maintenance {

/// A store in memory with the fleet's classes.
class Cloud {
public:
    nsdb::Store& store() { return *store_; }
    nsdb::Backend& backend() { return nsdb::backendOf(*store_); }
    event::Loop& loop() { return *loop_; }

    void commit(const std::function<Result<void>(nsdb::Transaction&)>& body);
    /// Records past the object layer: damage.
    void write(const nsdb::RecordKey& key, std::optional<std::string> value);
    Image image();
    std::string dump(bool withLeased = false);
    /// A session that has written what `fill` says.
    std::unique_ptr<nsdb::Session> session(const std::function<void(nsdb::Session&)>& fill);

private:
    std::unique_ptr<event::Loop> loop_ = event::Loop::createVirtual("test");
    std::unique_ptr<nsdb::Store> store_ = nsdb::makeObjectStore(nsdb::makeMemoryBackend(nsdb::makeSharedMemory()), nsdb::fleetSchema());
};

/// Everything the schema of the fleet knows: references of each kind, in circles too, lists, unique values, tables, counters.
void fillAtRandom(Cloud& cloud, unsigned seed);

/// A dump without its first line, which says when it was made.
std::string withoutHeader(const std::string& dump);
Result<Contents> parse(const std::string& dump);
/// Contents of the lines between a good header and end.
Result<Contents> parseLines(const std::string& lines);

}  // namespace midonet::maintenance
