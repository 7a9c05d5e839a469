#pragma once

#include <string>
#include <vector>

#include "model/schema.h"

namespace midonet::model {

/// One thing wrong with what a client gave: the property as in REST, and what it should be.
struct Violation {
    std::string property;
    std::string message;
    friend bool operator==(const Violation&, const Violation&) = default;
};
using Violations = std::vector<Violation>;

/// Holds what clients may set against the rules of the schema: required, range, length. Fields that
/// are internal or read-only are our own and not looked at. Empty: nothing wrong.
Violations validate(const ClassSchema& schema, const Message& object);
/// The same of an embedded message.
Violations validate(const std::vector<FieldSchema>& fields, const Message& object);

}  // namespace midonet::model
