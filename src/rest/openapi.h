#pragma once

#include <string>

namespace midonet::rest {

/// The description of all that the API serves: OpenAPI 3.1, as YAML. Made of the endpoints that route requests and of the schema
/// that reads and writes bodies, so nothing that is served is missing in it.
std::string openapi();

}  // namespace midonet::rest
