#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "event/loop.h"
#include "fleet/fleet.pb.h"
#include "model/schema.h"
#include "nsdb/object_store.h"
#include "nsdb/store.h"

namespace midonet::nsdb {

/// The classes of fleet.proto.
const model::Schema& fleetSchema();

/// A backend as the conformance suite sees it: several stores on the same data, one loop for their
/// callbacks, and the faults every backend knows.
class World {
public:
    virtual ~World() = default;
    /// One more client, with the fleet's schema.
    virtual std::unique_ptr<Store> open() = 0;
    virtual event::Loop& loop() = 0;
    /// Runs the loop until the condition holds; false when it does not within the deadline.
    virtual bool runUntil(const std::function<bool()>& condition) = 0;
    /// How many changes the log keeps, in stores that are opened from now on while no other is open.
    virtual void keepChanges(std::size_t count) = 0;
    /// Ends a session as if its process had been frozen for too long.
    virtual void expire(Store& store, const Uuid& session) = 0;
    /// Makes the data unreachable for the store, and reachable again.
    virtual void cutOff(Store& store) = 0;
    virtual void reconnect(Store& store) = 0;

    /// Runs what is on its way: until a watch made now has delivered.
    void settle(Store& store);
};

using MakeWorld = std::function<std::unique_ptr<World>()>;
struct BackendKind {
    std::string name;
    MakeWorld make;
};
inline void PrintTo(const BackendKind& kind, std::ostream* out) { *out << kind.name; }

BackendKind memoryKind();
BackendKind embeddedKind();
BackendKind zookeeperKind();
BackendKind ensembleKind();
/// Those that the conformance suite of this program runs on; each program has its own.
std::vector<BackendKind> conformanceKinds();

/// A folder of its own, removed at the end.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// Runs a real loop until the condition holds, or the deadline passes (false).
bool runLoopUntil(event::Loop& loop, const std::function<bool()>& condition);

/// Base of the suites that run on every backend.
class Conformance : public testing::TestWithParam<BackendKind> {
protected:
    Conformance() : world_(GetParam().make()), store_(world_->open()) {}

    void commit(const std::function<Result<void>(Transaction&)>& body) { commitOn(*store_, body); }
    void commitOn(Store& store, const std::function<Result<void>(Transaction&)>& body) {
        const auto result = store.transact(body);
        ASSERT_TRUE(result) << result.error().message;
    }
    /// The error of a transaction that must fail.
    Error refused(const std::function<Result<void>(Transaction&)>& body) {
        const auto result = store_->transact(body);
        EXPECT_FALSE(result);
        return result ? Error{} : result.error();
    }
    template <class T>
    std::shared_ptr<const T> read(const Uuid& id) {
        const auto view = store_->view();
        EXPECT_TRUE(view);
        const auto found = (*view)->get<T>(id);
        return found ? found->object : nullptr;
    }
    void create(const Message& object) {
        commit([&](Transaction& t) { return t.create(object); });
    }

    std::unique_ptr<World> world_;
    std::unique_ptr<Store> store_;
};

#define MIDONET_CONFORMANCE(suite, kinds) \
    INSTANTIATE_TEST_SUITE_P(Backends, suite, testing::ValuesIn(kinds), [](const auto& info) { return info.param.name; })

fleet::Harbour harbour(const Uuid& id, const std::string& name = {});
fleet::Captain captain(const Uuid& id, const Uuid& home = {});
fleet::Ship ship(const Uuid& id, const Uuid& harbour = {}, const Uuid& captain = {});

}  // namespace midonet::nsdb
