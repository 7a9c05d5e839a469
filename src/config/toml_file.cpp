#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "config/internal/toml_file.h"

namespace midonet::config {
namespace {

void collect(const toml::table& table, const std::string& prefix, std::vector<FileValue>& out) {
    for (auto&& [key, node] : table) {
        const auto path = prefix.empty() ? std::string(key.str()) : prefix + "." + std::string(key.str());
        if (const auto* const child = node.as_table()) {
            collect(*child, path, out);
            continue;
        }
        FileValue value{path, FileValue::Type::Other, {}, node.source().begin.line};
        if (const auto* const text = node.as_string()) {
            value.type = FileValue::Type::String;
            value.text = text->get();
        } else if (const auto* const number = node.as_integer()) {
            value.type = FileValue::Type::Integer;
            value.text = fmt::format("{}", number->get());
        } else if (const auto* const flag = node.as_boolean()) {
            value.type = FileValue::Type::Boolean;
            value.text = flag->get() ? "true" : "false";
        }
        out.push_back(std::move(value));
    }
}

}  // namespace

Result<std::vector<FileValue>> parseToml(std::string_view text, std::string_view name) {
    const auto parsed = toml::parse(text, name);
    if (!parsed) {
        const auto& error = parsed.error();
        return fail(ErrorCode::Malformed, "{}:{}:{}: {}", name, error.source().begin.line,
                    error.source().begin.column, error.description());
    }
    std::vector<FileValue> out;
    collect(parsed.table(), {}, out);
    return out;
}

Result<std::string> readFile(const std::string& path) {
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        const int error = errno;
        return fail(error == ENOENT ? ErrorCode::NotFound : ErrorCode::Unavailable,
                    "{}: cannot be read: {}", path, std::strerror(error));
    }
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (in.bad()) return fail(ErrorCode::Unavailable, "{}: cannot be read", path);
    return text;
}

}  // namespace midonet::config
