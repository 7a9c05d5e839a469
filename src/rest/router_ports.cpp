#include "rest/router_ports.h"

#include <algorithm>
#include <set>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "net/ip_prefix.h"

namespace midonet::rest {
namespace {

using model::Port;
using model::Route;
constexpr unsigned kIpv4Bits = 32;

/// An address of the port and the length of its subnet.
struct PortAddress {
    net::IpAddress address;
    unsigned length = 0;

    static Result<PortAddress> parse(std::string_view text) {
        TRY(prefix, net::IpPrefix::parse(text));
        TRY(address, net::IpAddress::parse(text.substr(0, text.find('/'))));
        return PortAddress{address, prefix.length()};
    }
    std::string toString() const { return fmt::format("{}/{}", address, length); }
    friend bool operator==(const PortAddress&, const PortAddress&) = default;
};
using Addresses = std::vector<PortAddress>;

bool isV4(const PortAddress& a) { return a.address.isV4(); }

Outcome<Addresses> addressesOf(const Port& port) {
    Addresses out;
    for (const auto& text : port.port_subnet()) {
        GET_OR_REFUSE(address, PortAddress::parse(text));
        out.push_back(address);
    }
    return out;
}

/// `portSubnet`.
Addresses readSubnets(const model::JsonBody& body, model::Violations& out) {
    Addresses addresses;
    const auto texts = body.texts("portSubnet");
    if (!texts) {
        out.push_back({"portSubnet", "must be an array of addresses with the length of their subnet, as 10.0.0.1/24"});
        return {};
    }
    for (std::size_t i = 0; i < texts->size(); ++i) {
        const auto address = PortAddress::parse((*texts)[i]);
        if (address)
            addresses.push_back(*address);
        else
            out.push_back({fmt::format("portSubnet[{}]", i), "must be an address with the length of its subnet, as 10.0.0.1/24"});
    }
    return addresses;
}

/// `portAddress` and `networkLength`.
std::optional<PortAddress> readAddress(const model::JsonBody& body, model::Violations& out) {
    const auto text = body.text("portAddress");
    const auto length = body.integer("networkLength");
    const bool goodLength = length && length->value_or(0) >= 0 && length->value_or(0) <= kIpv4Bits;
    if (!goodLength) out.push_back({"networkLength", fmt::format("must be from 0 to {}", kIpv4Bits)});
    if (text && !*text) return std::nullopt;
    const auto address = net::Ipv4Address::parse(text ? **text : "");
    if (!address) out.push_back({"portAddress", "must be an IPv4 address"});
    if (goodLength && !*length) out.push_back({"networkLength", "must be given with portAddress"});
    if (!address || !goodLength || !*length) return std::nullopt;
    return PortAddress{*address, static_cast<unsigned>(**length)};
}

/// A client that puts back what it got, with another portAddress, means that one.
Addresses decide(Addresses subnets, const std::optional<PortAddress>& address, const Addresses& stored) {
    if (!address) return subnets;
    if (subnets.empty()) return {*address};
    const auto first = std::find_if(subnets.begin(), subnets.end(), isV4);
    if (subnets == stored && first != subnets.end()) *first = *address;
    return subnets;
}

/// Locally administered, of one station (IEEE 802c).
net::Mac randomMac() {
    constexpr std::uint64_t kLocal = std::uint64_t{2} << 40, kFlags = std::uint64_t{3} << 40;
    return net::Mac{(Uuid::random().low() & ~kFlags) | kLocal};
}

std::string readMac(const model::JsonBody& body, const std::string& stored, model::Violations& out) {
    const auto mac = body.mac("portMac");
    if (!mac || (*mac && ((*mac)->isMulticast() || (*mac)->isZero()))) {
        out.push_back({"portMac", "must be the MAC address of one station"});
        return {};
    }
    if (*mac) return (*mac)->toString();
    return stored.empty() ? randomMac().toString() : stored;
}

std::set<std::string> localAddresses(const Addresses& addresses) {
    std::set<std::string> out;
    for (const auto& a : addresses)
        if (isV4(a)) out.insert(a.address.toString());
    return out;
}

Route localRoute(const Port& port, const std::string& address) {
    Route route;
    model::setId(route, Uuid::random());
    route.set_router_id(port.router_id());
    route.set_type(Route::LOCAL);
    route.set_src_network_addr(net::Ipv4Address{}.toString());
    route.set_dst_network_addr(address);
    route.set_dst_network_length(kIpv4Bits);
    route.set_next_hop_port(port.id());
    return route;
}

Outcome<void> removeLocalRoutes(nsdb::Transaction& transaction, const Uuid& port, const std::set<std::string>& addresses) {
    GET_OR_REFUSE(routes, transaction.referrers<Route>("next_hop_port", port));
    for (const auto& id : routes) {
        GET_OR_REFUSE(route, transaction.get<Route>(id));
        const bool local = route.object->type() == Route::LOCAL && route.object->dst_network_length() == kIpv4Bits;
        if (local && addresses.contains(route.object->dst_network_addr()))
            DO_OR_REFUSE(transaction.remove(Route::descriptor(), id));
    }
    return {};
}

std::set<std::string> without(const std::set<std::string>& all, const std::set<std::string>& those) {
    std::set<std::string> out;
    std::set_difference(all.begin(), all.end(), those.begin(), those.end(), std::inserter(out, out.end()));
    return out;
}

/// Of ports of layer 2 gateways.
void readGateway(const model::JsonBody& body, Port& next, model::Violations& out) {
    constexpr std::int64_t kLastVni = 0xffffff;
    next.clear_rtr_port_vni();
    next.clear_off_ramp_vxlan();
    const auto vni = body.integer("rtrPortVni");
    const auto offRamp = body.boolean("offRampVxlan");
    if (!vni || vni->value_or(0) < 0 || vni->value_or(0) > kLastVni)
        out.push_back({"rtrPortVni", fmt::format("must be from 0 to {}", kLastVni)});
    else if (*vni)
        next.set_rtr_port_vni(static_cast<std::uint32_t>(**vni));
    if (!offRamp)
        out.push_back({"offRampVxlan", "must be true or false"});
    else if (*offRamp)
        next.set_off_ramp_vxlan(**offRamp);
}

Outcome<void> showContainer(const Show& out, const Port& port) {
    GET_OR_REFUSE(containers, out.holders.of<model::ServiceContainer>(out.view, "port_id", model::idOf(port)));
    const auto id = containers.empty() ? "" : containers.front().toString();
    out.json.key("serviceContainerId").stringOrNull(id);
    out.json.key("serviceContainer").stringOrNull(id.empty() ? "" : fmt::format("{}/service_containers/{}", out.base, id));
    return {};
}

}  // namespace

Outcome<void> readRouterPort(const model::JsonBody& body, const Port* stored, Port& next) {
    model::Violations violations;
    Addresses before;
    if (stored != nullptr) {
        GET_OR_REFUSE(addresses, addressesOf(*stored));
        before = std::move(addresses);
    }
    const auto address = readAddress(body, violations);
    const auto addresses = decide(readSubnets(body, violations), address, before);
    const auto mac = readMac(body, next.port_mac(), violations);
    readGateway(body, next, violations);
    if (!violations.empty()) return tl::unexpected<Fault>{Fault{std::move(violations)}};
    next.clear_port_subnet();
    for (const auto& a : addresses) next.add_port_subnet(a.toString());
    next.set_port_mac(mac);
    next.clear_vlan_id();  // bridges only
    return {};
}

Outcome<void> followAddresses(nsdb::Transaction& transaction, const Port* before, const Port& now) {
    std::set<std::string> old;
    if (before != nullptr) {
        GET_OR_REFUSE(addresses, addressesOf(*before));
        old = localAddresses(addresses);
    }
    GET_OR_REFUSE(addresses, addressesOf(now));
    const auto wanted = localAddresses(addresses);
    if (const auto gone = without(old, wanted); !gone.empty())
        DO_OR_REFUSE(removeLocalRoutes(transaction, model::idOf(now), gone));
    for (const auto& address : without(wanted, old)) DO_OR_REFUSE(transaction.create(localRoute(now, address)));
    return {};
}

Outcome<void> showRouterPort(const Show& out, const Port& port) {
    auto& json = out.json;
    const auto addresses = addressesOf(port).value_or(Addresses{});
    const auto first = std::find_if(addresses.begin(), addresses.end(), isV4);
    const bool known = first != addresses.end();
    json.key("portAddress").stringOrNull(known ? first->address.toString() : "");
    json.key("networkAddress").stringOrNull(known ? net::IpPrefix{first->address, first->length}.address().toString() : "");
    json.key("networkLength").integer(known ? first->length : 0);
    json.key("portSubnet").beginArray();
    for (const auto& address : addresses) json.string(address.toString());
    json.endArray().key("portMac").stringOrNull(port.port_mac());
    json.key("rtrPortVni");
    port.has_rtr_port_vni() ? json.unsignedInteger(port.rtr_port_vni()) : json.null();
    json.key("offRampVxlan");
    port.has_off_ramp_vxlan() ? json.boolean(port.off_ramp_vxlan()) : json.null();
    json.key("bgpStatus").null();
    json.key("peeringTable").string(fmt::format("{}/routers/{}/ports/{}/peering_table", out.base, model::uuidOf(port.router_id()), model::idOf(port)));
    return showContainer(out, port);
}

void describeRouterPort(Properties& out) {
    const Property properties[] = {{.name = "portAddress", .type = ValueType::Ipv4, .nullable = true, .readOnly = false},
                                   {.name = "networkAddress", .type = ValueType::Ipv4, .nullable = true},
                                   {.name = "networkLength", .type = ValueType::Integer, .readOnly = false, .min = 0, .max = kIpv4Bits},
                                   {.name = "portSubnet", .type = ValueType::Prefix, .list = true, .readOnly = false},
                                   {.name = "portMac", .type = ValueType::Mac, .nullable = true, .readOnly = false},
                                   {.name = "rtrPortVni", .type = ValueType::Integer, .nullable = true, .readOnly = false},
                                   {.name = "offRampVxlan", .type = ValueType::Flag, .nullable = true, .readOnly = false},
                                   {.name = "bgpStatus", .type = ValueType::Null},
                                   {.name = "peeringTable", .type = ValueType::Uri},
                                   {.name = "serviceContainerId", .type = ValueType::Uuid, .nullable = true},
                                   {.name = "serviceContainer", .type = ValueType::Uri, .nullable = true}};
    out.insert(out.end(), std::begin(properties), std::end(properties));
}

}  // namespace midonet::rest
