#pragma once

#include <string>

namespace boost::json {
class value;
}  // namespace boost::json

namespace midonet::rest {

/// The value as YAML 1.2, keys in their order, what is short on one line; ends with a line end.
std::string toYaml(const boost::json::value& value);

}  // namespace midonet::rest
