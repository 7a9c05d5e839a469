/// Bodies of REST requests. The first byte chooses class and method, the rest is the JSON text. What is accepted
/// is written as JSON that gives the same object again.
#include <google/protobuf/message.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "model/json.h"

using namespace midonet;

namespace {

void readAndWrite(const model::JsonBody& body, const model::ClassSchema& schema,
                  model::Input input) {
    const auto object = schema.make();
    const auto violations = model::fromJson(body, schema, input, *object);
    for (const auto& violation : violations)
        MIDONET_ASSERT(!violation.message.empty(), "a violation says what is wrong");
    if (!violations.empty() || !model::validate(schema, *object).empty()) return;

    model::JsonWriter json;
    json.beginObject();
    model::writeFields(json, schema, *object);
    json.endObject();
    const auto written = model::JsonBody::parse(json.text());
    MIDONET_ASSERT(written.has_value(), "what is written is JSON");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto body = model::JsonBody::parse(asText({data + 1, size - 1}));
    if (!body) return 0;
    const auto& classes = model::Schema::get().classes();
    const auto& schema = *classes[(data[0] >> 1) % classes.size()];
    readAndWrite(*body, schema, data[0] & 1 ? model::Input::Update : model::Input::Create);
    (void)body->uuids("portIds");
    return 0;
}
