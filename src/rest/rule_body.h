#pragma once

#include "model/json.h"
#include "rest/fault.h"

namespace midonet::model {
class Rule;
}

namespace midonet::rest {

/// How a rule of a chain stands in JSON: the fields of the schema.
const std::vector<model::FieldSchema>& ruleFields();

/// Those of them that are shown: of what only traces and transformations have, nothing in other rules, as clients print whatever
/// is there.
const std::vector<model::FieldSchema>& shownFields(const model::Rule& rule);

/// The rule of a POST body, checked, its id given or new, what its type does not use taken out, its fragment
/// policy the one that counts.
Outcome<model::Rule> readRule(const model::JsonBody& body);

/// Where in a chain of `count` rules it is to be put: before the one of that index, from 0.
Outcome<int> readPosition(const model::JsonBody& body, int count);

}  // namespace midonet::rest
