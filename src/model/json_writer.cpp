#include "model/json_writer.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstring>

namespace midonet::model {
namespace {

/// Bytes of the character that begins the text (RFC 3629 section 4); 0: none does.
std::size_t utf8Length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
    const auto first = byte(0), second = byte(1);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const bool overlong = first == 0xe0 && second < 0xa0, surrogate = first == 0xed && second > 0x9f;
        return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const bool overlong = first == 0xf0 && second < 0x90, beyond = first == 0xf4 && second > 0x8f;
        return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
    }
    return 0;
}

/// Bytes that stand for themselves wherever they are: most of them, so one look at a table each.
constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> out{};
    for (std::size_t c = 0x20; c < 0x80; ++c) out[c] = c != '"' && c != '\\';
    return out;
}();

constexpr std::uint64_t kEachByte = 0x0101010101010101;
constexpr std::uint64_t kHighBits = 0x80 * kEachByte;

/// Whether all of eight bytes are plain: 0x20 to 0x7f, no quotation mark, no backslash. Borrows from a lower byte can only say no.
bool arePlain(std::uint64_t bytes) {
    const auto lessThan = [](std::uint64_t value, std::uint64_t limit) { return (value - limit * kEachByte) & ~value & kHighBits; };
    const auto equal = [&](unsigned char c) { return lessThan(bytes ^ (c * kEachByte), 1); };
    return ((bytes & kHighBits) | lessThan(bytes, 0x20) | equal('"') | equal('\\')) == 0;
}

/// Nearly all texts are plain from beginning to end: eight bytes at a time.
std::size_t plainLength(std::string_view text) {
    std::size_t length = 0;
    for (std::uint64_t bytes = 0; length + sizeof bytes <= text.size(); length += sizeof bytes) {
        std::memcpy(&bytes, text.data() + length, sizeof bytes);
        if (!arePlain(bytes)) break;
    }
    return length;
}

/// RFC 8259 section 7: quotation mark, backslash and control characters are escaped; the rest is UTF-8 as it is. A byte that is
/// no part of a character, as clients may write one in a path, becomes U+FFFD.
void appendQuoted(std::string& out, std::string_view text) {
    constexpr std::string_view kReplacement = "\xef\xbf\xbd";
    out += '"';
    std::size_t clean = 0;
    for (std::size_t i = plainLength(text); i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (kPlain[c]) continue;
        if (const auto length = c >= 0x80 ? utf8Length(text.substr(i)) : 0; length != 0) {
            i += length - 1;
            continue;
        }
        out.append(text, clean, i - clean);
        clean = i + 1;
        if (c >= 0x80) {
            out += kReplacement;
            continue;
        }
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\t': out += "\\t"; break;
            case '\r': out += "\\r"; break;
            default: fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
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
