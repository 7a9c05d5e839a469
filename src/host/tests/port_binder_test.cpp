#include "host/port_binder.h"

#include <gmock/gmock.h>

#include "model/ids.h"
#include "model/topology.pb.h"

namespace midonet::host {
namespace {

using testing::HasSubstr;

class PortBinderTest : public testing::Test {
protected:
    PortBinderTest() {
        const auto made = store->transact([&](nsdb::Transaction& transaction) -> Result<void> {
            for (const auto& id : {here, there}) {
                model::Host host;
                host.set_id(model::bytesOf(id.uuid()));
                TRY_VOID(transaction.create(host));
            }
            model::Bridge bridge;
            bridge.set_id(model::bytesOf(Uuid{2, 1}));
            TRY_VOID(transaction.create(bridge));
            for (const auto& id : {one, two}) {
                model::Port port;
                port.set_id(model::bytesOf(id.uuid()));
                port.set_bridge_id(bridge.id());
                TRY_VOID(transaction.create(port));
            }
            return {};
        });
        EXPECT_TRUE(made) << made.error().message;
    }
    model::Port stored(const PortId& id) const { return *(*store->view())->get<model::Port>(id.uuid())->object; }
    /// Host and interface: "" when it is not bound.
    std::string boundTo(const PortId& id) const { return stored(id).place(); }

    const HostId here{Uuid{1, 1}}, there{Uuid{1, 2}};
    const PortId one{Uuid{3, 1}}, two{Uuid{3, 2}};
    std::unique_ptr<nsdb::Store> store = nsdb::openMemory();
};

TEST_F(PortBinderTest, BindsAndUnbinds) {
    ASSERT_TRUE(bindPort(*store, here, one, "tap1"));
    EXPECT_EQ(boundTo(one), here.toString() + "/tap1");
    EXPECT_EQ(stored(one).interface_name(), "tap1");
    EXPECT_TRUE(bindPort(*store, here, one, "tap1")) << "said twice";
    ASSERT_TRUE(bindPort(*store, here, one, "tap2")) << "plugged in elsewhere";
    EXPECT_EQ(boundTo(one), here.toString() + "/tap2");
    ASSERT_TRUE(unbindPort(*store, here, one));
    EXPECT_EQ(boundTo(one), "");
    EXPECT_TRUE(stored(one).host_id().empty());
    EXPECT_TRUE(unbindPort(*store, here, one)) << "said twice";
}

/// The new host binds before the old one unbinds: that comes too late to do harm.
TEST_F(PortBinderTest, AMachineThatMovesIsNotUnboundByTheHostItLeft) {
    ASSERT_TRUE(bindPort(*store, here, one, "tap1"));
    ASSERT_TRUE(bindPort(*store, there, one, "tap9"));
    EXPECT_EQ(model::uuidOf(stored(one).previous_host_id()), here.uuid());
    ASSERT_TRUE(unbindPort(*store, here, one));
    EXPECT_EQ(boundTo(one), there.toString() + "/tap9");
}

TEST_F(PortBinderTest, AnInterfaceHasOnePort) {
    ASSERT_TRUE(bindPort(*store, here, one, "tap1"));
    const auto second = bindPort(*store, here, two, "tap1");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::Conflict);
    EXPECT_THAT(second.error().message, HasSubstr(one.toString()));
    EXPECT_TRUE(bindPort(*store, there, two, "tap1")) << "of this name, on another host";
}

TEST_F(PortBinderTest, WhatCannotBeIsNamed) {
    for (const auto* name : {"", "tap one", "a/b", "of-sixteen-chars"}) {
        const auto bound = bindPort(*store, here, one, name);
        ASSERT_FALSE(bound) << name;
        EXPECT_EQ(bound.error().code, ErrorCode::Invalid);
    }
    EXPECT_EQ(bindPort(*store, here, PortId{Uuid{9, 9}}, "tap1").error().code, ErrorCode::NotFound);
    EXPECT_EQ(unbindPort(*store, here, PortId{Uuid{9, 9}}).error().code, ErrorCode::NotFound);
    EXPECT_EQ(bindPort(*store, HostId{Uuid{9, 9}}, one, "tap1").error().code, ErrorCode::NotFound) << "a host that never registered";
}

TEST_F(PortBinderTest, ALinkedPortIsNotBound) {
    const auto linked = store->transact([&](nsdb::Transaction& transaction) -> Result<void> {
        auto port = *transaction.get<model::Port>(one.uuid())->object;
        port.set_peer_id(model::bytesOf(two.uuid()));
        return transaction.update(port);
    });
    ASSERT_TRUE(linked) << linked.error().message;
    const auto bound = bindPort(*store, here, one, "tap1");
    ASSERT_FALSE(bound);
    EXPECT_EQ(bound.error().code, ErrorCode::Conflict);
    EXPECT_THAT(bound.error().message, HasSubstr(two.toString()));
}

}  // namespace
}  // namespace midonet::host
