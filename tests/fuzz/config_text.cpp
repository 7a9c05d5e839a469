/// Text of configuration files and options. The first byte chooses: TOML, duration or size.
#include "base/assert.h"
#include "base/bytes.h"
#include "config/toml_file.h"
#include "config/units.h"

using namespace midonet;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto text = asText({data + 1, size - 1});
    switch (data[0] % 3) {
        case 0: {
            const auto values = config::parseToml(text, "fuzz.toml");
            if (!values) {
                MIDONET_ASSERT(values.error().message.starts_with("fuzz.toml:"),
                               "a refusal names the place");
                break;
            }
            for (const auto& value : *values) MIDONET_ASSERT(value.line > 0, "a value has a place");
            break;
        }
        case 1: {
            const auto duration = config::parseDuration(text);
            if (duration)
                MIDONET_ASSERT(
                    config::parseDuration(config::formatDuration(*duration)) == *duration,
                    "what is printed is read back");
            break;
        }
        default: {
            const auto bytes = config::parseSize(text);
            if (bytes)
                MIDONET_ASSERT(config::parseSize(config::formatSize(*bytes)) == *bytes,
                               "what is printed is read back");
            break;
        }
    }
    return 0;
}
