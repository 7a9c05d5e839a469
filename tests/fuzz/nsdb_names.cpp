/// Names and values that come back from the store's shared places.
#include "base/assert.h"
#include "base/bytes.h"
#include "nsdb/layout.h"

using namespace midonet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = asText({data, size});
    const auto name = nsdb::encodeName(text);
    MIDONET_ASSERT(nsdb::decodeName(name) == text, "what is encoded is decoded");
    MIDONET_ASSERT(name.find('/') == name.npos && name.find('\0') == name.npos,
                   "a name is one segment");
    (void)nsdb::decodeName(text);
    (void)nsdb::ownerOfTable(model::Schema::get(), text);
    const auto table = nsdb::tableRecordName(nsdb::TableSlot::Learned, text);
    MIDONET_ASSERT(table.substr(1) == name, "a key is encoded like any name");
    return 0;
}
