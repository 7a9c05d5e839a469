#include <limits>

#include "rest/media_type.h"
#include "rest/topology_api.h"
#include "tracing/packet_trace.h"

namespace midonet::rest {
namespace {

template <class T>
Outcome<T> numberOr(const model::JsonBody& body, std::string_view key, T otherwise) {
    GET_OR_REFUSE(value, body.integer(key));
    if (!value) return otherwise;
    if (*value < 0 || *value > std::numeric_limits<T>::max()) return refuseProperty(std::string{key}, fmt::format("must be from 0 to {}", std::numeric_limits<T>::max()));
    return static_cast<T>(*value);
}

/// Zero when it is not given.
Outcome<net::Mac> macOf(const model::JsonBody& body, std::string_view key) {
    GET_OR_REFUSE(mac, body.mac(key));
    return mac.value_or(net::Mac{});
}

Outcome<net::IpAddress> addressOf(const model::JsonBody& body, std::string_view key) {
    GET_OR_REFUSE(text, body.text(key));
    if (!text) return net::IpAddress{};
    const auto address = net::IpAddress::parse(*text);
    if (!address) return refuseProperty(std::string{key}, address.error().message);
    return *address;
}

Outcome<flow::VlanTci> vlanOf(const model::JsonBody& body) {
    GET_OR_REFUSE(vlan, numberOr<std::uint16_t>(body, "vlan", 0));
    if (vlan > 4095) return refuseProperty("vlan", "must be from 0 to 4095");
    return vlan == 0 ? flow::VlanTci{} : flow::VlanTci::tagged(net::VlanId{vlan});
}

/// The packet that the body describes, in the words of a rule's condition.
Outcome<flow::FlowKey> packetOf(const model::JsonBody& body) {
    flow::FlowKey key;
    GET_OR_REFUSE(source, addressOf(body, "nwSrc"));
    GET_OR_REFUSE(destination, addressOf(body, "nwDst"));
    if (source.family() != destination.family()) return refuseProperty("nwDst", "must be of the same family as nwSrc");
    key.ipSource = source;
    key.ipDestination = destination;
    GET_OR_REFUSE(type, numberOr<std::uint16_t>(body, "dlType", source.isV6() ? 0x86dd : 0x0800));
    key.etherType = type;
    GET_OR_REFUSE(ethSource, macOf(body, "dlSrc"));
    key.ethSource = ethSource;
    GET_OR_REFUSE(ethDestination, macOf(body, "dlDst"));
    key.ethDestination = ethDestination;
    GET_OR_REFUSE(vlan, vlanOf(body));
    key.vlan = vlan;
    GET_OR_REFUSE(protocol, numberOr<std::uint8_t>(body, "nwProto", 0));
    key.ipProtocol = protocol;
    GET_OR_REFUSE(tos, numberOr<std::uint8_t>(body, "nwTos", 0));
    key.ipTos = tos;
    GET_OR_REFUSE(ttl, numberOr<std::uint8_t>(body, "nwTtl", 64));
    key.ipTtl = ttl;
    GET_OR_REFUSE(l4Source, numberOr<std::uint16_t>(body, "tpSrc", 0));
    key.l4Source = l4Source;
    GET_OR_REFUSE(l4Destination, numberOr<std::uint16_t>(body, "tpDst", 0));
    key.l4Destination = l4Destination;
    return key;
}

void write(model::JsonWriter& json, const flow::FlowKey& packet) {
    json.beginObject().key("dlSrc").string(packet.ethSource.toString()).key("dlDst").string(packet.ethDestination.toString());
    json.key("dlType").integer(packet.etherType).key("vlan").integer(packet.vlan.id().value());
    json.key("nwSrc").string(packet.ipSource.toString()).key("nwDst").string(packet.ipDestination.toString());
    json.key("nwProto").integer(packet.ipProtocol).key("nwTos").integer(packet.ipTos).key("nwTtl").integer(packet.ipTtl);
    json.key("tpSrc").integer(packet.l4Source).key("tpDst").integer(packet.l4Destination).endObject();
}

void write(model::JsonWriter& json, const simulation::TraceStep& step) {
    json.beginObject().key("kind").string(simulation::toString(step.kind)).key("subject");
    json.stringOrNull(step.subject.isNil() ? "" : step.subject.toString()).key("detail").string(step.detail).endObject();
}

std::string toJson(const PortId& port, const tracing::PacketTrace& trace) {
    model::JsonWriter json;
    json.beginObject().key("portId").string(port.toString()).key("hostId").string(trace.host.toString()).key("packet");
    write(json, trace.packet);
    json.key("verdict").string(tracing::toString(trace.verdict)).key("reason").stringOrNull(trace.reason);
    json.key("outputs").beginArray();
    for (const auto& output : trace.outputs) {
        json.beginObject().key("portId").string(output.port.toString());
        json.key("hostId").stringOrNull(output.host.isNil() ? "" : output.host.toString()).key("packet");
        write(json, output.packet);
        json.endObject();
    }
    json.endArray().key("steps").beginArray();
    for (const auto& step : trace.steps.steps) write(json, step);
    return json.endArray().endObject().take();
}

Outcome<http::Response> tracePacket(nsdb::Store& store, const Call& call) {
    GET_OR_REFUSE(body, call.body());
    GET_OR_REFUSE(port, body.uuid("portId"));
    if (!port) return refuseProperty("portId", "must be the UUID of the port that the packet comes in through");
    GET_OR_REFUSE(packet, packetOf(body));
    GET_OR_REFUSE(trace, tracing::tracePacket(store, PortId{*port}, packet));
    return call.ok(toJson(PortId{*port}, trace));
}

/// The packet of a question, whose properties may be left out, or of an answer.
Properties packetProperties(bool readOnly) {
    const auto number = [&](std::string name, std::int64_t most) {
        return Property{.name = std::move(name), .type = ValueType::Integer, .readOnly = readOnly, .min = 0, .max = most};
    };
    return {{.name = "dlSrc", .type = ValueType::Mac, .readOnly = readOnly},
            {.name = "dlDst", .type = ValueType::Mac, .readOnly = readOnly},
            number("dlType", 65535),
            number("vlan", 4095),
            {.name = "nwSrc", .type = ValueType::Ip, .readOnly = readOnly},
            {.name = "nwDst", .type = ValueType::Ip, .readOnly = readOnly},
            number("nwProto", 255),
            number("nwTos", 255),
            number("nwTtl", 255),
            number("tpSrc", 65535),
            number("tpDst", 65535)};
}

void describeTraces(Bodies& bodies) {
    bodies["TracedPacket"] = packetProperties(true);
    bodies["PacketOutput"] = {{.name = "portId", .type = ValueType::Uuid, .of = "Port"},
                              {.name = "hostId", .type = ValueType::Uuid, .nullable = true, .of = "Host"},
                              {.name = "packet", .type = ValueType::Object, .of = "TracedPacket"}};
    bodies["TraceStep"] = {{.name = "kind"}, {.name = "subject", .type = ValueType::Uuid, .nullable = true}, {.name = "detail"}};
    auto& trace = bodies["PacketTrace"] = packetProperties(false);
    trace.insert(trace.begin(), {.name = "portId", .type = ValueType::Uuid, .readOnly = false, .required = true, .of = "Port"});
    trace.insert(trace.end(), {{.name = "hostId", .type = ValueType::Uuid, .of = "Host"},
                               {.name = "packet", .type = ValueType::Object, .of = "TracedPacket"},
                               {.name = "verdict", .values = {"forwarded", "dropped", "consumed", "waits"}},
                               {.name = "reason", .nullable = true},
                               {.name = "outputs", .type = ValueType::Object, .list = true, .of = "PacketOutput"},
                               {.name = "steps", .type = ValueType::Object, .list = true, .of = "TraceStep"}});
}

}  // namespace

void addPacketTraces(ObjectApi& api) {
    auto& store = api.store();
    const std::vector<std::string> types{itemType("PacketTrace", 1), std::string{kJson}};
    api.service().add({.method = http::Method::Post, .path = "/packet_traces", .produces = types, .consumes = types, .wrongContentType = 415,
                       .blocks = true, .run = [&store](const Call& call) { return tracePacket(store, call); }, .about = {.success = 200}});
    describeTraces(api.service().bodies());
}

}  // namespace midonet::rest
