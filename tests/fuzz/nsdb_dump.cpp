/// Dumps of the NSDB, as an operator may have edited them. What is accepted is written as JSON that gives the same object again.
#include <google/protobuf/message.h>

#include <sstream>

#include "base/assert.h"
#include "base/bytes.h"
#include "maintenance/dump.h"
#include "model/exact_json.h"

using namespace midonet;

namespace {

void writeAndRead(const model::ClassSchema& schema, const model::Message& object) {
    model::JsonWriter json;
    json.beginObject();
    model::writeExact(json, schema, object);
    const auto body = model::JsonBody::parseWhole(json.endObject().text());
    MIDONET_ASSERT(body.has_value(), "what is written is JSON");
    const auto again = schema.make();
    MIDONET_ASSERT(model::readExact(*body, schema, *again).empty(), "what is written can be read");
    MIDONET_ASSERT(again->SerializeAsString() == object.SerializeAsString(), "nothing is lost");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::istringstream in(std::string(asText({data, size})));
    const auto contents = maintenance::readDump(in, model::Schema::get());
    if (!contents) {
        MIDONET_ASSERT(!contents.error().message.empty(), "an error says what is wrong");
        return 0;
    }
    for (const auto& [name, object] : contents->objects) writeAndRead(*model::Schema::get().byName(name.type), *object.message);
    return 0;
}
