#include "api_fixture.h"

namespace midonet::rest::testing {
namespace {

class ArpTables : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        bridge_ = createBridge();
        path_ = "/bridges/" + bridge_ + "/arp_table";
    }
    std::string bridge_, path_;
};

TEST_F(ArpTables, EntriesArePersistent) {
    const auto made = create(path_, R"({"ip":"10.0.0.1","mac":"02:00:00:00:00:0A"})");
    EXPECT_EQ(text(made, "ip"), "10.0.0.1");
    EXPECT_EQ(text(made, "mac"), "02:00:00:00:00:0a");
    EXPECT_EQ(text(made, "uri"), "http://localhost/midonet-api" + path_ + "/10.0.0.1_02-00-00-00-00-0a");
    const auto rows = store_->readTable("Bridge/" + bridge_ + "/ip4_mac_map");
    ASSERT_EQ(rows->size(), 1U);
    EXPECT_EQ(rows->front().key, "10.0.0.1");
    EXPECT_EQ(rows->front().value, "02:00:00:00:00:0a");
    EXPECT_TRUE(rows->front().persistent);
    EXPECT_EQ(post(path_, R"({"ip":"10.0.0.1","mac":"02:00:00:00:00:0a"})").status, 201) << "the same again";
    EXPECT_EQ(post(path_, R"({"ip":"10.0.0.1","mac":"02:00:00:00:00:0b"})").status, 409);
    EXPECT_EQ(listed(path_).size(), 1U);
}

TEST_F(ArpTables, BadValues) {
    EXPECT_EQ(violation(post(path_, R"({"ip":"2001:db8::1","mac":"02:00:00:00:00:01"})")), "ip");
    EXPECT_EQ(violation(post(path_, R"({"mac":"02:00:00:00:00:01"})")), "ip");
    EXPECT_EQ(violation(post(path_, R"({"ip":"10.0.0.1","mac":"x"})")), "mac");
    EXPECT_EQ(violation(post(path_, R"({"ip":"10.0.0.1"})")), "mac");
    EXPECT_EQ(post("/bridges/" + kNobody + "/arp_table", R"({"ip":"10.0.0.1","mac":"02:00:00:00:00:01"})").status, 404);
    for (const char* bad : {"/x", "/10.0.0.1", "/10.0.0.1_x", "/x_02-00-00-00-00-01"}) {
        EXPECT_EQ(get(path_ + bad).status, 400) << bad;
        EXPECT_EQ(del(path_ + bad).status, 400) << bad;
    }
}

TEST_F(ArpTables, RemovingEntries) {
    create(path_, R"({"ip":"10.0.0.1","mac":"02:00:00:00:00:01"})");
    EXPECT_EQ(get(path_ + "/10.0.0.1_02-00-00-00-00-02").status, 404);
    EXPECT_EQ(del(path_ + "/10.0.0.1_02-00-00-00-00-02").status, 204) << "another MAC: nothing to remove";
    EXPECT_EQ(listed(path_).size(), 1U);
    EXPECT_EQ(del(path_ + "/10.0.0.1_02-00-00-00-00-01").status, 204);
    EXPECT_EQ(get(path_).body, "[]");
    EXPECT_EQ(del(path_ + "/10.0.0.1_02-00-00-00-00-01").status, 204) << "idempotent";
}

TEST_F(ArpTables, GoWithTheBridge) {
    create(path_, R"({"ip":"10.0.0.1","mac":"02:00:00:00:00:01"})");
    EXPECT_EQ(del("/bridges/" + bridge_).status, 204);
    EXPECT_TRUE(store_->readTable("Bridge/" + bridge_ + "/ip4_mac_map")->empty());
}

}  // namespace
}  // namespace midonet::rest::testing
