#pragma once

#include <memory>
#include <string>
#include <vector>

#include "topology/rule.h"

namespace midonet::topology {

class RuleIndex;
class IpAddrGroup;

/// Rules in evaluation order, with an index that finds the ones a packet can match without asking each
/// (topology/rule_index.h). Immutable.
struct Chain {
    ChainId id;
    std::string name;
    std::vector<Rule> rules;
    std::vector<std::string> meters;  ///< Names of the meters of its rules, ordered, each once.
    /// Made of the rules and of the address groups they name, at the moment of the snapshot.
    std::shared_ptr<const RuleIndex> index;

    /// The index follows from the rest.
    bool sameRules(const Chain& other) const { return id == other.id && name == other.name && rules == other.rules && meters == other.meters; }
};

/// A set of ports that rules name together. `stateful`: what is known of a connection through one of them
/// is shared with the hosts of all.
struct PortGroup {
    PortGroupId id;
    bool stateful = false;
    std::vector<PortId> ports;   ///< Ordered.
    std::vector<HostId> hosts;   ///< Where its ports are bound, ordered, each once; empty unless stateful.
    friend bool operator==(const PortGroup&, const PortGroup&) = default;
};

using ChainPtr = std::shared_ptr<const Chain>;
using PortGroupPtr = std::shared_ptr<const PortGroup>;

}  // namespace midonet::topology
