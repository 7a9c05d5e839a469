#include "world.h"

#include <thread>

#include "model/ids.h"
#include "nsdb/memory.h"

namespace midonet::nsdb {
namespace {

using namespace std::chrono_literals;

class MemoryWorld final : public World {
public:
    std::unique_ptr<Store> open() override {
        return makeObjectStore(makeMemoryBackend(shared_), fleetSchema());
    }
    event::Loop& loop() override { return *loop_; }
    bool runUntil(const std::function<bool()>& condition) override {
        // Half a minute of virtual time at once; the real time is for tests with threads.
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        for (int i = 0; std::chrono::steady_clock::now() < deadline; ++i) {
            loop_->runReady();
            if (condition()) return true;
            if (i < 3000)
                loop_->advance(10ms);
            else
                std::this_thread::yield();
        }
        return false;
    }
    void keepChanges(std::size_t count) override { shared_ = makeSharedMemory(count); }
    void expire(Store&, const Uuid& session) override { EXPECT_TRUE(expireSession(*shared_, session)); }
    void cutOff(Store& store) override { setReachable(store, false); }
    void reconnect(Store& store) override { setReachable(store, true); }

private:
    std::unique_ptr<event::Loop> loop_ = event::Loop::createVirtual("test");
    std::shared_ptr<SharedMemory> shared_ = makeSharedMemory();
};

}  // namespace

const model::Schema& fleetSchema() {
    static const model::Schema schema({fleet::Ship::descriptor()->file()});
    return schema;
}

void World::settle(Store& store) {
    const auto id = Uuid::random();
    const auto made = store.transact([&](Transaction& t) { return t.create(captain(id)); });
    ASSERT_TRUE(made);
    bool seen = false;
    const auto watch = store.watchObject(loop(), fleet::Captain::descriptor(), id,
                                         [&](const auto& object) { seen = object != nullptr; });
    ASSERT_TRUE(runUntil([&] { return seen; }));
}

BackendKind memoryKind() {
    return {"memory", [] { return std::make_unique<MemoryWorld>(); }};
}

fleet::Harbour harbour(const Uuid& id, const std::string& name) {
    fleet::Harbour out;
    model::setId(out, id);
    out.set_name(name);
    return out;
}

fleet::Captain captain(const Uuid& id, const Uuid& home) {
    fleet::Captain out;
    model::setId(out, id);
    out.set_home_id(model::bytesOf(home));
    return out;
}

fleet::Ship ship(const Uuid& id, const Uuid& harbour, const Uuid& captain) {
    fleet::Ship out;
    model::setId(out, id);
    out.set_harbour_id(model::bytesOf(harbour));
    out.set_captain_id(model::bytesOf(captain));
    return out;
}

}  // namespace midonet::nsdb
