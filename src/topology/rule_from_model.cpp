#include "topology/rule_from_model.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "model/ids.h"
#include "model/topology.pb.h"

namespace midonet::topology {
namespace {

constexpr std::uint32_t kMax8 = 0xff;
constexpr std::uint32_t kMax16 = 0xffff;

template <class Value>
Test<Value> test(Value value, bool inverted) {
    return {std::move(value), inverted};
}

template <class Value>
Result<Value> narrow(std::uint32_t value, std::uint32_t max, std::string_view field) {
    if (value > max) return fail(ErrorCode::Malformed, "{}: {} is more than {}", field, value, max);
    return static_cast<Value>(value);
}

template <class Tag>
Test<Id<Tag>> idTest(const std::string& bytes, bool inverted) {
    if (bytes.empty()) return {};
    return test(Id<Tag>{model::uuidOf(bytes)}, inverted);
}

template <class Ids>
Test<std::vector<PortId>> portsTest(const Ids& ids, bool inverted) {
    if (ids.empty()) return {};
    std::vector<PortId> ports;
    for (const auto& id : ids) ports.emplace_back(model::uuidOf(id));
    std::sort(ports.begin(), ports.end());
    return test(std::move(ports), inverted);
}

Result<Test<net::IpPrefix>> prefixTest(const std::string& address, std::uint32_t length, bool inverted, std::string_view field) {
    if (address.empty()) return Test<net::IpPrefix>{};
    TRY(parsed, net::IpAddress::parse(address));
    if (length > parsed.bits()) return fail(ErrorCode::Malformed, "{}: prefix length {}", field, length);
    return test(net::IpPrefix{parsed, length}, inverted);
}

/// "ffff.ff00.0000"; empty: all ones.
Result<std::uint64_t> parseMacMask(std::string text) {
    if (text.empty()) return MaskedMac{}.mask;
    std::erase(text, '.');
    std::uint64_t mask = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, mask, 16);
    constexpr std::size_t kDigits = 12;
    if (error != std::errc{} || rest != end || text.size() != kDigits) return fail(ErrorCode::Malformed, "mask '{}'", text);
    return mask;
}

Result<Test<MaskedMac>> macTest(const std::string& mac, const std::string& mask, bool inverted) {
    if (mac.empty()) return Test<MaskedMac>{};
    TRY(value, net::Mac::parse(mac));
    TRY(bits, parseMacMask(mask));
    return test(MaskedMac{value, bits}, inverted);
}

Result<Test<PortRange>> rangeTest(bool given, const model::Condition::Range& range, bool inverted, std::string_view field) {
    if (!given) return Test<PortRange>{};
    TRY(first, narrow<std::uint16_t>(range.start(), kMax16, field));
    TRY(last, narrow<std::uint16_t>(range.end(), kMax16, field));
    if (first > last) return fail(ErrorCode::Malformed, "{}: {} to {} is no range", field, first, last);
    return test(PortRange{first, last}, inverted);
}

/// What the API writes when it is not told: packets without L4 header cannot be asked for L4 fields.
FragmentPolicy fragmentsOf(const model::Condition& c) {
    switch (c.fragment_policy()) {
        case model::Condition::ANY: return FragmentPolicy::Any;
        case model::Condition::NON_HEADER: return FragmentPolicy::NonHeader;
        case model::Condition::HEADER: return FragmentPolicy::Header;
        case model::Condition::UNFRAGMENTED: return FragmentPolicy::Unfragmented;
        default: return c.has_tp_src() || c.has_tp_dst() ? FragmentPolicy::Header : FragmentPolicy::Any;
    }
}

Result<void> readAddresses(const model::Condition& c, Condition& out) {
    TRY(source, prefixTest(c.nw_src_address(), c.nw_src_length(), c.inv_nw_src(), "nw_src"));
    TRY(destination, prefixTest(c.nw_dst_address(), c.nw_dst_length(), c.inv_nw_dst(), "nw_dst"));
    TRY(dataSource, prefixTest(c.icmp_data_src_ip_address(), c.icmp_data_src_ip_length(), c.inv_icmp_data_src_ip(),
                               "icmp_data_src_ip"));
    TRY(dataDestination, prefixTest(c.icmp_data_dst_ip_address(), c.icmp_data_dst_ip_length(), c.inv_icmp_data_dst_ip(),
                                    "icmp_data_dst_ip"));
    TRY(ethSource, macTest(c.dl_src(), c.dl_src_mask(), c.inv_dl_src()));
    TRY(ethDestination, macTest(c.dl_dst(), c.dl_dst_mask(), c.inv_dl_dst()));
    out.source = source;
    out.destination = destination;
    out.icmpDataSource = dataSource;
    out.icmpDataDestination = dataDestination;
    out.ethSource = ethSource;
    out.ethDestination = ethDestination;
    return {};
}

Result<void> readNumbers(const model::Condition& c, Condition& out) {
    TRY(vlan, narrow<std::uint16_t>(c.vlan(), kMax16, "vlan"));
    TRY(etherType, narrow<std::uint16_t>(c.dl_type(), kMax16, "dl_type"));
    TRY(tos, narrow<std::uint8_t>(c.nw_tos(), kMax8, "nw_tos"));
    TRY(protocol, narrow<std::uint8_t>(c.nw_proto(), kMax8, "nw_proto"));
    TRY(l4Source, rangeTest(c.has_tp_src(), c.tp_src(), c.inv_tp_src(), "tp_src"));
    TRY(l4Destination, rangeTest(c.has_tp_dst(), c.tp_dst(), c.inv_tp_dst(), "tp_dst"));
    if (vlan != 0) out.vlan = test(vlan, false);
    if (etherType != 0) out.etherType = test(etherType, c.inv_dl_type());
    if (c.has_nw_tos()) out.tos = test(tos, c.inv_nw_tos());
    if (c.has_nw_proto()) out.protocol = test(protocol, c.inv_nw_proto());
    out.l4Source = l4Source;
    out.l4Destination = l4Destination;
    return {};
}

Result<Condition> conditionFromModel(const model::Condition& c) {
    Condition out;
    out.inverted = c.cond_invert();
    out.forwardFlow = c.match_forward_flow();
    out.returnFlow = c.match_return_flow();
    out.untagged = c.no_vlan();
    out.destinationRewritten = c.match_nw_dst_rewritten();
    out.fragments = fragmentsOf(c);
    out.ingressGroup = idTest<PortGroupTag>(c.port_group(), c.inv_port_group());
    out.inPortGroup = idTest<PortGroupTag>(c.in_port_group(), c.inv_in_port_group());
    out.outPortGroup = idTest<PortGroupTag>(c.out_port_group(), c.inv_out_port_group());
    out.inPorts = portsTest(c.in_ports(), c.inv_in_ports());
    out.outPorts = portsTest(c.out_ports(), c.inv_out_ports());
    out.sourceGroup = idTest<IpAddrGroupTag>(c.ip_addr_group_src(), c.inv_ip_addr_group_src());
    out.destinationGroup = idTest<IpAddrGroupTag>(c.ip_addr_group_dst(), c.inv_ip_addr_group_dst());
    if (!c.traversed_device().empty()) out.traversedDevice = test(model::uuidOf(c.traversed_device()), c.inv_traversed_device());
    TRY_VOID(readAddresses(c, out));
    TRY_VOID(readNumbers(c, out));
    return out;
}

Result<NatTarget> targetFromModel(const model::NatTarget& target) {
    TRY(first, net::IpAddress::parse(target.address_from()));
    TRY(last, net::IpAddress::parse(target.address_to().empty() ? target.address_from() : target.address_to()));
    TRY(firstPort, narrow<std::uint16_t>(target.port_from(), kMax16, "port_from"));
    TRY(lastPort, narrow<std::uint16_t>(target.port_to(), kMax16, "port_to"));
    if (first.family() != last.family() || first > last || firstPort > lastPort)
        return fail(ErrorCode::Malformed, "NAT target: {} to {}, ports {} to {} is no range", first, last, firstPort, lastPort);
    return NatTarget{first, last, firstPort, lastPort};
}

Continuation continuationOf(const model::Rule& rule) {
    switch (rule.flow_action()) {
        case model::Rule::FLOW_CONTINUE: return Continuation::Continue;
        case model::Rule::FLOW_RETURN: return Continuation::Return;
        default: return Continuation::Accept;
    }
}

Result<Translate> translationFromModel(const model::Rule& rule, Translate::Kind kind) {
    if (rule.nat_targets().empty()) return fail(ErrorCode::Malformed, "a translation without a target");
    Translate out{kind, {}, continuationOf(rule)};
    for (const auto& target : rule.nat_targets()) {
        TRY(read, targetFromModel(target));
        out.targets.push_back(read);
    }
    return out;
}

Result<void> readTranslation(const model::Rule& rule, Translate::Kind kind, Rule& out) {
    TRY(translation, translationFromModel(rule, kind));
    out.action = std::move(translation);
    return {};
}

Result<void> readAction(const model::Rule& rule, Rule& out) {
    switch (rule.type()) {
        case model::Rule::ACCEPT: out.action = Verdict{Verdict::Kind::Accept}; return {};
        case model::Rule::DROP: out.action = Verdict{Verdict::Kind::Drop}; return {};
        case model::Rule::REJECT: out.action = Verdict{Verdict::Kind::Reject}; return {};
        case model::Rule::RETURN: out.action = Verdict{Verdict::Kind::Return}; return {};
        case model::Rule::JUMP: out.action = Jump{ChainId{model::uuidOf(rule.jump_chain_id())}}; return {};
        case model::Rule::DNAT: return readTranslation(rule, Translate::Kind::Destination, out);
        case model::Rule::SNAT: return readTranslation(rule, Translate::Kind::Source, out);
        case model::Rule::REV_DNAT: out.action = Untranslate{Translate::Kind::Destination, continuationOf(rule)}; return {};
        case model::Rule::REV_SNAT: out.action = Untranslate{Translate::Kind::Source, continuationOf(rule)}; return {};
        default: return fail(ErrorCode::Malformed, "type {}", static_cast<int>(rule.type()));
    }
}

}  // namespace

bool isEvaluated(const model::Rule& rule) { return rule.type() != model::Rule::TRACE && rule.type() != model::Rule::L2_TRANSFORM; }

Result<Rule> ruleFromModel(const model::Rule& rule) {
    Rule out;
    out.id = RuleId{model::uuidOf(rule.id())};
    TRY(condition, conditionFromModel(rule.condition()));
    out.condition = std::move(condition);
    TRY_VOID(readAction(rule, out));
    if (!rule.meter_name().empty()) out.meter = flow::FlowTag::user(rule.meter_name());
    return out;
}

}  // namespace midonet::topology
