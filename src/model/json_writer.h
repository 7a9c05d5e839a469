#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace midonet::model {

/// Writes JSON text, piece by piece; commas and escapes are its business. One thread.
///
///     JsonWriter json;
///     json.beginObject().key("id").string(id).key("ports").beginArray().endArray().endObject();
class JsonWriter {
public:
    JsonWriter& beginObject() { return open('{'); }
    JsonWriter& endObject() { return close('}'); }
    JsonWriter& beginArray() { return open('['); }
    JsonWriter& endArray() { return close(']'); }
    JsonWriter& key(std::string_view name);
    JsonWriter& string(std::string_view text);
    JsonWriter& integer(std::int64_t value);
    JsonWriter& unsignedInteger(std::uint64_t value);
    JsonWriter& number(double value);
    JsonWriter& boolean(bool value);
    JsonWriter& null();
    /// null when empty.
    JsonWriter& stringOrNull(std::string_view text) { return text.empty() ? null() : string(text); }
    /// A whole value that is JSON already.
    JsonWriter& raw(std::string_view json);

    void reserve(std::size_t bytes) { text_.reserve(bytes); }
    const std::string& text() const { return text_; }
    std::string take() { return std::move(text_); }

private:
    JsonWriter& open(char c);
    JsonWriter& close(char c);
    void separate();

    std::string text_;
    bool first_ = true;  // no value yet in the innermost object or array
};

}  // namespace midonet::model
