// What would happen to a packet, /packet_traces.
#include "api_fixture.h"
#include "model/state.pb.h"

namespace midonet::rest::testing {
namespace {

/// Two ports of one bridge, bound to one host, which has them.
class PacketTraces : public ApiTest {
protected:
    void SetUp() override {
        ApiTest::SetUp();
        host_ = addHost();
        addMember(createZone(), host_);
        const auto bridge = createBridge();
        for (auto* const port : {&in_, &out_}) {
            *port = createPort(bridge);
            ASSERT_EQ(post("/hosts/" + host_ + "/ports", R"({"portId":")" + *port + R"(","interfaceName":"tap)" + port->substr(0, 8) + "\"}").status, 201);
            model::PortState state;
            state.set_host_id(model::bytesOf(*Uuid::parse(host_)));
            state.set_active(true);
            putState(model::Port::descriptor(), *port, "state", state);
        }
    }
    /// A UDP packet, with `more` of it.
    Response ask(const std::string& port, std::string_view more) {
        return post("/packet_traces", R"({"portId":")" + port + R"(","dlSrc":"02:00:00:00:00:01","nwSrc":"10.0.0.1","nwDst":"10.0.0.2","nwProto":17,)" +
                                          std::string{more} + "}");
    }

    std::string host_, in_, out_;
};

TEST_F(PacketTraces, TellEachStepAndWhereThePacketLeaves) {
    const auto response = ask(in_, R"("dlDst":"02:00:00:00:00:02","tpSrc":1000,"tpDst":53,"vlan":0)");
    ASSERT_EQ(response.status, 200) << response.body;
    const auto trace = parsed(response);
    EXPECT_EQ(text(trace, "verdict"), "forwarded");
    EXPECT_EQ(text(trace, "reason"), "<null>");
    EXPECT_EQ(text(trace, "hostId"), host_);
    const auto& outputs = trace.at("outputs").as_array();
    ASSERT_EQ(outputs.size(), 1U) << "flooded, but for where it came from";
    EXPECT_EQ(text(outputs[0], "portId"), out_);
    EXPECT_EQ(text(outputs[0], "hostId"), host_);
    EXPECT_EQ(text(outputs[0].at("packet"), "dlDst"), "02:00:00:00:00:02");
    EXPECT_EQ(outputs[0].at("packet").at("tpDst").as_int64(), 53);
    ASSERT_FALSE(trace.at("steps").as_array().empty());
    const auto& step = trace.at("steps").as_array().front();
    EXPECT_EQ(text(step, "kind"), "port");
    EXPECT_EQ(text(step, "subject"), in_);
}

TEST_F(PacketTraces, NothingIsWritten) {
    const auto before = get("/ports").body;
    ask(in_, R"("dlDst":"02:00:00:00:00:02")");
    EXPECT_EQ(get("/ports").body, before);
    EXPECT_EQ(get("/bridges/" + text(parsed(get("/ports/" + in_)), "deviceId") + "/mac_table").body, "[]");
}

TEST_F(PacketTraces, WhatCannotBeAskedIsRefused) {
    EXPECT_EQ(ask(in_, R"("nwTos":0)").status, 400) << "nobody knows the MAC of 10.0.0.2";
    EXPECT_EQ(ask(kNobody, R"("dlDst":"02:00:00:00:00:02")").status, 404);
    EXPECT_EQ(violation(post("/packet_traces", "{}")), "portId");
    for (const auto& [property, more] : {std::pair{"tpDst", R"("tpDst":65536)"}, {"vlan", R"("vlan":4096)"}, {"nwTtl", R"("nwTtl":-1)"},
                                         {"nwDst", R"("nwDst":"2001:db8::1")"}, {"nwDst", R"("nwDst":"10.0.0")"}})
        EXPECT_EQ(violation(ask(in_, more)), property) << more;
    const auto unbound = createPort(createBridge());
    EXPECT_EQ(ask(unbound, R"("dlDst":"02:00:00:00:00:02")").status, 409) << "no packet comes in there";
}

}  // namespace
}  // namespace midonet::rest::testing
