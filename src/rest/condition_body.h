#pragma once

#include <string>

#include "model/validate.h"

namespace midonet::model {
class Condition;
}

namespace midonet::rest {

/// What the schema cannot say of a condition: masks, lengths and ranges. Writes masks in lower case. `prefix` is of the
/// properties that violations name.
void checkCondition(model::Condition& condition, const std::string& prefix, model::Violations& out);

/// True when it asks for ports of TCP or UDP, or for ICMP type or code.
bool asksPorts(const model::Condition& condition);

/// Later fragments have no ports: what asks for them cannot mean every fragment. Sets the policy that counts.
void settleFragments(model::Condition& condition, const std::string& prefix, model::Violations& out);

}  // namespace midonet::rest
