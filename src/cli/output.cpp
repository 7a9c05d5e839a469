#include "cli/output.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "cli/values.h"

namespace midonet::cli {

namespace json = boost::json;

namespace {

constexpr std::size_t kWidth = 76;
constexpr std::size_t kGap = 2;
constexpr std::string_view kBold = "\033[1m";
constexpr std::string_view kCyan = "\033[36m";
constexpr std::string_view kPlain = "\033[0m";

/// Widths of the columns when the names stand in so many rows.
std::vector<std::size_t> widths(const std::vector<std::string_view>& names, std::size_t rows) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i % rows == 0) out.push_back(0);
        out.back() = std::max(out.back(), names[i].size());
    }
    return out;
}

bool fits(const std::vector<std::size_t>& columns) {
    std::size_t total = 0;
    for (const auto width : columns) total += width + kGap;
    return total <= kWidth + kGap;
}

/// Empty when it is null.
std::string textOf(const json::object& body, std::string_view key) {
    const auto* const value = body.if_contains(key);
    return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

Field referenceTo(std::string_view type) { return {.name = type, .kind = Kind::Reference, .target = type}; }

}  // namespace

std::string inColumns(const std::vector<std::string_view>& names) {
    if (names.empty()) return "<NONE>";
    std::size_t rows = 1;
    while (rows < names.size() && !fits(widths(names, rows))) ++rows;
    const auto columns = widths(names, rows);
    std::string out;
    for (std::size_t row = 0; row < rows; ++row) {
        std::string line;
        for (std::size_t i = row; i < names.size(); i += rows) {
            line += names[i];
            if (i + rows < names.size()) line.append(columns[i / rows] + kGap - names[i].size(), ' ');
        }
        out += (row == 0 ? "" : "\n") + line;
    }
    return out;
}

void Output::list(const std::vector<ObjectPtr>& objects) {
    if (style_.json) {
        json::array all;
        for (const auto& object : objects) all.push_back(object->body);
        return document(std::move(all));
    }
    for (const auto& object : objects) line(object->type->hasId ? typeAndName(*object) + " " + description(*object) : description(*object));
}

void Output::object(const Object& object) {
    if (style_.json) return document(object.body);
    line(typeAndName(object) + " " + description(object));
}

void Output::created(const Object& object) {
    if (style_.json) return document(object.body);
    line(object.type->hasId ? names_.fullNameOf(object) : description(object));
}

void Output::field(const Object& object, const Field& field) {
    if (style_.json) {
        const auto* value = object.body.if_contains(field.json);
        return document(value ? *value : json::value{});
    }
    line(valueText(field, object.body, names_.writer()).value_or(""));
}

void Output::type(const ObjectModel& model, const Type& type) {
    std::vector<std::string_view> children;
    for (const auto* child : allChildren(model, type)) children.push_back(child->name);
    std::vector<std::string_view> fields;
    for (const auto* field : allFields(model, type)) fields.push_back(field->name);
    line(fmt::format("Object collections:\n    {}\nFields:\n    {}", inColumns(children), inColumns(fields)));
}

void Output::line(std::string_view text) { out_ << text << '\n'; }

std::string Output::description(const Object& object) {
    std::string out;
    for (const auto& field : object.type->fields) {
        if (field.hidden) continue;
        const auto value = valueText(field, object.body, names_.writer());
        if (value) out += (out.empty() ? "" : " ") + coloured(field.name, kCyan) + " " + *value;
    }
    return out;
}

std::string Output::typeAndName(const Object& object) {
    const auto word = coloured(object.type->word, kBold);
    return object.type->hasId ? word + " " + names_.nameOf(object) : word;
}

std::string Output::coloured(std::string_view text, std::string_view code) const {
    return style_.colours ? fmt::format("{}{}{}", code, text, kPlain) : std::string{text};
}

void Output::packetTrace(const json::value& trace) {
    if (style_.json) return document(trace);
    const auto& body = trace.as_object();
    for (const auto& step : body.at("steps").as_array()) line(traceStep(step.as_object()));
    const auto& outputs = body.at("outputs").as_array();
    for (const auto& output : outputs) line(traceOutput(output.as_object()));
    if (outputs.empty()) line(textOf(body, "verdict") + (textOf(body, "reason").empty() ? "" : ": " + textOf(body, "reason")));
}

std::string Output::traceStep(const json::object& step) {
    auto kind = textOf(step, "kind");
    const auto subject = textOf(step, "subject");
    std::replace(kind.begin(), kind.end(), ' ', '-');
    const auto& types = ObjectModel::instance().types();
    const bool isObject = std::any_of(types.begin(), types.end(), [&](const Type& type) { return type.name == kind; });
    const auto name = subject.empty() || !isObject ? std::string{} : " " + names_.nameOf(referenceTo(kind), subject);
    return kind + name + ": " + textOf(step, "detail");
}

std::string Output::traceOutput(const json::object& output) {
    std::string out = "leaves through " + names_.nameOf(referenceTo("port"), textOf(output, "portId"));
    if (const auto host = textOf(output, "hostId"); !host.empty()) out += " on " + names_.nameOf(referenceTo("host"), host);
    out += ":";
    for (const auto& field : ObjectModel::instance().type("packet").fields)
        if (const auto value = valueText(field, output.at("packet").as_object(), names_.writer())) out += fmt::format(" {} {}", field.name, *value);
    return out;
}

void Output::document(const json::value& value) { out_ << json::serialize(value) << '\n'; }

}  // namespace midonet::cli
