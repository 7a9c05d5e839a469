#include "host/registration.h"

#include <gmock/gmock.h>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "nsdb/memory.h"

namespace midonet::host {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// Two agents with the same host id on one NSDB.
class RegistrationTest : public testing::Test {
protected:
    struct Agent {
        Agent(RegistrationTest& world, std::string name)
            : session(world.store->openSession(*world.loop, 30s)),
              registration(*world.loop, world.pool, *world.store, *session, {world.id, std::move(name), "1"}, [this](Registration::Time time) { time == Registration::Time::First ? ++ready : ++again; }) {}
        std::unique_ptr<nsdb::Session> session;
        int ready = 0;
        int again = 0;
        Registration registration;
    };
    std::string nameInStore() {
        const auto view = store->view();
        const auto found = (*view)->get<model::Host>(id.uuid());
        return found ? found->object->name() : "";
    }
    const HostId id{Uuid{1, 1}};
    std::shared_ptr<nsdb::SharedMemory> shared = nsdb::makeSharedMemory();
    std::unique_ptr<event::Loop> loop = event::Loop::createVirtual("test");
    std::unique_ptr<nsdb::Store> store = nsdb::openMemory(shared);
    event::BlockingPool pool{*loop};
};

TEST_F(RegistrationTest, TheSecondWaitsForTheFirstToEnd) {
    auto first = std::make_unique<Agent>(*this, "first");
    loop->advance(1s);
    EXPECT_EQ(first->ready, 1);
    Agent second(*this, "second");
    loop->advance(10s);
    EXPECT_EQ(second.ready, 0);
    EXPECT_THAT(second.registration.problem(), HasSubstr("another agent is alive"));
    EXPECT_EQ(nameInStore(), "first");
    first.reset();
    loop->advance(1s);
    EXPECT_EQ(second.ready, 1);
    EXPECT_EQ(second.registration.problem(), "");
    EXPECT_EQ(nameInStore(), "second");
}

TEST_F(RegistrationTest, WhoLosesTheHostGetsItBackWhole) {
    Agent first(*this, "first");
    loop->advance(1s);
    auto second = std::make_unique<Agent>(*this, "second");
    loop->advance(1s);
    // Cut off for longer than its session lives.
    nsdb::expireSession(*shared, first.session->id());
    second->session->claimState(model::Host::descriptor(), id.uuid(), "alive", "second", [](const auto& taken) { EXPECT_TRUE(taken); });
    loop->advance(3s);
    EXPECT_THAT(first.registration.problem(), HasSubstr("another agent is alive"));
    second.reset();
    loop->advance(3s);
    EXPECT_EQ(first.registration.problem(), "");
    EXPECT_EQ(nameInStore(), "first");
    EXPECT_EQ(first.ready, 1);
    EXPECT_EQ(first.again, 1);
}

TEST_F(RegistrationTest, ALostSessionAloneIsNoNewRegistration) {
    Agent only(*this, "only");
    loop->advance(1s);
    nsdb::expireSession(*shared, only.session->id());
    loop->advance(3s);
    EXPECT_EQ(only.registration.problem(), "");
    EXPECT_EQ(only.again, 0);
}

}  // namespace
}  // namespace midonet::host
