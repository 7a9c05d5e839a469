#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/id.h"
#include "flow/flow_tag.h"
#include "net/ip_prefix.h"
#include "net/mac.h"

namespace midonet::topology {

/// One sub-condition and whether it is meant the other way round. Unset: holds for every packet.
template <class T>
struct Test {
    std::optional<T> value;
    bool inverted = false;
    friend bool operator==(const Test&, const Test&) = default;
};

struct MaskedMac {
    net::Mac value;
    std::uint64_t mask = 0xffffffffffffULL;  ///< Of 48 bits.
    bool contains(net::Mac mac) const { return ((mac.value() ^ value.value()) & mask) == 0; }
    friend bool operator==(const MaskedMac&, const MaskedMac&) = default;
};

/// Inclusive.
struct PortRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0xffff;
    bool contains(std::uint16_t port) const { return first <= port && port <= last; }
    friend bool operator==(const PortRange&, const PortRange&) = default;
};

enum class FragmentPolicy : std::uint8_t { Any, NonHeader, Header, Unfragmented };

/// When a rule applies (reference section 5.3): every test that is set has to hold, then `inverted`
/// turns the whole around; the fragment policy stands outside of that. Both address families. A field
/// that the packet does not have fails its test (and passes the inverted one), but for L4 ports,
/// which then count as inside.
struct Condition {
    bool inverted = false;
    bool forwardFlow = false;
    bool returnFlow = false;
    bool untagged = false;                    ///< No VLAN tag.
    bool destinationRewritten = false;        ///< In the current device.
    FragmentPolicy fragments = FragmentPolicy::Any;
    Test<std::uint16_t> vlan;                 ///< Id of the outer tag.
    Test<PortGroupId> ingressGroup;           ///< Of the last exterior port the packet came in through.
    Test<PortGroupId> inPortGroup;            ///< Of the current device's port.
    Test<PortGroupId> outPortGroup;
    Test<std::vector<PortId>> inPorts;        ///< Ordered.
    Test<std::vector<PortId>> outPorts;       ///< Ordered.
    Test<std::uint16_t> etherType;
    Test<MaskedMac> ethSource;
    Test<MaskedMac> ethDestination;
    Test<std::uint8_t> tos;
    Test<std::uint8_t> protocol;              ///< Of ARP: the operation.
    Test<net::IpPrefix> source;               ///< Of ARP: the sender.
    Test<net::IpPrefix> destination;          ///< Of ARP: the target.
    Test<PortRange> l4Source;                 ///< Of ICMP: the type.
    Test<PortRange> l4Destination;            ///< Of ICMP: the code.
    Test<IpAddrGroupId> sourceGroup;
    Test<IpAddrGroupId> destinationGroup;
    Test<Uuid> traversedDevice;
    Test<net::IpPrefix> icmpDataSource;       ///< Of the header inside an ICMP error.
    Test<net::IpPrefix> icmpDataDestination;

    friend bool operator==(const Condition&, const Condition&) = default;
};

/// Where a translation may lead; inclusive ranges of one family. Ports 0 to 0: addresses only.
struct NatTarget {
    net::IpAddress firstAddress;
    net::IpAddress lastAddress;
    std::uint16_t firstPort = 0;
    std::uint16_t lastPort = 0;
    friend bool operator==(const NatTarget&, const NatTarget&) = default;
};

/// What an action leads to in its chain: the end of all chains, the next rule, the caller.
enum class Continuation : std::uint8_t { Accept, Continue, Return };

struct Verdict {
    enum class Kind : std::uint8_t { Accept, Drop, Reject, Return };
    Kind kind = Kind::Accept;
    friend bool operator==(const Verdict&, const Verdict&) = default;
};
struct Jump {
    ChainId chain;
    friend bool operator==(const Jump&, const Jump&) = default;
};
/// Source or destination translation. Fixed when no target has ports: a floating IP, by the first target.
struct Translate {
    enum class Kind : std::uint8_t { Source, Destination };
    Kind kind = Kind::Source;
    std::vector<NatTarget> targets;
    Continuation then = Continuation::Accept;
    bool isFixed() const {
        return std::all_of(targets.begin(), targets.end(), [](const NatTarget& t) { return t.firstPort == 0 && t.lastPort == 0; });
    }
    friend bool operator==(const Translate&, const Translate&) = default;
};
/// Takes a translation of this kind back on the packets of the other direction.
struct Untranslate {
    Translate::Kind kind = Translate::Kind::Source;
    Continuation then = Continuation::Accept;
    friend bool operator==(const Untranslate&, const Untranslate&) = default;
};

struct Rule {
    RuleId id;
    Condition condition;
    std::variant<Verdict, Jump, Translate, Untranslate> action;
    /// Counts what the rule matches; its name is among those of the chain. Unset: nothing counts it.
    std::optional<flow::FlowTag> meter{};
    friend bool operator==(const Rule&, const Rule&) = default;
};

}  // namespace midonet::topology
