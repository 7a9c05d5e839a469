#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/schema.h"

namespace midonet::rest {

/// What a value is, in the words of the description of the API.
enum class ValueType : std::uint8_t { Text, Integer, Number, Flag, Uuid, Uri, Mac, Ipv4, Ip, Prefix, Object, Null };

/// A property of a JSON body as the description of the API shows it (openapi.h); what is read and written is not driven by it.
struct Property {
    std::string name;
    ValueType type = ValueType::Text;
    bool list = false;
    bool nullable = false;
    bool readOnly = true;
    bool required = false;
    std::vector<std::string> values{};  ///< The only ones, when there are any.
    std::int64_t min = 0;               ///< A range is given when min < max.
    std::int64_t max = 0;
    std::uint32_t maxLength = 0;        ///< 0: not said.
    std::string of{};                   ///< Of ValueType::Object: the name of its body. Of ValueType::Uuid: the class it names; may be empty.
    std::string doc{};
};
using Properties = std::vector<Property>;
/// By name: "Bridge" are the bodies of "application/vnd.org.midonet.Bridge-v4+json".
using Bodies = std::map<std::string, Properties>;

/// Adds what the schema says of fields to `out`; of embedded messages bodies of their own to `bodies`.
void describe(const std::vector<model::FieldSchema>& fields, Properties& out, Bodies& bodies);

}  // namespace midonet::rest
