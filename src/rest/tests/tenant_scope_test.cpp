// What a tenant reads and writes of a store in memory that others use too.
#include "rest/tenant_scope.h"

#include <gtest/gtest.h>

#include <set>

#include "model/ids.h"
#include "model/schema.h"
#include "model/topology.pb.h"
#include "rest/scoped_store.h"

namespace midonet::rest::testing {
namespace {

using model::Bridge;
using model::Chain;
using model::Port;

class TenantScope : public ::testing::Test {
protected:
    TenantScope() {
        redBridge_ = bridgeOf("red");
        blueBridge_ = bridgeOf("blue");
        redPort_ = portOf(redBridge_);
        bluePort_ = portOf(blueBridge_);
        redChain_ = chainOf("red");
        blueChain_ = chainOf("blue");
        model::Host host;
        host_ = add(host);
    }

    template <class T>
    Uuid add(T object) {
        const auto id = Uuid::random();
        model::setId(object, id);
        EXPECT_TRUE(store_->transact([&](nsdb::Transaction& t) { return t.create(object); }));
        return id;
    }
    Uuid bridgeOf(const std::string& tenant) {
        Bridge bridge;
        bridge.set_tenant_id(tenant);
        return add(bridge);
    }
    Uuid portOf(const Uuid& bridge) {
        Port port;
        port.set_bridge_id(model::bytesOf(bridge));
        return add(port);
    }
    Uuid chainOf(const std::string& tenant) {
        Chain chain;
        chain.set_tenant_id(tenant);
        return add(chain);
    }
    template <class T>
    T read(const Uuid& id) {
        return *(*store_->view())->get<T>(id)->object;
    }
    template <class T, class Change>
    Result<nsdb::Revision> change(const ScopedStore& store, const Uuid& id, const Change& change) {
        return store.transact([&](nsdb::Transaction& t) -> Result<void> {
            TRY(found, t.get<T>(id));
            T next = *found.object;
            change(next);
            return t.update(next);
        });
    }
    template <class T, class Change>
    void asAdministrator(const Uuid& id, const Change& how) {
        EXPECT_TRUE(change<T>(whole_, id, how));
    }
    static std::string message(const Result<nsdb::Revision>& outcome) { return outcome ? "done" : outcome.error().message; }

    std::unique_ptr<nsdb::Store> store_ = nsdb::openMemory();
    const ScopedStore whole_{*store_, Identity{.user = "ann", .tenant = "service"}};
    const ScopedStore red_{*store_, Identity{.user = "bob", .tenant = "red", .role = Role::TenantAdmin}};
    Uuid redBridge_, blueBridge_, redPort_, bluePort_, redChain_, blueChain_, host_;
};

TEST_F(TenantScope, EveryClassSaysWhoseItsObjectsAre) {
    const std::set<std::string> kAdministrators{"Host", "TunnelZone", "TunnelZoneMember", "ServiceContainerGroup", "ServiceContainer",
                                                "Vtep", "NatBlock", "ConfigTemplate", "HostConfig"};
    for (const auto& schema : model::Schema::get().classes()) EXPECT_EQ(schema->isOfTenants(), !kAdministrators.contains(schema->name)) << schema->name;
}

TEST_F(TenantScope, WhatIsNotTheirsIsNotThere) {
    const auto view = std::move(*red_.view());
    EXPECT_TRUE(view->get<Bridge>(redBridge_));
    EXPECT_TRUE(view->get<Port>(redPort_)) << "part of what is theirs";
    for (const auto& [type, id] : {std::pair{Bridge::descriptor(), blueBridge_}, {Port::descriptor(), bluePort_}, {model::Host::descriptor(), host_}}) {
        const auto nobody = Uuid::random();
        const auto foreign = view->get(type, id);
        ASSERT_FALSE(foreign);
        EXPECT_EQ(foreign.error().code, ErrorCode::NotFound);
        EXPECT_EQ(foreign.error().message, fmt::format("no {} has the id {}", type->name(), id));
        EXPECT_EQ((*store_->view())->get(type, nobody).error().message, fmt::format("no {} has the id {}", type->name(), nobody)) << "as the store says it";
    }
}

TEST_F(TenantScope, ListsHoldWhatIsTheirs) {
    const auto view = std::move(*red_.view());
    EXPECT_EQ(view->ids(Bridge::descriptor()).value(), std::vector{redBridge_});
    EXPECT_EQ(view->ids(Port::descriptor()).value(), std::vector{redPort_});
    EXPECT_EQ(view->list<Chain>()->size(), 1U);
    EXPECT_TRUE(view->ids(model::Host::descriptor())->empty());
    EXPECT_TRUE(view->list<model::Host>()->empty());
}

TEST_F(TenantScope, ReferrersAreThoseOfTheirsToTheirs) {
    asAdministrator<Bridge>(blueBridge_, [&](Bridge& b) { b.set_inbound_filter_id(model::bytesOf(redChain_)); });
    asAdministrator<Bridge>(redBridge_, [&](Bridge& b) { b.set_inbound_filter_id(model::bytesOf(blueChain_)); });
    const auto view = std::move(*red_.view());
    EXPECT_EQ(view->referrers<Port>("bridge_id", redBridge_).value(), std::vector{redPort_});
    EXPECT_TRUE(view->referrers<Port>("bridge_id", blueBridge_)->empty());
    EXPECT_TRUE(view->referrers<Bridge>("inbound_filter_id", redChain_)->empty()) << "of blue";
    EXPECT_TRUE(view->referrers<Bridge>("inbound_filter_id", blueChain_)->empty()) << "to blue";
}

TEST_F(TenantScope, UniqueValuesAndStatesOfOthersAreNotFound) {
    asAdministrator<Chain>(blueChain_, [](Chain& chain) { model::setId(*chain.add_rules(), *Uuid::parse("11111111-1111-1111-1111-111111111111")); });
    const auto view = std::move(*red_.view());
    EXPECT_FALSE(*view->findUnique(Chain::descriptor(), "rules.id", "11111111-1111-1111-1111-111111111111"));
    EXPECT_FALSE(*view->state(model::Host::descriptor(), host_, "alive"));
}

TEST_F(TenantScope, ReferencesToOthersAreLeftOut) {
    asAdministrator<Port>(redPort_, [&](Port& port) {
        port.set_inbound_filter_id(model::bytesOf(blueChain_));
        port.set_outbound_filter_id(model::bytesOf(redChain_));
        port.set_host_id(model::bytesOf(host_));
        port.set_interface_name("tap0");
    });
    const auto port = *(*red_.view())->get<Port>(redPort_)->object;
    EXPECT_TRUE(port.inbound_filter_id().empty());
    EXPECT_EQ(port.outbound_filter_id(), model::bytesOf(redChain_));
    EXPECT_TRUE(port.host_id().empty());
    EXPECT_TRUE(port.interface_name().empty());
    EXPECT_EQ((*whole_.view())->get<Port>(redPort_)->object->interface_name(), "tap0") << "an administrator sees it";
}

TEST_F(TenantScope, AJumpToAForeignChainLosesOnlyItsTarget) {
    asAdministrator<Chain>(redChain_, [&](Chain& chain) {
        auto& jump = *chain.add_rules();
        model::setId(jump, Uuid::random());
        jump.set_jump_chain_id(model::bytesOf(blueChain_));
    });
    const auto chain = *(*red_.view())->get<Chain>(redChain_)->object;
    ASSERT_EQ(chain.rules_size(), 1);
    EXPECT_TRUE(chain.rules(0).jump_chain_id().empty());
    EXPECT_TRUE(change<Chain>(red_, redChain_, [](Chain& next) { model::setId(*next.add_rules(), Uuid::random()); }));
    EXPECT_EQ(read<Chain>(redChain_).rules(0).jump_chain_id(), model::bytesOf(blueChain_)) << "it is stored as it was";
}

TEST_F(TenantScope, NewObjectsAreTheirs) {
    Bridge bridge;
    model::setId(bridge, Uuid::random());
    EXPECT_TRUE(red_.transact([&](nsdb::Transaction& t) { return t.create(bridge); }));
    EXPECT_EQ(read<Bridge>(model::idOf(bridge)).tenant_id(), "red");
    model::LoadBalancer balancer;
    model::setId(balancer, Uuid::random());
    EXPECT_TRUE(red_.transact([&](nsdb::Transaction& t) { return t.create(balancer); }));
    EXPECT_EQ(read<model::LoadBalancer>(model::idOf(balancer)).tenant_id(), "red");
}

TEST_F(TenantScope, NothingIsMadeForOthersOrForNobody) {
    Bridge bridge;
    model::setId(bridge, Uuid::random());
    bridge.set_tenant_id("blue");
    const auto forBlue = red_.transact([&](nsdb::Transaction& t) { return t.create(bridge); });
    EXPECT_EQ(forBlue.error().code, ErrorCode::PermissionDenied);
    EXPECT_EQ(forBlue.error().message, "tenantId must be your own tenant");
    model::Pool pool;
    model::setId(pool, Uuid::random());
    EXPECT_EQ(message(red_.transact([&](nsdb::Transaction& t) { return t.create(pool); })), "loadBalancerId must be given");
    model::Host host;
    model::setId(host, Uuid::random());
    EXPECT_EQ(red_.transact([&](nsdb::Transaction& t) { return t.create(host); }).error().code, ErrorCode::PermissionDenied);
}

TEST_F(TenantScope, ForeignTargetsAreRefusedAsMissingOnes) {
    const auto nobody = Uuid::random();
    const auto naming = [&](const ScopedStore& store, const Uuid& chain) {
        return message(change<Bridge>(store, redBridge_, [&](Bridge& b) { b.set_inbound_filter_id(model::bytesOf(chain)); }));
    };
    EXPECT_EQ(naming(red_, blueChain_), fmt::format("inbound_filter_id of Bridge {} names Chain {}, which does not exist", redBridge_, blueChain_));
    EXPECT_EQ(naming(whole_, nobody), fmt::format("inbound_filter_id of Bridge {} names Chain {}, which does not exist", redBridge_, nobody));
    EXPECT_EQ(naming(red_, redChain_), "done");
    Port port;
    model::setId(port, Uuid::random());
    port.set_bridge_id(model::bytesOf(blueBridge_));
    EXPECT_EQ(red_.transact([&](nsdb::Transaction& t) { return t.create(port); }).error().code, ErrorCode::NotFound);
}

TEST_F(TenantScope, IdsInConditionsMustBeTheirs) {
    const auto asking = [&](const Uuid& port) {
        return message(change<Chain>(red_, redChain_, [&](Chain& chain) {
            auto& rule = *chain.add_rules();
            model::setId(rule, Uuid::random());
            rule.mutable_condition()->add_in_ports(model::bytesOf(port));
        }));
    };
    EXPECT_EQ(asking(redPort_), "done");
    const auto nobody = Uuid::random();
    EXPECT_EQ(asking(bluePort_), fmt::format("inPorts names {}, which does not exist", bluePort_));
    EXPECT_EQ(asking(nobody), fmt::format("inPorts names {}, which does not exist", nobody));
}

TEST_F(TenantScope, WhatAnAdministratorSetStays) {
    asAdministrator<Port>(redPort_, [&](Port& port) {
        port.set_inbound_filter_id(model::bytesOf(blueChain_));
        port.set_host_id(model::bytesOf(host_));
        port.set_interface_name("tap0");
    });
    EXPECT_TRUE(change<Port>(red_, redPort_, [](Port& port) { port.clear_inbound_filter_id(); port.set_vlan_id(7); }));
    EXPECT_EQ(read<Port>(redPort_).inbound_filter_id(), model::bytesOf(blueChain_)) << "they could not see it";
    EXPECT_EQ(read<Port>(redPort_).vlan_id(), 7U);
    EXPECT_EQ(message(change<Port>(red_, redPort_, [&](Port& port) { port.set_inbound_filter_id(model::bytesOf(redChain_)); })),
              "inboundFilterId is set by an administrator, who alone may change it");
    EXPECT_EQ(message(change<Port>(red_, redPort_, [](Port& port) { port.set_interface_name("tap1"); })), "only an administrator may set interfaceName of a Port");
    EXPECT_EQ(message(change<Port>(red_, redPort_, [](Port& port) { port.clear_host_id(); })), "only an administrator may set hostId of a Port");
}

TEST_F(TenantScope, OnlyTheirsIsChangedAndRemoved) {
    EXPECT_EQ(message(change<Bridge>(red_, redBridge_, [](Bridge& b) { b.set_tenant_id("blue"); })), "tenantId must be your own tenant");
    EXPECT_TRUE(change<Bridge>(red_, redBridge_, [](Bridge& b) { b.clear_tenant_id(); }));
    EXPECT_EQ(read<Bridge>(redBridge_).tenant_id(), "red");
    Bridge blue = read<Bridge>(blueBridge_);
    EXPECT_EQ(red_.transact([&](nsdb::Transaction& t) { return t.update(blue); }).error().code, ErrorCode::NotFound);
    EXPECT_EQ(red_.transact([&](nsdb::Transaction& t) { return t.remove(Port::descriptor(), bluePort_); }).error().code, ErrorCode::NotFound);
    EXPECT_TRUE(red_.transact([&](nsdb::Transaction& t) { return t.remove(Bridge::descriptor(), redBridge_); }));
    EXPECT_FALSE((*store_->view())->get<Port>(redPort_)) << "what goes with it goes";
}

TEST_F(TenantScope, TablesAreThoseOfTheirObjects) {
    const auto own = nsdb::macTableName(redBridge_, 0);
    const auto foreign = nsdb::macTableName(blueBridge_, 0);
    const auto put = [&](const ScopedStore& store, const std::string& table) {
        return message(store.transact([&](nsdb::Transaction& t) { return t.putPersistent(table, "02:00:00:00:00:01", redPort_.toString()); }));
    };
    EXPECT_EQ(put(red_, own), "done");
    EXPECT_EQ(put(red_, foreign), fmt::format("the table {} is of no object", foreign));
    EXPECT_EQ(put(red_, "anything"), "the table anything is of no object");
    EXPECT_EQ(put(whole_, foreign), "done");
    EXPECT_EQ(red_.readTable(own)->size(), 1U);
    EXPECT_TRUE(red_.readTable(foreign)->empty());
    EXPECT_TRUE(red_.listTables(nsdb::macTablesOf(blueBridge_))->empty());
    EXPECT_EQ(red_.listTables(nsdb::macTablesOf(redBridge_)).value(), std::vector<std::string>{"0"});
    EXPECT_EQ(red_.transact([&](nsdb::Transaction& t) { return t.removePersistent(foreign, "02:00:00:00:00:01"); }).error().code, ErrorCode::NotFound);
    EXPECT_EQ(whole_.readTable(foreign)->size(), 1U);
}

}  // namespace
}  // namespace midonet::rest::testing
