#pragma once

#include "base/result.h"
#include "topology/rule.h"

namespace midonet::model {
class Rule;
}

namespace midonet::topology {

/// The rule as the simulation evaluates it. Malformed, naming the field, when one cannot be read: such a rule
/// is left out as a whole, because without one of its conditions it would match more than was meant.
Result<Rule> ruleFromModel(const model::Rule& rule);

}  // namespace midonet::topology
