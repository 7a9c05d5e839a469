#include "model/json.h"

#include <gtest/gtest.h>
// gtest first
#include <rapidcheck/gtest.h>

#include "fleet.pb.h"
#include "model/ids.h"
#include "model/topology.pb.h"

namespace midonet::model {
namespace {

const std::string kId = "11111111-2222-3333-4444-555555555555";

template <class T>
const ClassSchema& schemaOf() {
    return Schema::get().of<T>();
}

JsonBody body(std::string_view text) {
    auto parsed = JsonBody::parse(text);
    EXPECT_TRUE(parsed) << text;
    return *parsed;
}

template <class T>
T created(std::string_view text) {
    T object;
    const auto violations = fromJson(body(text), schemaOf<T>(), Input::Create, object);
    EXPECT_TRUE(violations.empty()) << violations.front().property << " " << violations.front().message;
    return object;
}

template <class T>
Violations violationsOf(std::string_view text, Input input = Input::Create) {
    T object;
    return fromJson(body(text), schemaOf<T>(), input, object);
}

template <class T>
std::string written(const T& object) {
    JsonWriter json;
    json.beginObject();
    writeFields(json, schemaOf<T>(), object);
    json.endObject();
    return json.take();
}

TEST(JsonBody, WantsAnObjectAndIgnoresWhatFollows) {
    EXPECT_TRUE(JsonBody::parse("{}"));
    EXPECT_TRUE(JsonBody::parse(std::string_view{"{}\0", 3}));
    EXPECT_TRUE(JsonBody::parse(" {} trailing"));
    for (const char* bad : {"", " ", "[]", "1", "\"x\"", "null", "{", "{\"a\":}", "{'a':1}", "\0", "{\"a\":\"\xff\"}"})
        EXPECT_FALSE(JsonBody::parse(bad)) << bad;
}

TEST(JsonBody, RefusesDeepNesting) {
    std::string deep = "{\"a\":";
    deep += std::string(100'000, '[');
    EXPECT_FALSE(JsonBody::parse(deep));
}

TEST(JsonBody, ReadsTolerantly) {
    const auto b = body(R"({"n":"24","m":24,"f":24.0,"t":"true","u":")" + kId + R"(","x":"null","y":"","z":null,
                            "s":7,"mac":"AA-bb-cc-dd-ee-01","list":[")" + kId + R"("],"obj":{}})");
    EXPECT_EQ(*b.integer("n"), 24);
    EXPECT_EQ(*b.integer("m"), 24);
    EXPECT_EQ(*b.integer("f"), 24);
    EXPECT_EQ(*b.boolean("t"), true);
    EXPECT_EQ(**b.uuid("u"), *Uuid::parse(kId));
    EXPECT_EQ((**b.mac("mac")).toString(), "aa:bb:cc:dd:ee:01");
    EXPECT_EQ(*b.text("s"), "7");
    EXPECT_EQ(b.uuids("list")->size(), 1U);
    for (const char* key : {"x", "y", "z", "absent"}) {
        EXPECT_EQ(*b.integer(key), std::nullopt) << key;
        EXPECT_EQ(*b.uuid(key), std::nullopt) << key;
    }
    EXPECT_FALSE(b.given("z"));
    EXPECT_TRUE(b.given("y"));
    EXPECT_FALSE(b.integer("u"));
    EXPECT_FALSE(b.uuid("n"));
    EXPECT_FALSE(b.boolean("n"));
    EXPECT_FALSE(b.text("obj"));
    EXPECT_FALSE(b.uuids("n"));
}

TEST(FromJson, TakesDefaultsForWhatIsNotGiven) {
    const auto bridge = created<Bridge>("{}");
    EXPECT_TRUE(bridge.admin_state_up());
    EXPECT_TRUE(bridge.name().empty());
    EXPECT_TRUE(created<Bridge>(R"({"adminStateUp":null,"name":null})").admin_state_up());
}

TEST(FromJson, AcceptsStringsForNumbersAndBooleans) {
    const auto port = created<Port>(R"({"vlanId":"24","adminStateUp":"false","vifId":"null","interfaceName":12})");
    EXPECT_EQ(port.vlan_id(), 24U);
    EXPECT_FALSE(port.admin_state_up());
    EXPECT_TRUE(port.vif_id().empty());
    EXPECT_EQ(port.interface_name(), "12");
    EXPECT_EQ(created<Port>(R"({"vlanId":""})").vlan_id(), 0U);
    EXPECT_FALSE(created<Port>(R"({"adminStateUp":0})").admin_state_up());
}

TEST(FromJson, IgnoresUnknownReadOnlyAndInternalKeys) {
    const auto port = created<Port>(R"({"tunnelKey":77,"deviceId":"nonsense","previousHostId":3,"tenantId":"t","uri":{}})");
    EXPECT_EQ(port.tunnel_key(), 0U);
    EXPECT_TRUE(port.bridge_id().empty());
}

TEST(FromJson, NamesEveryPropertyThatIsWrong) {
    const auto violations = violationsOf<Port>(R"({"id":"x","vlanId":"many","adminStateUp":"maybe","hostId":5,"interfaceName":[]})");
    ASSERT_EQ(violations.size(), 5U);
    EXPECT_EQ(violations[0].property, "id");
    EXPECT_EQ(violations[1].property, "adminStateUp");
    for (const char* number : {"-1", "4294967296", "1.5", "true", "[1]", "{}", "9223372036854775808"})
        EXPECT_EQ(violationsOf<Port>("{\"vlanId\":" + std::string{number} + "}").size(), 1U) << number;
}

TEST(FromJson, RequiredMeansGivenAndNotEmpty) {
    EXPECT_EQ(violationsOf<TunnelZone>("{}"), (Violations{{"name", "must be given"}, {"type", "must be given"}}));
    EXPECT_EQ(violationsOf<Host>(R"({"floodingProxyWeight":1,"containerWeight":null,"containerLimit":-1,"enforceContainerLimit":false})", Input::Update),
              (Violations{{"containerWeight", "must be given"}}));
    TunnelZone empty = created<TunnelZone>(R"({"name":"","type":"gre"})");
    EXPECT_EQ(validate(schemaOf<TunnelZone>(), empty), (Violations{{"name", "must be given"}}));
}

TEST(FromJson, EnumeratorsAreSpelledExactly) {
    EXPECT_EQ(created<TunnelZone>(R"({"name":"z","type":"vxlan"})").type(), TunnelZone::VXLAN);
    for (const char* bad : {"VXLAN", "Gre", "TYPE_UNSPECIFIED", "1", "x"})
        EXPECT_EQ(violationsOf<TunnelZone>(R"({"name":"z","type":")" + std::string{bad} + R"("})").size(), 1U) << bad;
}

TEST(FromJson, AddressesAreStoredCanonically) {
    const auto member = created<TunnelZoneMember>(R"({"hostId":")" + kId + R"(","ipAddress":"10.0.0.1"})");
    EXPECT_EQ(member.ip_address(), "10.0.0.1");
    EXPECT_EQ(uuidOf(member.host_id()), *Uuid::parse(kId));
    for (const char* bad : {"10.0.0", "10.0.0.256", "fe80::1", "host"})
        EXPECT_EQ(violationsOf<TunnelZoneMember>(R"({"hostId":")" + kId + R"(","ipAddress":")" + bad + "\"}").size(), 1U) << bad;
}

TEST(FromJson, UpdateReplacesButKeepsWhatTheSchemaSays) {
    auto port = created<Port>(R"({"id":")" + kId + R"(","hostId":")" + kId + R"(","interfaceName":"eth0","vlanId":7,
                                 "vifId":")" + kId + R"(","adminStateUp":false})");
    port.set_tunnel_key(9);
    port.set_bridge_id(bytesOf(Uuid{1, 2}));
    port.set_previous_host_id(bytesOf(Uuid{3, 4}));
    const auto before = port;
    ASSERT_TRUE(fromJson(body(R"({"id":"ffffffff-2222-3333-4444-555555555555","tunnelKey":1,"hostId":null})"), schemaOf<Port>(),
                         Input::Update, port).empty());
    EXPECT_EQ(port.id(), before.id());
    EXPECT_EQ(port.tunnel_key(), 9U);
    EXPECT_EQ(port.bridge_id(), before.bridge_id());
    EXPECT_EQ(port.previous_host_id(), before.previous_host_id());
    EXPECT_EQ(port.host_id(), before.host_id()) << "keep: null is not given";
    EXPECT_EQ(port.interface_name(), "eth0");
    EXPECT_EQ(port.vlan_id(), 0U) << "replaced";
    EXPECT_TRUE(port.vif_id().empty());
    EXPECT_TRUE(port.admin_state_up()) << "default";
}

TEST(FromJson, ReadsEmbeddedAndRepeatedMessages) {
    const Schema schema{{fleet::Ship::descriptor()->file()}};
    fleet::Ship ship;
    const auto text = R"({"tonnage":"18446744073709551615","escortIds":[")" + kId + R"("],
                          "cargo":[{"what":"tea","ownerIds":[")" + kId + R"("]},{"what":null}]})";
    EXPECT_EQ(fromJson(body(text), schema.of<fleet::Ship>(), Input::Create, ship).size(), 1U) << "beyond int64 as text";
    const auto good = R"({"tonnage":18446744073709551615,"cargo":[{"what":"tea","ownerIds":[")" + kId + R"("]},{}],"escortIds":null})";
    ASSERT_TRUE(fromJson(body(good), schema.of<fleet::Ship>(), Input::Create, ship).empty());
    EXPECT_EQ(ship.tonnage(), UINT64_MAX);
    ASSERT_EQ(ship.cargo_size(), 2);
    EXPECT_EQ(ship.cargo(0).what(), "tea");
    EXPECT_EQ(uuidOf(ship.cargo(0).owner_ids(0)), *Uuid::parse(kId));
    const auto violations = [&] {
        fleet::Ship bad;
        return fromJson(body(R"({"cargo":[{"ownerIds":["x"]},5],"escortIds":"y"})"), schema.of<fleet::Ship>(), Input::Create, bad);
    }();
    ASSERT_EQ(violations.size(), 3U);
    EXPECT_EQ(violations[0].property, "escortIds");
    EXPECT_EQ(violations[1].property, "cargo[0].ownerIds[0]");
    EXPECT_EQ(violations[2].property, "cargo[1]");
}

TEST(FromJson, FlatMessagesStandBesideTheirHolder) {
    const Schema schema{{fleet::Ship::descriptor()->file()}};
    const auto& fields = schema.of<fleet::Ship>().field("berths")->embedded;
    fleet::Ship::Berth berth;
    ASSERT_TRUE(fromJson(body(R"({"id":")" + kId + R"(","window":"true","pillows":"2"})"), fields, Input::Create, berth).empty());
    EXPECT_TRUE(berth.comfort().window());
    EXPECT_EQ(berth.comfort().pillows(), 2U);
    JsonWriter json;
    json.beginObject();
    writeFields(json, fields, berth);
    EXPECT_EQ(json.endObject().text(), R"({"id":")" + kId + R"(","guestId":null,"window":true,"pillows":2})");

    EXPECT_EQ(fromJson(body(R"({"window":"x"})"), fields, Input::Create, berth), (Violations{{"window", "must be true or false"}}));
    berth.mutable_comfort()->set_pillows(4);
    ASSERT_EQ(validate(fields, berth).size(), 1U);
    EXPECT_EQ(validate(fields, berth)[0].property, "pillows");
}

TEST(JsonBody, ReadsListsOfTexts) {
    const auto b = body(R"({"good":["a",7,true],"none":null,"bad":"a","worse":[{}]})");
    EXPECT_EQ(*b.texts("good"), (std::vector<std::string>{"a", "7", "true"}));
    EXPECT_TRUE(b.texts("none")->empty());
    EXPECT_TRUE(b.texts("absent")->empty());
    for (const char* key : {"bad", "worse"}) EXPECT_FALSE(b.texts(key)) << key;
}

TEST(JsonBody, ReadsListsOfObjects) {
    const auto b = body(R"({"good":[{"a":1},{}],"none":null,"bad":{},"worse":[{},1]})");
    const auto objects = b.objects("good");
    ASSERT_EQ(objects->size(), 2U);
    EXPECT_EQ(**(*objects)[0].integer("a"), 1);
    EXPECT_TRUE(b.objects("none")->empty());
    for (const char* key : {"bad", "worse"}) EXPECT_FALSE(b.objects(key)) << key;
}

TEST(WriteFields, ShowsNullsForWhatIsUnset) {
    EXPECT_EQ(written(Bridge{}), R"({"id":null,"tenantId":null,"name":null,"adminStateUp":false,"inboundFilterId":null,"outboundFilterId":null,)"
                                 R"("inboundMirrorIds":[],"outboundMirrorIds":[],"qosPolicyId":null})");
    EXPECT_NE(written(DhcpSubnet{}).find(R"("dnsServerAddrs":null,"interfaceMTU":0,"opt121Routes":[])"), std::string::npos) << "lists too, when nullable";
    EXPECT_EQ(written(created<TunnelZone>(R"({"id":")" + kId + R"(","name":"z\"\n","type":"gre"})")),
              R"({"id":")" + kId + R"(","name":"z\"\n","type":"gre"})");
    const auto text = written(Port{});
    EXPECT_EQ(text.find("previousHostId"), std::string::npos) << "internal";
    EXPECT_NE(text.find(R"("peerId":null)"), std::string::npos);
    EXPECT_NE(text.find(R"("tunnelKey":0)"), std::string::npos);
}

TEST(JsonWriter, PlacesCommasAndEscapes) {
    JsonWriter json;
    json.beginObject().key("a").beginArray().endArray().key("b").beginArray().integer(-1).null().beginObject().endObject().endArray();
    json.key("c").string(std::string_view{"\0\x1f\\\"\t", 5}).key("d").boolean(true).endObject();
    EXPECT_EQ(json.text(), R"({"a":[],"b":[-1,null,{}],"c":"\u0000\u001f\\\"\t","d":true})");
}

TEST(JsonWriter, AByteIsWrittenTheSameWhereverItIs) {
    const auto quoted = [](std::string_view text) {
        JsonWriter json;
        json.string(text);
        const auto all = json.take();
        return all.substr(1, all.size() - 2);
    };
    for (int c = 0; c < 256; ++c) {
        const std::string alone(1, static_cast<char>(c));
        for (std::size_t at = 0; at < 20; ++at)
            EXPECT_EQ(quoted(std::string(at, 'a') + alone + std::string(19 - at, '!')), std::string(at, 'a') + quoted(alone) + std::string(19 - at, '!')) << c;
    }
}

TEST(JsonWriter, BytesThatAreNoCharacterAreReplaced) {
    const std::pair<std::string, std::string> kTexts[] = {
        {"\xff", "\ufffd"}, {"a\x80" "b", "a\ufffdb"}, {"\xc3\xa9", "\xc3\xa9"}, {"\xe2\x82\xac", "\xe2\x82\xac"}, {"\xf0\x9f\x8c\x89", "\xf0\x9f\x8c\x89"},
        {"\xc3", "\ufffd"}, {"\xe2\x82", "\ufffd\ufffd"}, {"\xc0\x80", "\ufffd\ufffd"}, {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
        {"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"}, {"\xf5\x80\x80\x80", "\ufffd\ufffd\ufffd\ufffd"}, {"\xc3\xa9\"\xff", "\xc3\xa9\\\"\ufffd"}};
    for (const auto& [text, written] : kTexts) {
        JsonWriter json;
        json.string(text);
        EXPECT_EQ(json.text(), '"' + written + '"');
    }
}

TEST(Validate, RangesAndLengths) {
    Host host = created<Host>(R"({"floodingProxyWeight":65536,"containerWeight":-1,"containerLimit":-1,"enforceContainerLimit":true})");
    const auto violations = validate(schemaOf<Host>(), host);
    ASSERT_EQ(violations.size(), 2U);
    EXPECT_EQ(violations[0].property, "floodingProxyWeight");
    EXPECT_EQ(violations[1].property, "containerWeight");
    Bridge bridge;
    std::string name;
    for (int i = 0; i < 255; ++i) name += "ü";
    bridge.set_name(name);
    EXPECT_TRUE(validate(schemaOf<Bridge>(), bridge).empty()) << "characters, not bytes";
    bridge.set_name(name + "x");
    EXPECT_EQ(validate(schemaOf<Bridge>(), bridge).size(), 1U);
}

RC_GTEST_PROP(JsonProperty, WhatIsWrittenIsReadBack, (const std::string& name, bool up)) {
    // protobuf keeps only valid UTF-8
    Bridge bridge;
    bridge.set_id(bytesOf(*Uuid::parse(kId)));
    std::string ascii;
    for (const char c : name) ascii += static_cast<char>(static_cast<unsigned char>(c) & 0x7f);
    bridge.set_name(ascii);
    bridge.set_admin_state_up(up);
    const auto again = JsonBody::parse(written(bridge));
    RC_ASSERT(again.has_value());
    Bridge read;
    RC_ASSERT(fromJson(*again, schemaOf<Bridge>(), Input::Create, read).empty());
    RC_ASSERT(read.SerializeAsString() == bridge.SerializeAsString());
}

RC_GTEST_PROP(JsonProperty, AnyBytesAreRefusedOrRead, (const std::string& bytes)) {
    for (const auto& text : {bytes, "{\"name\":" + bytes + ",\"type\":\"gre\"}"})
        if (const auto parsed = JsonBody::parse(text)) {
            TunnelZone zone;
            if (fromJson(*parsed, schemaOf<TunnelZone>(), Input::Create, zone).empty())
                RC_ASSERT(JsonBody::parse(written(zone)).has_value());
        }
}

}  // namespace
}  // namespace midonet::model
