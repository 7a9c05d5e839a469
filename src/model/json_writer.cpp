#include "model/json_writer.h"

#include <fmt/format.h>

#include <cmath>

namespace midonet::model {
namespace {

/// RFC 8259 section 7: quotation mark, backslash and control characters are escaped; the rest is UTF-8 as it is.
void appendQuoted(std::string& out, std::string_view text) {
    out += '"';
    std::size_t clean = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
        out.append(text, clean, i - clean);
        clean = i + 1;
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\t': out += "\\t"; break;
            case '\r': out += "\\r"; break;
            default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
        }
    }
    out.append(text, clean, text.size() - clean);
    out += '"';
}

}  // namespace

void JsonWriter::separate() {
    if (!first_) text_ += ',';
    first_ = false;
}

JsonWriter& JsonWriter::open(char c) {
    separate();
    text_ += c;
    first_ = true;
    return *this;
}
JsonWriter& JsonWriter::close(char c) {
    text_ += c;
    first_ = false;
    return *this;
}
JsonWriter& JsonWriter::key(std::string_view name) {
    separate();
    appendQuoted(text_, name);
    text_ += ':';
    first_ = true;
    return *this;
}
JsonWriter& JsonWriter::string(std::string_view text) {
    separate();
    appendQuoted(text_, text);
    return *this;
}
JsonWriter& JsonWriter::integer(std::int64_t value) {
    separate();
    text_ += fmt::format_int{value}.c_str();
    return *this;
}
JsonWriter& JsonWriter::unsignedInteger(std::uint64_t value) {
    separate();
    text_ += fmt::format_int{value}.c_str();
    return *this;
}
JsonWriter& JsonWriter::number(double value) {
    separate();
    if (std::isfinite(value))
        fmt::format_to(std::back_inserter(text_), "{}", value);
    else
        text_ += "null";  // JSON has no word for it
    return *this;
}
JsonWriter& JsonWriter::boolean(bool value) { return raw(value ? "true" : "false"); }
JsonWriter& JsonWriter::null() { return raw("null"); }
JsonWriter& JsonWriter::raw(std::string_view json) {
    separate();
    text_ += json;
    return *this;
}

}  // namespace midonet::model
