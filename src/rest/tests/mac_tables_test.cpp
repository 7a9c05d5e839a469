#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class MacTables : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        bridge_ = createBridge();
        port_ = createPort(bridge_);
        table_ = "/bridges/" + bridge_ + "/mac_table";
    }
    static std::string entry(const std::string& mac, const std::string& port, const std::string& more = "") {
        return R"({"macAddr":")" + mac + R"(","portId":")" + port + "\"" + more + "}";
    }
    void learn(std::uint16_t vlan, const std::string& mac, const std::string& port) {
        std::promise<void> done;
        onLoop([&] {
            if (!session_) session_ = store_->openSession(*loop_, std::chrono::seconds{10});
            session_->learn(nsdb::macTableName(*Uuid::parse(bridge_), vlan), mac, port);
            session_->flush([&] { done.set_value(); });
        });
        done.get_future().wait();
    }
    std::string bridge_;
    std::string port_;
    std::string table_;
    const std::string mac_ = "02:00:00:00:00:01";
};

TEST_F(MacTables, PersistentEntries) {
    EXPECT_EQ(get(table_).body, "[]");
    const auto response = post(table_, entry("02-00-00-00-00-01", port_), vnd("MacPort-v2"));
    ASSERT_EQ(response.status, 201);
    const auto path = table_ + "/02-00-00-00-00-01_" + port_;
    EXPECT_EQ(response.headers.find("Location"), "http://localhost/midonet-api" + path);
    const auto item = parsed(get(path, vnd("MacPort-v2")));
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
             {"macAddr", mac_}, {"portId", port_}, {"vlanId", "0"}, {"uri", "http://localhost/midonet-api" + path}})
        EXPECT_EQ(text(item, key), value);
    EXPECT_EQ(post(table_, entry(mac_, port_)).status, 409);
    EXPECT_EQ(parsed(get(table_)), parsed(get("/bridges/" + bridge_ + "/vlans/0/mac_table")));
    EXPECT_EQ(del(path).status, 204);
    EXPECT_EQ(get(path).status, 404);
    EXPECT_EQ(del(path).status, 204) << "idempotent";
}

TEST_F(MacTables, Errors) {
    for (const auto& bad : {entry("02:00", port_), entry(mac_, "x"), std::string{"{}"}, R"({"portId":")" + port_ + "\"}",
                            entry(mac_, port_, R"(,"vlanId":4096)"), entry(mac_, port_, R"(,"vlanId":-1)")})
        EXPECT_EQ(post(table_, bad).status, 400) << bad;
    EXPECT_EQ(post(table_, entry(mac_, kNobody)).status, 404) << "unknown port";
    EXPECT_EQ(post(table_, entry(mac_, createPort(createBridge()))).status, 400) << "a port of another bridge";
    EXPECT_EQ(post(table_, entry(mac_, createPort(bridge_, R"({"type":"Bridge","vlanId":7})"))).status, 400) << "another VLAN";
    EXPECT_EQ(post("/bridges/" + kNobody + "/mac_table", entry(mac_, port_)).status, 404);
    EXPECT_EQ(get(table_ + "/02-00_" + port_).status, 400);
    EXPECT_EQ(get(table_ + "/02-00-00-00-00-01_x").status, 400);
    EXPECT_EQ(get(table_ + "/02-00-00-00-00-01").status, 400);
    EXPECT_EQ(del(table_ + "/zz_" + port_).status, 400);
    EXPECT_EQ(get(table_).body, "[]");
}

TEST_F(MacTables, OneTableForEachVlan) {
    const auto tagged = createPort(bridge_, R"({"type":"Bridge","vlanId":7})");
    const auto vlan = "/bridges/" + bridge_ + "/vlans/7/mac_table";
    const auto item = create(vlan, entry(mac_, tagged, R"(,"vlanId":9)"));
    EXPECT_EQ(text(item, "vlanId"), "7") << "the path wins";
    EXPECT_EQ(text(item, "uri"), "http://localhost/midonet-api" + vlan + "/02-00-00-00-00-01_" + tagged);
    create(table_, entry("02:00:00:00:00:02", tagged, R"(,"vlanId":"7")"));
    create(table_, entry("02:00:00:00:00:03", port_));
    EXPECT_EQ(listed(vlan).size(), 2U);
    EXPECT_EQ(listed("/bridges/" + bridge_ + "/vlans/0/mac_table").size(), 1U);
    EXPECT_EQ(listed(table_).size(), 3U);
    for (const char* none : {"/vlans/8/mac_table", "/vlans/4096/mac_table", "/vlans/x/mac_table"}) EXPECT_EQ(get("/bridges/" + bridge_ + none).status, 404) << none;
    EXPECT_EQ(get("/bridges/" + bridge_ + "/vlans/0/mac_table").status, 200);
    EXPECT_EQ(del(vlan + "/02-00-00-00-00-01_" + tagged).status, 204);
    EXPECT_EQ(listed(vlan).size(), 1U);
}

TEST_F(MacTables, LearnedEntriesAreShownAndDoNotHinderPersistentOnes) {
    const auto other = createPort(bridge_);
    learn(0, mac_, other);
    const auto list = listed(table_);
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(text(list[0], "portId"), other);
    EXPECT_EQ(get(text(list[0], "uri")).status, 200);
    EXPECT_EQ(post(table_, entry(mac_, port_)).status, 201);
    EXPECT_EQ(text(parsed(get(table_)).at(0), "portId"), other) << "learned goes first";
    onLoop([this] { session_.reset(); });
    EXPECT_EQ(text(parsed(get(table_)).at(0), "portId"), port_);
}

TEST_F(MacTables, WhatWasLearnedHidesNoPersistentEntryFromItsUri) {
    const auto other = createPort(bridge_);
    const auto path = table_ + "/02-00-00-00-00-01_";
    learn(0, mac_, other);
    EXPECT_EQ(post(table_, entry(mac_, port_)).status, 201);
    EXPECT_EQ(get(path + port_).status, 200) << "clients read what they have made";
    EXPECT_EQ(get(path + other).status, 200) << "what was learned is there too";
    EXPECT_EQ(post(table_, entry(mac_, other)).status, 409) << "the MAC has a persistent entry";
    EXPECT_EQ(del(path + other).status, 204);
    EXPECT_EQ(get(path + port_).status, 200) << "another entry was meant";
    EXPECT_EQ(del(path + port_).status, 204);
    EXPECT_EQ(get(path + port_).status, 404);
}

TEST_F(MacTables, OfTwoWhoMakeAnEntryAtATimeOneIsRefused) {
    const auto table = nsdb::macTableName(*Uuid::parse(bridge_), 0);
    const auto other = createPort(bridge_);
    int runs = 0;
    const auto done = store_->transact([&](nsdb::Transaction& t) -> Result<void> {
        TRY(known, t.persistent(table, mac_));
        if (known) return fail(ErrorCode::AlreadyExists, "{}", *known);
        if (++runs == 1) EXPECT_EQ(post(table_, entry(mac_, other)).status, 201);
        return t.putPersistent(table, mac_, port_);
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message, other);
}

TEST_F(MacTables, PersistentEntriesGoWithTheirPort) {
    const auto other = createPort(bridge_);
    const auto ofVlan = "/bridges/" + bridge_ + "/vlans/7/mac_table";
    for (const auto& [path, mac, port] : {std::tuple{table_, mac_, port_}, std::tuple{ofVlan, mac_, port_},
                                          std::tuple{table_, std::string{"02:00:00:00:00:02"}, other}})
        EXPECT_EQ(post(path, entry(mac, port)).status, 201);
    learn(0, "02:00:00:00:00:03", port_);
    const auto another = createBridge();
    const auto anotherPort = createPort(another);
    EXPECT_EQ(post("/bridges/" + another + "/mac_table", entry(mac_, anotherPort)).status, 201);
    EXPECT_EQ(del("/ports/" + port_).status, 204);
    const auto rows = store_->readTable(nsdb::macTableName(*Uuid::parse(bridge_), 0));
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 2U) << "what a host learned is the host's to take back";
    EXPECT_EQ((*rows)[0].value, other);
    EXPECT_FALSE((*rows)[1].persistent);
    EXPECT_TRUE(store_->readTable(nsdb::macTableName(*Uuid::parse(bridge_), 7))->empty());
    EXPECT_EQ(listed("/bridges/" + another + "/mac_table").size(), 1U);
    EXPECT_EQ(del("/bridges/" + another).status, 204) << "with its ports and tables";
    EXPECT_TRUE(store_->readTable(nsdb::macTableName(*Uuid::parse(another), 0))->empty());
}

TEST_F(MacTables, APortThatGoesWhileAnEntryIsMadeLeavesNone) {
    // What the other made is not there yet when the transaction begins, and is when it commits.
    int runs = 0;
    const auto bridge = *Uuid::parse(bridge_);
    const auto port = *Uuid::parse(port_);
    EXPECT_TRUE(store_->transact([&](nsdb::Transaction& t) -> Result<void> {
        TRY_VOID(t.remove(model::Port::descriptor(), port));
        if (++runs > 1) return {};
        const auto made = store_->transact([&](nsdb::Transaction& other) { return other.putPersistent(nsdb::macTableName(bridge, 0), mac_, port_); });
        EXPECT_TRUE(made);
        return {};
    }));
    EXPECT_EQ(runs, 2);
    EXPECT_TRUE(store_->readTable(nsdb::macTableName(bridge, 0))->empty());
}

TEST_F(MacTables, DeletingAnotherPortsEntryChangesNothing) {
    create(table_, entry(mac_, port_));
    EXPECT_EQ(del(table_ + "/02-00-00-00-00-01_" + createPort(bridge_)).status, 204);
    EXPECT_EQ(listed(table_).size(), 1U);
}

}  // namespace
}  // namespace midonet::rest::testing
