#include <map>
#include <mutex>

#include "ensemble.h"
#include "nsdb/zookeeper/zookeeper_backend.h"
#include "relay.h"
#include "world.h"

namespace midonet::nsdb {
namespace {

using namespace std::chrono_literals;

/// A root of its own on servers that all tests share. Each store has a relay that can be cut.
class ZookeeperWorld final : public World {
public:
    explicit ZookeeperWorld(Ensemble& ensemble) {
        for (std::size_t i = 0; i < ensemble.size(); ++i) ports_.push_back(ensemble.port(i));
    }
    std::unique_ptr<Store> open() override {
        auto relay = std::make_unique<Relay>(ports_);
        ZookeeperOptions options{.hosts = relay->address(), .root = root_, .patience = 2s, .keptChanges = keptChanges_};  // longer than the longest pause between two connections
        auto backend = zookeeper::makeBackend(options);
        EXPECT_TRUE(backend) << backend.error().message;
        auto store = makeObjectStore(std::move(*backend), fleetSchema());
        const std::lock_guard lock(mutex_);
        relays_[store.get()] = std::move(relay);
        return store;
    }
    event::Loop& loop() override { return *loop_; }
    bool runUntil(const std::function<bool()>& condition) override { return runLoopUntil(*loop_, condition); }
    void keepChanges(std::size_t count) override { keptChanges_ = count; }
    void expire(Store& store, const Uuid& session) override {
        const auto done = zookeeper::expireSession(backendOf(store), session);
        EXPECT_TRUE(done) << done.error().message;
    }
    void cutOff(Store& store) override { relays_.at(&store)->cut(); }
    void reconnect(Store& store) override { relays_.at(&store)->restore(); }

private:
    const std::string root_ = "/" + Uuid::random().toString();
    std::vector<std::uint16_t> ports_;
    std::size_t keptChanges_ = ZookeeperOptions{}.keptChanges;
    std::mutex mutex_;
    std::map<Store*, std::unique_ptr<Relay>> relays_;  // guarded by mutex_
    std::unique_ptr<event::Loop> loop_ = event::Loop::create("test");
};

}  // namespace

BackendKind zookeeperKind() {
    return {"zookeeper", [] { return std::make_unique<ZookeeperWorld>(Ensemble::single()); }};
}

BackendKind ensembleKind() {
    return {"ensemble", [] { return std::make_unique<ZookeeperWorld>(Ensemble::three()); }};
}

}  // namespace midonet::nsdb
