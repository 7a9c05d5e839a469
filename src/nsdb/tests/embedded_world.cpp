#include <stdlib.h>

#include <cstdio>
#include <filesystem>

#include "nsdb/embedded/embedded_backend.h"
#include "world.h"

namespace midonet::nsdb {
namespace {

using namespace std::chrono_literals;

class EmbeddedWorld final : public World {
public:
    std::unique_ptr<Store> open() override {
        auto backend = embedded::makeBackend({.path = path_, .keptRevisions = keptRevisions_});
        EXPECT_TRUE(backend) << backend.error().message;
        return makeObjectStore(std::move(*backend), fleetSchema());
    }
    event::Loop& loop() override { return *loop_; }
    bool runUntil(const std::function<bool()>& condition) override {
        return runLoopUntil(*loop_, condition);
    }
    void keepChanges(std::size_t count) override { keptRevisions_ = count; }
    void expire(Store& store, const Uuid& session) override {
        const auto done = embedded::expireSession(backendOf(store), session);
        EXPECT_TRUE(done) << done.error().message;
    }
    void cutOff(Store&) override { move(path_, path_ + ".away"); }
    void reconnect(Store&) override { move(path_ + ".away", path_); }

private:
    static void move(const std::string& from, const std::string& to) {
        EXPECT_EQ(::rename(from.c_str(), to.c_str()), 0) << from;
    }
    TemporaryFolder folder_;
    const std::string path_ = folder_.path() + "/store";
    std::size_t keptRevisions_ = EmbeddedOptions{}.keptRevisions;
    std::unique_ptr<event::Loop> loop_ = event::Loop::create("test");
};

}  // namespace

TemporaryFolder::TemporaryFolder() : path_(testing::TempDir() + "nsdb-XXXXXX") {
    EXPECT_NE(::mkdtemp(path_.data()), nullptr) << path_;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

bool runLoopUntil(event::Loop& loop, const std::function<bool()>& condition) {
    bool holds = condition();
    if (holds) return true;
    const auto check = loop.every(1ms, [&] {
        holds = condition();
        if (holds) loop.stop();
    });
    const auto deadline = loop.after(30s, [&] { loop.stop(); });
    loop.run();
    return holds;
}

BackendKind embeddedKind() {
    return {"embedded", [] { return std::make_unique<EmbeddedWorld>(); }};
}

}  // namespace midonet::nsdb
