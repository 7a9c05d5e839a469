#include "model/schema.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fleet/fleet.pb.h"
#include "model/ids.h"
#include "model/topology.pb.h"

namespace midonet::model {
namespace {

const Schema& fleetSchema() {
    static const Schema schema({fleet::Ship::descriptor()->file()});
    return schema;
}

TEST(Schema, KnowsTheClasses) {
    const auto& schema = Schema::get();
    for (const auto* name : {"Host", "TunnelZone", "TunnelZoneMember", "Bridge", "Port"})
        EXPECT_NE(schema.byName(name), nullptr) << name;
    EXPECT_EQ(schema.byName("FieldRules"), nullptr);
    EXPECT_EQ(schema.byRest("tunnel_zones"), &schema.of<TunnelZone>());
    EXPECT_EQ(schema.byRest(""), nullptr) << "members have no collection of their own";
}

TEST(Schema, ResolvesFieldRules) {
    const auto& port = Schema::get().of<Port>();
    ASSERT_NE(port.field("bridge_id"), nullptr);
    EXPECT_EQ(port.field("bridge_id")->json, "deviceId");
    EXPECT_TRUE(port.field("bridge_id")->readOnly);
    EXPECT_EQ(port.field("admin_state_up")->json, "adminStateUp");
    EXPECT_EQ(port.field("admin_state_up")->defaultValue, "true");
    EXPECT_EQ(port.fieldByJson("deviceId"), port.field("bridge_id"));
    EXPECT_EQ(port.fieldByJson("bridge_id"), nullptr);
    EXPECT_EQ(port.field("interface_name")->maxLength, 15U);
    EXPECT_EQ(port.field("vlan_id")->max, 4095);
    EXPECT_TRUE(port.field("vlan_id")->hasRange());
    EXPECT_FALSE(port.field("tunnel_key")->hasRange());
    EXPECT_EQ(port.field("vif_id")->format, Format::Uuid);
    const auto& zone = Schema::get().of<TunnelZone>();
    ASSERT_EQ(zone.uniqueFields.size(), 1U);
    EXPECT_EQ(zone.uniqueFields[0].field, zone.field("name"));
    EXPECT_EQ(zone.unique("name"), &zone.uniqueFields[0]);
    EXPECT_EQ(zone.unique("type"), nullptr);
}

TEST(Schema, ResolvesReferencesBothWays) {
    const auto& bridge = Schema::get().of<Bridge>();
    ASSERT_FALSE(bridge.referencedBy.empty());
    EXPECT_EQ(bridge.referencedBy[0].holder, &Schema::get().of<Port>());
    EXPECT_EQ(bridge.referencedBy[0].reference->name, "bridge_id");
    EXPECT_EQ(bridge.referencedBy[0].reference->rules.onDelete, OnDelete::Cascade);
    EXPECT_EQ(Schema::get().of<Port>().reference("host_id")->rules.onDelete, OnDelete::Clear);
}

TEST(Schema, KnowsWhoseObjectsAre) {
    const auto& schema = Schema::get();
    const auto& bridge = schema.of<Bridge>();
    EXPECT_EQ(bridge.tenant, bridge.field("tenant_id"));
    EXPECT_TRUE(bridge.wholes.empty());
    const auto& port = schema.of<Port>();
    EXPECT_EQ(port.tenant, nullptr);
    EXPECT_EQ(port.wholes, (std::vector{port.reference("bridge_id"), port.reference("router_id")}));
    EXPECT_TRUE(port.isOfTenants());
    EXPECT_TRUE(port.field("host_id")->restricted);
    EXPECT_FALSE(schema.of<Host>().isOfTenants()) << "the administrators'";
    const auto& condition = schema.of<Mirror>().field("conditions")->embedded;
    const auto inPorts = std::find_if(condition.begin(), condition.end(), [](const auto& field) { return field.name == "in_ports"; });
    EXPECT_EQ(inPorts->names, std::vector{Port::descriptor()});
}

TEST(Schema, FindsReferencesInsideEmbeddedMessages) {
    const auto& ship = fleetSchema().of<fleet::Ship>();
    ASSERT_NE(ship.reference("cargo.owner_ids"), nullptr);
    EXPECT_EQ(ship.reference("cargo.owner_ids")->rules.target, fleet::Captain::descriptor());
    EXPECT_TRUE(ship.reference("captain_id")->rules.exclusive);
    EXPECT_EQ(ship.field("cargo")->embedded.size(), 2U);
}

TEST(Schema, FindsUniqueFieldsInsideEmbeddedMessages) {
    const auto& ship = fleetSchema().of<fleet::Ship>();
    const auto* unique = ship.unique("berths.id");
    ASSERT_NE(unique, nullptr);
    EXPECT_EQ(unique->field, &ship.field("berths")->embedded[0]);
    const auto first = Uuid::random(), second = Uuid::random();
    fleet::Ship object;
    EXPECT_TRUE(textsOf(object, *unique).empty());
    for (const auto& id : {first, second, Uuid{}, first}) object.add_berths()->set_id(bytesOf(id));
    EXPECT_EQ(textsOf(object, *unique), (std::vector{first.toString(), second.toString(), first.toString()})) << "as text, doubles kept";
}

TEST(References, OfAnElementTakeItAlongWhereTheSchemaSaysSo) {
    const auto& guests = *fleetSchema().of<fleet::Ship>().reference("berths.guest_id");
    EXPECT_EQ(guests.rules.onDelete, OnDelete::Remove);
    const auto anne = Uuid::random(), mary = Uuid::random();
    fleet::Ship object;
    for (const auto& guest : {anne, mary, Uuid{}, anne, mary}) object.add_berths()->set_guest_id(bytesOf(guest));
    clearReference(object, guests, anne);
    ASSERT_EQ(object.berths_size(), 3);
    EXPECT_EQ(uuidOf(object.berths(0).guest_id()), mary);
    EXPECT_TRUE(object.berths(1).guest_id().empty());
    EXPECT_EQ(uuidOf(object.berths(2).guest_id()), mary) << "the order of the others stays";
    clearReference(object, guests, anne);
    EXPECT_EQ(object.berths_size(), 3);
}

TEST(References, AreReadAndClearedWhereverTheyAre) {
    const auto& ship = fleetSchema().of<fleet::Ship>();
    const auto& owners = *ship.reference("cargo.owner_ids");
    const auto anne = Uuid::random();
    const auto mary = Uuid::random();
    fleet::Ship object;
    object.add_cargo()->add_owner_ids(anne.toBytes());
    auto* second = object.add_cargo();
    second->add_owner_ids(mary.toBytes());
    second->add_owner_ids(anne.toBytes());
    second->add_owner_ids("");
    EXPECT_EQ(targetsOf(object, owners), (std::vector<Uuid>{anne, mary, anne}));

    clearReference(object, owners, anne);
    EXPECT_EQ(targetsOf(object, owners), std::vector<Uuid>{mary});
    EXPECT_EQ(object.cargo_size(), 2) << "the messages around it stay";

    const auto& captain = *ship.reference("captain_id");
    EXPECT_TRUE(targetsOf(object, captain).empty());
    object.set_captain_id(anne.toBytes());
    clearReference(object, captain, mary);
    EXPECT_EQ(targetsOf(object, captain), std::vector<Uuid>{anne}) << "another target is left alone";
    clearReference(object, captain, anne);
    EXPECT_EQ(object.captain_id(), "");
}

TEST(Object, IdIsItsFirstField) {
    Bridge bridge;
    EXPECT_TRUE(idOf(bridge).isNil());
    const auto id = Uuid::random();
    setId(bridge, id);
    EXPECT_EQ(bridge.id(), id.toBytes());
    EXPECT_EQ(idOf(bridge), id);
    EXPECT_EQ(Schema::get().of(bridge).make()->GetDescriptor(), Bridge::descriptor());
}

TEST(Object, TextOfAUniqueValue) {
    const auto& harbour = fleetSchema().of<fleet::Harbour>();
    fleet::Harbour object;
    EXPECT_EQ(textOf(object, *harbour.field("name")), "");
    EXPECT_EQ(textOf(object, *harbour.field("number")), "") << "0 is unset";
    object.set_name("Tortuga");
    object.set_number(7);
    EXPECT_EQ(textOf(object, *harbour.field("name")), "Tortuga");
    EXPECT_EQ(textOf(object, *harbour.field("number")), "7");
}

TEST(SchemaDeathTest, UnknownClassIsOurBug) {
    EXPECT_DEATH(static_cast<void>(Schema::get().of<fleet::Ship>()), "class of the schema");
}

}  // namespace
}  // namespace midonet::model
