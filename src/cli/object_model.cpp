// The object model: every type, field and collection of the command line, and what each is in the JSON of the API
// (docs/rest-api.md). This file is the only one that knows a single object; to add one, add it here.
#include "cli/object_model.h"

#include <algorithm>

#include "base/assert.h"

namespace midonet::cli {

using namespace std::string_view_literals;

namespace {

constexpr Field text(std::string_view name, std::string_view json) { return {.name = name, .kind = Kind::Text, .json = json}; }
constexpr Field number(std::string_view name, std::string_view json) { return {.name = name, .kind = Kind::Number, .json = json}; }
constexpr Field limit(std::string_view name, std::string_view json) { return {.name = name, .kind = Kind::Limit, .json = json}; }
constexpr Field ip(std::string_view name, std::string_view json) { return {.name = name, .kind = Kind::Ip, .json = json}; }
constexpr Field mac(std::string_view name, std::string_view json) { return {.name = name, .kind = Kind::Mac, .json = json}; }
constexpr Field macMask(std::string_view name, std::string_view json) { return {.name = name, .kind = Kind::MacMask, .json = json}; }
constexpr Field prefix(std::string_view name, std::string_view json) { return {.name = name, .kind = Kind::Prefix, .json = json}; }
constexpr Field range(std::string_view name, std::string_view json) { return {.name = name, .kind = Kind::Range, .json = json}; }
constexpr Field natTargets(std::string_view name, std::string_view json) { return {.name = name, .kind = Kind::NatTargets, .json = json}; }
constexpr Field port16(std::string_view name, std::string_view json) { return number(name, json).within(0, 65535); }

constexpr Field cidr(std::string_view name, std::string_view address, std::string_view length) {
    return {.name = name, .kind = Kind::Cidr, .json = address, .companion = length};
}
constexpr Field word(std::string_view name, std::string_view json, std::string_view words) {
    return {.name = name, .kind = Kind::Word, .json = json, .words = words};
}
constexpr Field either(std::string_view name, std::string_view first, std::string_view second, std::string_view words) {
    return {.name = name, .kind = Kind::Either, .json = first, .words = words, .companion = second};
}
constexpr Field onOff(std::string_view name, std::string_view json, std::string_view words) {
    return {.name = name, .kind = Kind::Switch, .json = json, .words = words};
}
constexpr Field trueFalse(std::string_view name, std::string_view json) { return onOff(name, json, "true false"); }
constexpr Field yesNo(std::string_view name, std::string_view json) { return onOff(name, json, "yes no"); }
constexpr Field reference(std::string_view name, std::string_view json, std::string_view target) {
    return {.name = name, .kind = Kind::Reference, .json = json, .target = target};
}

constexpr Field kId = text("id", "id").ro().hide();
constexpr Field kTenant = text("tenant", "tenantId").hide();
constexpr Field kName = text("name", "name");
constexpr Field kState = onOff("state", "adminStateUp", "up down");
constexpr Field kInfilter = reference("infilter", "inboundFilterId", "chain").clear();
constexpr Field kOutfilter = reference("outfilter", "outboundFilterId", "chain").clear();
constexpr Field kInMirrors = reference("in-mirrors", "inboundMirrorIds", "mirror").list().clear();
constexpr Field kOutMirrors = reference("out-mirrors", "outboundMirrorIds", "mirror").list().clear();
constexpr Field kPostInMirrors = reference("post-in-filter-mirrors", "postInFilterMirrorIds", "mirror").list().clear();
constexpr Field kPreOutMirrors = reference("pre-out-filter-mirrors", "preOutFilterMirrorIds", "mirror").list().clear();
constexpr Field kPeer = reference("peer", "peerId", "port").by("link").clear();
constexpr Field kPlugged = yesNo("plugged", "active").ro();
constexpr Field kQosPolicy = reference("qos-policy", "qosPolicyId", "qos-policy").clear();

/// What packets have to be like: of rules, trace requests and mirrors.
std::vector<Field> condition(std::string_view inside = {}) {
    std::vector<Field> fields{
        yesNo("inverted", "condInvert"),
        mac("hw-src", "dlSrc").invert("invDlSrc"),
        macMask("hw-src-mask", "dlSrcMask"),
        mac("hw-dst", "dlDst").invert("invDlDst"),
        macMask("hw-dst-mask", "dlDstMask"),
        number("ethertype", "dlType").invert("invDlType"),
        cidr("src", "nwSrcAddress", "nwSrcLength").invert("invNwSrc"),
        cidr("dst", "nwDstAddress", "nwDstLength").invert("invNwDst"),
        number("proto", "nwProto").invert("invNwProto"),
        number("tos", "nwTos").invert("invNwTos"),
        range("src-port", "tpSrc").invert("invTpSrc"),
        range("dst-port", "tpDst").invert("invTpDst"),
        either("flow", "matchForwardFlow", "matchReturnFlow", "fwd-flow return-flow"),
        reference("port-group", "portGroup", "port-group").invert("invPortGroup"),
        reference("in-port-group", "inPortGroup", "port-group").invert("invInPortGroup"),
        reference("out-port-group", "outPortGroup", "port-group").invert("invOutPortGroup"),
        reference("ip-address-group-src", "ipAddrGroupSrc", "ip-address-group").invert("invIpAddrGroupSrc"),
        reference("ip-address-group-dst", "ipAddrGroupDst", "ip-address-group").invert("invIpAddrGroupDst"),
        reference("in-ports", "inPorts", "port").list().invert("invInPorts"),
        reference("out-ports", "outPorts", "port").list().invert("invOutPorts"),
        word("fragment-policy", "fragmentPolicy", "any header nonheader unfragmented"),
        trueFalse("no-vlan", "noVlan"),
        number("vlan", "vlan"),
        cidr("icmp-data-src", "icmpDataSrcIpAddress", "icmpDataSrcIpLength").invert("invIcmpDataSrcIp"),
        cidr("icmp-data-dst", "icmpDataDstIpAddress", "icmpDataDstIpLength").invert("invIcmpDataDstIp"),
        trueFalse("match-nw-dst-rewritten", "matchNwDstRewritten"),
    };
    for (auto& field : fields) field.inside = inside;
    return fields;
}

std::vector<Field> operator+(std::vector<Field> fields, std::vector<Field> more) {
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
}

Type apiRoot() {
    return {.name = "root",
            .word = "root",
            .mediaType = "Application-v5",
               .children = {Collection{"router", "router", "routers"}.ofTenant(),
                         Collection{"mirror", "mirror", "mirrors"}.ofTenant(),
                         Collection{"bridge", "bridge", "bridges"}.ofTenant(),
                         Collection{"port", "port", "ports"}.ofTenant().fixed(),
                         Collection{"chain", "chain", "chains"}.ofTenant(),
                         Collection{"l2insertion", "l2insertion", "l2insertions"}.ofTenant(),
                         Collection{"host", "host", "hosts"}.fixed(),
                         Collection{"port-group", "port-group", "portGroups"}.ofTenant(),
                         Collection{"ip-address-group", "ip-address-group", "ipAddrGroups"},
                         Collection{"tunnel-zone", "tunnel-zone", "tunnelZones"}.ofTenant(),
                         Collection{"tenant", "tenant", "tenants"}.fixed(),
                         Collection{"load-balancer", "load-balancer", "loadBalancers"},
                         Collection{"health-monitor", "health-monitor", "healthMonitors"},
                         Collection{"pool-statistic", "pool-statistic", "poolStatistics"}.fixed(),
                         Collection{"vtep", "vtep", "vteps"},
                         Collection{"tracerequest", "tracerequest", "traceRequests"}.ofTenant(),
                         Collection{"container", "container", "serviceContainers"},
                         Collection{"container-group", "container-group", "serviceContainerGroups"},
                         Collection{"qos-policy", "qos-policy", "qosPolicies"},
                         Collection{"system-state", "system-state", "systemState"}.fixed()},
            .hasId = false};
}

std::vector<Type> routers() {
    return {
        {.name = "router",
         .word = "router",
         .mediaType = "Router-v3",
         .item = "routerTemplate",
         .fields = {kId, kTenant, kName, kState, kInfilter, kOutfilter,
                    reference("load-balancer", "loadBalancerId", "load-balancer").clear(),
                    number("asn", "asNumber"), kInMirrors, kOutMirrors,
                    reference("local-redirect-chain", "localRedirectChainId", "chain").clear(),
                    reference("forward-chain", "forwardChainId", "chain").clear()},
         .children = {{"port", "router-port", "ports", "deviceId"},
                      {"route", "route", "routes", "routerId"},
                      {"bgp-network", "bgp-network", "bgpNetworks", "routerId"},
                      {"bgp-peer", "bgp-peer", "bgpPeers", "routerId"}},
         .changes = "Router"},
        {.name = "router-port",
         .word = "port",
         .mediaType = "Port-v3",
         .item = "portTemplate",
         .fields = {kId, reference("device", "deviceId", "router").ro(), kState, kPlugged, kInfilter, kOutfilter,
                    mac("mac", "portMac"), kPeer, text("bgp-status", "bgpStatus").ro().hide(),
                    kInMirrors, kOutMirrors, kPostInMirrors, kPreOutMirrors,
                    number("vni", "rtrPortVni").within(0, (1 << 24) - 1), trueFalse("vxlan-off-ramp", "offRampVxlan"),
                    prefix("addresses", "portSubnet").with(&Field::companion, "portAddress"sv).list().clear()},
         .children = {{"remote-peers", "remote-peer", "peeringTable"}},
         .presets = {{"type", "Router"}},
         .ownerType = "router",
         .ownerKey = "deviceId",
         .changes = "Port",
         .live = true},
        {.name = "remote-peer",
         .word = "macip",
         .mediaType = "MacIp-v1",
         .fields = {mac("mac", "mac"), ip("ip", "ip")},
         .live = true,
         .hasId = false},
        {.name = "route",
         .word = "route",
         .mediaType = "Route-v1",
         .item = "routeTemplate",
         .fields = {kId, word("type", "type", "normal=Normal blackhole=BlackHole reject=Reject"),
                    cidr("src", "srcNetworkAddr", "srcNetworkLength"), cidr("dst", "dstNetworkAddr", "dstNetworkLength"),
                    ip("gw", "nextHopGateway"), reference("port", "nextHopPort", "port"), number("weight", "weight"),
                    trueFalse("learned", "learned")},
         .ownerType = "router",
         .ownerKey = "routerId",
         .changes = "Route"},
        {.name = "bgp-network",
         .word = "net",
         .mediaType = "BgpNetwork-v1",
         .item = "bgpNetworkTemplate",
         .fields = {kId, cidr("net", "subnetAddress", "subnetLength")},
         .changes = "BgpNetwork"},
        {.name = "bgp-peer",
         .word = "peer",
         .mediaType = "BgpPeer-v1",
         .item = "bgpPeerTemplate",
         .fields = {kId, number("asn", "asNumber"), ip("address", "address"), number("keep-alive", "keepAlive"),
                    number("hold-time", "holdTime"), number("connect-retry", "connectRetry"), text("password", "password")},
         .changes = "BgpPeer"},
    };
}

std::vector<Type> bridges() {
    const std::vector<Field> beforeVlan{kId, reference("device", "deviceId", "bridge").ro(), kState, kPlugged, kInfilter, kOutfilter};
    const std::vector<Field> afterVlan{kPeer, reference("vtep", "vtepId", "vtep").ro(), number("vni", "vni").ro(), kQosPolicy,
                                       kInMirrors, kOutMirrors, kPostInMirrors, kPreOutMirrors};
    return {
        {.name = "bridge",
         .word = "bridge",
         .mediaType = "Bridge-v4",
         .item = "bridgeTemplate",
         .fields = {kId, kTenant, kName, kState, kInfilter, kOutfilter, kQosPolicy, kInMirrors, kOutMirrors},
         .children = {{"port", "bridge-port", "ports", "deviceId"},
                      {"dhcp", "dhcp", "dhcpSubnets"},
                      {"mac-port", "mac-port", "macTable"},
                      {"ip4-mac", "ip4-mac", "arpTable"}},
         .changes = "Bridge"},
        {.name = "bridge-port",
         .word = "port",
         .mediaType = "Port-v3",
         .item = "portTemplate",
         .fields = beforeVlan + std::vector<Field>{number("vlan", "vlanId")} + afterVlan,
         .presets = {{"type", "Bridge"}},
         .ownerType = "bridge",
         .ownerKey = "deviceId",
         .variantKey = "type",
         .variants = {{"Vxlan", "vxlan-port"}},
         .changes = "Port",
         .live = true},
        {.name = "vxlan-port",
         .word = "port",
         .mediaType = "Port-v3",
         .item = "portTemplate",
         .fields = beforeVlan + afterVlan,
         .ownerType = "bridge",
         .ownerKey = "deviceId",
         .changes = "Port,Vtep",
         .live = true},
        {.name = "port",
         .word = "port",
         .mediaType = "Port-v3",
         .item = "portTemplate",
         .variantKey = "type",
         .variants = {{"Bridge", "bridge-port"}, {"Router", "router-port"}, {"Vxlan", "vxlan-port"}},
         .changes = "Port",
         .live = true},
        {.name = "dhcp",
         .word = "dhcp",
         .mediaType = "DhcpSubnet-v2",
         .fields = {ip("gw", "defaultGateway"), ip("server", "serverAddr"), ip("dns-servers", "dnsServerAddrs").list(),
                    cidr("subnet", "subnetPrefix", "subnetLength"), number("interface-mtu", "interfaceMTU")},
         .children = {{"host", "dhcp-host", "hosts"}, Collection{"opt121-routes", "opt121-route", "opt121Routes"}.inOwner()},
         .changes = "DhcpSubnet",
         .hasId = false},
        {.name = "dhcp-host",
         .word = "dhcp-host",
         .mediaType = "DhcpHost-v2",
         .fields = {kName, ip("address", "ipAddr"), mac("mac", "macAddr")},
         .children = {Collection{"options", "dhcp-option", "extraDhcpOpts"}.inOwner()},
         .changes = "DhcpSubnet",
         .hasId = false},
        {.name = "dhcp-option",
         .word = "options",
         .fields = {text("name", "optName"), text("value", "optValue")},
         .changes = "DhcpSubnet",
         .hasId = false},
        {.name = "opt121-route",
         .word = "opt121-routes",
         .fields = {cidr("destination", "destinationPrefix", "destinationLength"), ip("gateway", "gatewayAddr")},
         .changes = "DhcpSubnet",
         .hasId = false},
        {.name = "mac-port",
         .word = "mac-port",
         .mediaType = "MacPort-v2",
         .fields = {mac("mac", "macAddr"), reference("port", "portId", "port"), number("vlan", "vlanId")},
         .live = true,
         .hasId = false},
        {.name = "ip4-mac",
         .word = "ip4-mac",
         .mediaType = "IP4Mac-v1",
         .fields = {ip("ip", "ip"), mac("mac", "mac")},
         .live = true,
         .hasId = false},
    };
}

std::vector<Type> chains() {
    return {
        {.name = "chain",
         .word = "chain",
         .mediaType = "Chain-v1",
         .item = "chainTemplate",
         .fields = {kId, kTenant, kName},
         .children = {Collection{"rule", "rule", "rules", "chainId"}.sorted("position")},
         .changes = "Chain"},
        {.name = "rule",
         .word = "rule",
         .mediaType = "Rule-v2",
         .item = "ruleTemplate",
         .fields = std::vector<Field>{kId} + condition() +
                   std::vector<Field>{
                       reference("chain", "chainId", "chain").hide(), number("pos", "position"),
                       word("type", "type",
                            "accept continue drop jump l2-transform=l2_transform redirect reject return trace dnat snat rev_dnat rev_snat"),
                       word("action", "flowAction", "accept continue redirect return"), reference("jump-to", "jumpChainId", "chain"),
                       reference("target-port", "targetPortId", "port"), trueFalse("ingress", "ingress"), trueFalse("fail-open", "failOpen"),
                       trueFalse("pop-vlan", "popVlan"), number("push-vlan", "pushVlan"), natTargets("target", "natTargets"),
                       text("traceid", "requestId"), limit("tracelimit", "limit")},
         .ownerType = "chain",
         .ownerKey = "chainId",
         .changes = "Chain"},
    };
}

std::vector<Type> hosts() {
    return {
        {.name = "host",
         .word = "host",
         .mediaType = "Host-v3",
         .item = "hostTemplate",
         .fields = {kId, kName.ro(), trueFalse("alive", "alive").ro(), text("addresses", "addresses").list().ro(),
                    number("flooding-proxy-weight", "floodingProxyWeight").within(0, 65535),
                    number("container-weight", "containerWeight").within(0, std::numeric_limits<std::int32_t>::max()),
                    limit("container-limit", "containerLimit"), trueFalse("enforce-container-limit", "enforceContainerLimit")},
         .children = {Collection{"interface", "interface", "interfaces"}.fixed(), {"binding", "host-binding", "ports"}},
         .changes = "Host",
         .live = true},
        {.name = "interface",
         .word = "interface",
         .mediaType = "Interface-v1",
         .fields = {text("iface", "name").ro(), reference("host_id", "hostId", "host").ro(), number("status", "status").ro(),
                    text("addresses", "addresses").list().ro(), mac("mac", "mac").ro(), number("mtu", "mtu").ro(), text("type", "type").ro(),
                    text("endpoint", "endpoint").ro()},
         .live = true,
         .hasId = false},
        {.name = "host-binding",
         .word = "binding",
         .mediaType = "HostInterfacePort-v1",
         .fields = {reference("host", "hostId", "host").ro(), text("interface", "interfaceName"), reference("port", "portId", "port")},
         .changes = "Port",
         .hasId = false},
    };
}

std::vector<Type> groupsAndZones() {
    const std::vector<Field> address{Field{.name = "address", .kind = Kind::Ip, .json = "addr", .companion = "version"}};
    return {
        {.name = "port-group",
         .word = "pgroup",
         .mediaType = "PortGroup-v1",
         .item = "portGroupTemplate",
         .fields = {kId, kTenant, kName, trueFalse("stateful", "stateful")},
         .children = {{"member", "port-group-member", "ports"}},
         .changes = "PortGroup"},
        {.name = "port-group-member",
         .word = "pgport",
         .mediaType = "PortGroupPort-v1",
         .fields = {reference("port-group", "portGroupId", "port-group").ro(), reference("port", "portId", "port")},
         .changes = "PortGroupPort",
         .hasId = false},
        {.name = "ip-address-group",
         .word = "ipg",
         .mediaType = "IpAddrGroup-v1",
         .item = "ipAddrGroupTemplate",
         .fields = {kId, kName},
         .children = {{"ip", "ip-address", "addrs"}, {"ipv4", "ip-address", "addrs"}, {"ipv6", "ip-address", "addrs"}},
         .changes = "IpAddrGroup"},
        {.name = "ip-address", .word = "addr", .mediaType = "IpAddrGroupAddr-v1", .fields = address, .changes = "IpAddrGroup", .hasId = false},
        {.name = "tunnel-zone",
         .word = "tzone",
         .mediaType = "TunnelZone-v1",
         .item = "tunnelZoneTemplate",
         .fields = {kId, kName, word("type", "type", "gre vxlan vtep")},
         .children = {Collection{"member", "tunnel-zone-member", "hosts"}.ofGre("GreTunnelZoneHost-v1")},
         .changes = "TunnelZone"},
        {.name = "tunnel-zone-member",
         .word = "memb",
         .mediaType = "TunnelZoneHost-v1",
         .fields = {reference("zone", "tunnelZoneId", "tunnel-zone").ro(), reference("host", "hostId", "host"), ip("address", "ipAddress")},
         .changes = "TunnelZoneMember",
         .hasId = false},
    };
}

std::vector<Type> loadBalancers() {
    return {
        {.name = "load-balancer",
         .word = "lb",
         .mediaType = "LoadBalancer-v1",
         .item = "loadBalancerTemplate",
         .fields = {kId, reference("router", "routerId", "router"), kState},
         .children = {{"pool", "pool", "pools", "loadBalancerId"}, {"vip", "vip", "vips", "loadBalancerId"}},
         .changes = "LoadBalancer,Router"},
        {.name = "pool",
         .word = "pool",
         .mediaType = "Pool-v1",
         .item = "poolTemplate",
         .fields = {kId, reference("load-balancer", "loadBalancerId", "load-balancer"),
                    reference("health-monitor", "healthMonitorId", "health-monitor").clear(), word("lb-method", "lbMethod", "ROUND_ROBIN"),
                    word("protocol", "protocol", "TCP").ro(), kState},
         .children = {{"member", "pool-member", "poolMembers", "poolId"}, {"vip", "vip", "vips", "poolId"}},
         .ownerType = "load-balancer",
         .ownerKey = "loadBalancerId",
         .changes = "Pool"},
        {.name = "vip",
         .word = "vip",
         .mediaType = "VIP-v1",
         .item = "vipTemplate",
         .fields = {kId, reference("load-balancer", "loadBalancerId", "load-balancer"), ip("address", "address"),
                    port16("protocol-port", "protocolPort"), word("persistence", "sessionPersistence", "SOURCE_IP").clear(), kState},
         .changes = "Vip,Pool"},
        {.name = "pool-member",
         .word = "pm",
         .mediaType = "PoolMember-v1",
         .item = "poolMemberTemplate",
         .fields = {kId, ip("address", "address"), port16("protocol-port", "protocolPort"), number("weight", "weight"), kState,
                    word("status", "status", "ACTIVE INACTIVE").ro()},
         .changes = "PoolMember",
         .live = true},
        {.name = "health-monitor",
         .word = "hm",
         .mediaType = "HealthMonitor-v1",
         .item = "healthMonitorTemplate",
         .fields = {kId, number("delay", "delay"), number("timeout", "timeout"), number("max-retries", "maxRetries"), kState,
                    word("status", "status", "ACTIVE INACTIVE").ro(), word("type", "type", "TCP")},
         .children = {{"pool", "pool", "pools", "healthMonitorId"}},
         .changes = "HealthMonitor"},
        {.name = "pool-statistic",
         .word = "ps",
         .mediaType = "PoolStatistic-v1",
         .item = "poolStatisticTemplate",
         .fields = {kId, number("bytes-in", "bytesIn"), number("bytes-out", "bytesOut"), number("active-connections", "activeConnections"),
                    number("total-connections", "totalConnections"), reference("pool", "poolId", "pool")},
         .live = true},
    };
}

std::vector<Type> mirrorsAndInsertions() {
    return {
        {.name = "mirror",
         .word = "mirror",
         .mediaType = "Mirror-v1",
         .item = "mirrorTemplate",
         .fields = {kId, reference("to-port", "toPortId", "port")},
         .children = {Collection{"matches", "match", "conditions"}.inOwner()},
         .changes = "Mirror"},
        {.name = "match", .word = "matches", .fields = condition(), .changes = "Mirror", .hasId = false},
        {.name = "l2insertion",
         .word = "l2insertion",
         .mediaType = "L2Insertion-v1",
         .item = "l2InsertionTemplate",
         .fields = {kId, reference("port", "portId", "port"), reference("srv-port", "srvPortId", "port"), number("vlan", "vlan"),
                    number("pos", "position"), trueFalse("fail-open", "failOpen"), mac("mac", "mac")},
         .changes = "L2Insertion"},
        {.name = "packet",
         .word = "packet",
         .fields = {mac("hw-src", "dlSrc"), mac("hw-dst", "dlDst"), number("ethertype", "dlType"), number("vlan", "vlan"),
                    ip("src", "nwSrc"), ip("dst", "nwDst"), number("proto", "nwProto"), number("tos", "nwTos"), number("ttl", "nwTtl"),
                    number("src-port", "tpSrc"), number("dst-port", "tpDst")},
         .hasId = false},
        {.name = "tracerequest",
         .word = "tr",
         .mediaType = "TraceRequest-v1",
         .item = "traceRequestTemplate",
         .fields = std::vector<Field>{kId} + condition("condition") +
                   std::vector<Field>{kName, reference("port", "deviceId", "port").where("deviceType", "PORT"),
                                      reference("router", "deviceId", "router").where("deviceType", "ROUTER"),
                                      reference("bridge", "deviceId", "bridge").where("deviceType", "BRIDGE"), limit("limit", "limit"),
                                      trueFalse("enabled", "enabled")},
         .changes = "TraceRequest",
         .makesId = true},
    };
}

std::vector<Type> vteps() {
    return {
        {.name = "vtep",
         .word = "vtep",
         .mediaType = "VTEP-v2",
         .item = "vtepTemplate",
         .fields = {kId, kName.ro(), text("description", "description").ro(), ip("management-ip", "managementIp"),
                    number("management-port", "managementPort"), reference("tunnel-zone", "tunnelZoneId", "tunnel-zone"),
                    text("connection-state", "connectionState").ro()},
         .children = {{"binding", "vtep-binding", "bindings"}, Collection{"port", "vtep-port", "ports"}.fixed()},
         .changes = "Vtep",
         .live = true},
        {.name = "vtep-binding",
         .word = "binding",
         .mediaType = "VTEPBinding-v2",
         .fields = {ip("management-ip", "mgmtIp").ro(), text("physical-port", "portName"), number("vlan", "vlanId"),
                    reference("network-id", "networkId", "bridge")},
         .changes = "Vtep",
         .hasId = false},
        {.name = "vtep-port",
         .word = "port",
         .mediaType = "VTEPPort-v1",
         .fields = {kName.ro(), text("description", "description").ro()},
         .live = true,
         .hasId = false},
    };
}

std::vector<Type> containersAndQos() {
    return {
        {.name = "container",
         .word = "container",
         .mediaType = "ServiceContainer-v1",
         .item = "serviceContainerTemplate",
         .fields = {kId, reference("container-group", "serviceGroupId", "container-group"), text("configuration", "configurationId"),
                    reference("port", "portId", "port"), text("type", "serviceType"),
                    word("status", "statusCode", "starting=STARTING running=RUNNING stopping=STOPPING stopped=STOPPED error=ERROR").ro(),
                    reference("host", "hostId", "host").clear(), text("namespace", "namespaceName").ro(),
                    text("interface", "interfaceName").ro(), text("status-message", "statusMessage").ro().hide()},
         .changes = "ServiceContainer,Port",
         .live = true},
        {.name = "container-group",
         .word = "cgroup",
         .mediaType = "ServiceContainerGroup-v1",
         .item = "serviceContainerGroupTemplate",
         .fields = {kId, word("policy", "policy", "weighted=WEIGHTED least=LEAST"), reference("port-group", "portGroupId", "port-group")},
         .children = {{"container", "container", "serviceContainers", "serviceGroupId"}},
         .changes = "ServiceContainerGroup"},
        {.name = "qos-policy",
         .word = "qos-policy",
         .mediaType = "QOSPolicy-v1",
         .item = "qosPolicyTemplate",
         .fields = {kId, kTenant, kName.clear(), text("description", "description").clear(), trueFalse("shared", "shared")},
         .children = {{"dscp-rule", "dscp-rule", "dscpRules", "policyId"}, {"bw-limit-rule", "bw-limit-rule", "bwLimitRules", "policyId"}},
         .changes = "QosPolicy"},
        {.name = "dscp-rule",
         .word = "qos-dscp-rule",
         .mediaType = "QOSRuleDSCP-v1",
         .item = "qosDscpRuleTemplate",
         .fields = {kId, reference("policy", "policyId", "qos-policy").hide(), number("dscp-mark", "dscpMark")},
         .changes = "QosDscpRule"},
        {.name = "bw-limit-rule",
         .word = "qos-bw-limit-rule",
         .mediaType = "QOSRuleBWLimit-v1",
         .item = "qosBwLimitRuleTemplate",
         .fields = {kId, reference("policy", "policyId", "qos-policy").hide(), number("max-kbps", "maxKbps"),
                    number("max-burst-kb", "maxBurstKb").clear()},
         .changes = "QosBwLimitRule"},
    };
}

std::vector<Type> others() {
    return {
        {.name = "tenant",
         .word = "tenant",
         .mediaType = "Tenant-v2",
         .item = "tenantTemplate",
         .fields = {text("tenant-id", "id").ro(), kName.ro(), text("description", "description").ro(), yesNo("enabled", "enabled").ro()},
         .live = true,
         .hasId = false},
        {.name = "system-state",
         .word = "system-state",
         .mediaType = "SystemState-v2",
         .fields = {word("state", "state", "ACTIVE UPGRADE"), word("availability", "availability", "READWRITE READONLY")},
         .live = true,
         .hasId = false,
         .single = true},
    };
}

template <class T>
void addOnce(std::vector<const T*>& out, const std::vector<T>& more) {
    for (const auto& one : more)
        if (std::none_of(out.begin(), out.end(), [&](const T* had) { return had->name == one.name; })) out.push_back(&one);
}

/// The items of the type, then of its variants.
template <class T>
std::vector<const T*> ofVariants(const ObjectModel& model, const Type& type, std::vector<T> Type::*items) {
    std::vector<const T*> out;
    addOnce(out, type.*items);
    for (const auto& [value, name] : type.variants) addOnce(out, model.type(name).*items);
    return out;
}

template <class T>
const T* named(const std::vector<const T*>& items, std::string_view name) {
    const auto found = std::find_if(items.begin(), items.end(), [&](const T* item) { return item->name == name; });
    return found == items.end() ? nullptr : *found;
}

}  // namespace

const ObjectModel& ObjectModel::instance() {
    static const ObjectModel model = [] {
        std::vector<Type> types{apiRoot()};
        for (auto part : {routers, bridges, chains, hosts, groupsAndZones, loadBalancers, mirrorsAndInsertions, vteps, containersAndQos, others})
            for (auto& type : part()) types.push_back(std::move(type));
        return ObjectModel{std::move(types)};
    }();
    return model;
}

const Type& ObjectModel::type(std::string_view name) const {
    const auto found = std::find_if(types_.begin(), types_.end(), [&](const Type& type) { return type.name == name; });
    MIDONET_ASSERT(found != types_.end(), "no such type in the object model");
    return *found;
}

std::vector<const Field*> allFields(const ObjectModel& model, const Type& type) { return ofVariants(model, type, &Type::fields); }
std::vector<const Collection*> allChildren(const ObjectModel& model, const Type& type) { return ofVariants(model, type, &Type::children); }

const Field* findField(const ObjectModel& model, const Type& type, std::string_view name) { return named(allFields(model, type), name); }
const Collection* findChild(const ObjectModel& model, const Type& type, std::string_view name) {
    return named(allChildren(model, type), name);
}

}  // namespace midonet::cli
