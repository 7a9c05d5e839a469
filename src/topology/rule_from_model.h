#pragma once

#include "base/result.h"
#include "topology/rule.h"

namespace midonet::model {
class Rule;
}

namespace midonet::topology {

/// False for those that have no effect on packets yet: traces and transformations are stored for agents to come.
bool isEvaluated(const model::Rule& rule);

/// The rule as the simulation evaluates it. Malformed, naming the field, when one cannot be read: such a rule
/// is left out as a whole, because without one of its conditions it would match more than was meant.
Result<Rule> ruleFromModel(const model::Rule& rule);

}  // namespace midonet::topology
