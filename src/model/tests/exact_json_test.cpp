#include "model/exact_json.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <random>

#include "fleet.pb.h"
#include "model/ids.h"
#include "model/topology.pb.h"

namespace midonet::model {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const auto kId = *Uuid::parse("11111111-2222-3333-4444-555555555555");

const Schema& fleetSchema() {
    static const Schema schema({fleet::Ship::descriptor()->file()});
    return schema;
}

std::string written(const Schema& schema, const Message& object) {
    JsonWriter json;
    json.beginObject();
    writeExact(json, schema.of(object), object);
    return json.endObject().take();
}

template <class T>
T read(const Schema& schema, const std::string& text) {
    T out;
    const auto body = JsonBody::parseWhole(text);
    EXPECT_TRUE(body) << text;
    EXPECT_THAT(readExact(*body, schema.of<T>(), out), IsEmpty()) << text;
    return out;
}

template <class T>
void expectRoundTrip(const Schema& schema, const T& object) {
    EXPECT_EQ(read<T>(schema, written(schema, object)).SerializeAsString(), object.SerializeAsString()) << written(schema, object);
}

template <class T>
Violations violationsOf(const Schema& schema, const std::string& text) {
    T out;
    return readExact(*JsonBody::parseWhole(text), schema.of<T>(), out);
}

fleet::Ship richShip() {
    fleet::Ship ship;
    setId(ship, kId);
    ship.add_escort_ids(Uuid::random().toBytes());
    ship.add_escort_ids(Uuid::random().toBytes());
    auto* cargo = ship.add_cargo();
    cargo->set_what("rum \"old\"\n");
    cargo->add_owner_ids(Uuid::random().toBytes());
    ship.add_cargo();
    ship.set_tonnage(UINT64_MAX);
    ship.add_berths()->mutable_comfort()->set_pillows(2);
    ship.mutable_berths(0)->mutable_comfort();
    return ship;
}

TEST(ExactJson, ShowsEveryFieldUnderItsNameInTheSchema) {
    Port port;
    setId(port, kId);
    port.set_bridge_id(kId.toBytes());  // internal: REST does not show it
    port.set_tunnel_key(7);             // read-only: REST does not take it
    EXPECT_EQ(written(Schema::get(), port),
              R"({"id":"11111111-2222-3333-4444-555555555555","bridge_id":"11111111-2222-3333-4444-555555555555","tunnel_key":7})");
    expectRoundTrip(Schema::get(), port);
}

TEST(ExactJson, NothingIsLost) {
    expectRoundTrip(fleetSchema(), richShip());
    Chain chain;
    setId(chain, kId);
    auto* rule = chain.add_rules();
    rule->set_type(Rule::JUMP);
    rule->mutable_condition()->set_nw_proto(0);  // given, and 0
    chain.add_rules()->set_flow_action(Rule::FLOW_RETURN);
    chain.add_rules()->mutable_condition();
    expectRoundTrip(Schema::get(), chain);
}

/// Sets fields of every kind at random, as their format wants them.
class Filler {
public:
    explicit Filler(unsigned seed) : random_(seed) {}

    void fill(Message& message, const std::vector<FieldSchema>& fields) {
        for (const auto& s : fields) {
            if (s.field->is_repeated())
                for (std::size_t i = below(3); i > 0; --i) set(message, s, true);
            else if (below(3) > 0)
                set(message, s, false);
        }
    }

private:
    std::size_t below(std::size_t end) { return random_() % end; }

    std::string text(Format format) {
        switch (format) {
            case Format::Plain: return std::string("\"\\\n\x01", below(5)) + "ü";
            case Format::Uuid: return Uuid{random_(), random_() | 1}.toBytes();
            case Format::Mac: return fmt::format("02:00:00:00:00:{:02x}", below(256));
            case Format::Ip:
                if (below(2) == 0) return fmt::format("2001:db8::{:x}", 1 + below(255));
                [[fallthrough]];
            case Format::Ipv4: return fmt::format("10.0.0.{}", below(256));
            case Format::IpPrefix: return fmt::format("10.0.{}.0/24", below(256));
        }
        return {};
    }

    void set(Message& message, const FieldSchema& s, bool add) {
        using google::protobuf::FieldDescriptor;
        const auto& r = *message.GetReflection();
        const auto* f = s.field;
        switch (f->cpp_type()) {
            case FieldDescriptor::CPPTYPE_INT32: return r.SetInt32(&message, f, static_cast<std::int32_t>(random_()));
            case FieldDescriptor::CPPTYPE_INT64: return r.SetInt64(&message, f, static_cast<std::int64_t>(random_()));
            case FieldDescriptor::CPPTYPE_UINT32: return r.SetUInt32(&message, f, static_cast<std::uint32_t>(random_()));
            case FieldDescriptor::CPPTYPE_UINT64: return r.SetUInt64(&message, f, random_());
            case FieldDescriptor::CPPTYPE_BOOL: return r.SetBool(&message, f, true);
            case FieldDescriptor::CPPTYPE_ENUM: return r.SetEnumValue(&message, f, static_cast<int>(below(4)));
            case FieldDescriptor::CPPTYPE_STRING:
                return add ? r.AddString(&message, f, text(s.format)) : r.SetString(&message, f, text(s.format));
            case FieldDescriptor::CPPTYPE_MESSAGE:
                return fill(*(add ? r.AddMessage(&message, f) : r.MutableMessage(&message, f)), s.embedded);
            case FieldDescriptor::CPPTYPE_DOUBLE:
            case FieldDescriptor::CPPTYPE_FLOAT: FAIL() << "no class has these";
        }
    }

    std::mt19937_64 random_;
};

TEST(ExactJson, EveryClassComesBackAsItWas) {
    for (const auto& type : Schema::get().classes())
        for (unsigned seed = 1; seed <= 50; ++seed) {
            const auto object = type->make(), back = type->make();
            Filler{seed}.fill(*object, type->fields);
            const auto text = written(Schema::get(), *object);
            const auto body = JsonBody::parseWhole(text);
            ASSERT_TRUE(body) << text;
            ASSERT_THAT(readExact(*body, *type, *back), IsEmpty()) << text;
            ASSERT_EQ(back->SerializeAsString(), object->SerializeAsString()) << text;
        }
}

TEST(ExactJson, WhatCannotBeMeantIsKeptToo) {
    Port port;
    setId(port, kId);
    port.set_host_id("\x01short");
    expectRoundTrip(Schema::get(), port);
    TunnelZone zone;
    setId(zone, kId);
    zone.set_type(static_cast<TunnelZone::Type>(77));
    expectRoundTrip(Schema::get(), zone);
}

TEST(ExactJson, FieldsOfANewerProgramAreKept) {
    auto ship = richShip();
    ship.GetReflection()->MutableUnknownFields(&ship)->AddVarint(999, 5);
    auto* berth = ship.mutable_berths(0);
    berth->GetReflection()->MutableUnknownFields(berth)->AddLengthDelimited(1000, "new");
    EXPECT_THAT(written(fleetSchema(), ship), HasSubstr(kUnknownFields));
    expectRoundTrip(fleetSchema(), ship);
}

TEST(ExactJson, WhatIsWrongIsNamedByItsPath) {
    const auto property = [](const std::string& name) { return Contains(Field(&Violation::property, name)); };
    EXPECT_THAT(violationsOf<Port>(Schema::get(), R"({"tunnelKey":1})"), property("tunnelKey"));
    EXPECT_THAT(violationsOf<Port>(Schema::get(), R"({"tunnel_key":-1})"), property("tunnel_key"));
    EXPECT_THAT(violationsOf<Port>(Schema::get(), R"({"host_id":"x"})"), property("host_id"));
    EXPECT_THAT(violationsOf<Port>(Schema::get(), R"({"port_mac":"x"})"), property("port_mac"));
    EXPECT_THAT(violationsOf<Port>(Schema::get(), R"({"port_subnet":"x"})"), property("port_subnet"));
    EXPECT_THAT(violationsOf<Chain>(Schema::get(), R"({"rules":[{"type":"accept"},{"type":"maybe"}]})"), property("rules[1].type"));
    EXPECT_THAT(violationsOf<Chain>(Schema::get(), R"({"rules":[{"condition":{"inPorts":[]}}]})"),
                property("rules[0].condition.inPorts"));
    EXPECT_THAT(violationsOf<Chain>(Schema::get(), R"({"+unknown":"0"})"), property("+unknown"));
    EXPECT_THAT(violationsOf<Chain>(Schema::get(), R"({"id":null})"), property("id"));
}

TEST(ExactJson, FieldsByTheirPath) {
    Chain chain;
    setId(chain, kId);
    chain.add_rules()->set_type(Rule::DROP);
    chain.mutable_rules(0)->mutable_condition()->add_in_ports(kId.toBytes());
    const auto id = "\"" + kId.toString() + "\"";
    EXPECT_THAT(exactFields(Schema::get().of<Chain>(), chain),
                UnorderedElementsAre(Pair("id", id), Pair("rules[0].type", "\"drop\""),
                                     Pair("rules[0].condition.in_ports", "[" + id + "]")));
}

TEST(ExactJson, NothingMayFollowAnObject) {
    EXPECT_TRUE(JsonBody::parseWhole("{} "));
    for (const char* bad : {"{}x", "{}{}", "[]", "", "{"}) EXPECT_FALSE(JsonBody::parseWhole(bad)) << bad;
}

TEST(ExactJson, TextIsTakenAsItIs) {
    const auto body = *JsonBody::parseWhole(R"({"empty":"","null":"null","number":1})");
    EXPECT_EQ(exactText(body, "empty"), "");
    EXPECT_EQ(exactText(body, "null"), "null");
    EXPECT_FALSE(exactText(body, "number"));
    EXPECT_FALSE(exactText(body, "absent"));
}

TEST(ExactJson, Hex) {
    const std::string bytes("\x00\xffz", 3);
    EXPECT_EQ(toHex(bytes), "00ff7a");
    EXPECT_EQ(fromHex("00ff7a"), bytes);
    EXPECT_EQ(fromHex(""), "");
    for (const char* bad : {"0", "0g", "000", "FF"}) EXPECT_FALSE(fromHex(bad)) << bad;
}

}  // namespace
}  // namespace midonet::model
