#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#define TOML_EXCEPTIONS 0
// Version 3.3 asserts that a key comes behind "[[", then handles well that none does.
#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>

#include "config/internal/toml_file.h"

namespace midonet::config {
namespace {

void collect(const toml::table& table, const std::string& prefix, std::vector<FileValue>& out) {
    for (auto&& [key, node] : table) {
        const auto path =
            prefix.empty() ? std::string(key.str()) : prefix + "." + std::string(key.str());
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

/// The first character beyond ASCII that is neither in a comment nor in a string of one line; npos: there
/// is none. TOML has no place for one but longer strings, and toml++ 3.3 has undefined behaviour there.
std::size_t findMisplaced(std::string_view text) {
    constexpr std::string_view kBeforeString = " \t\r\n=,.[{\xbf";
    enum class Inside : std::uint8_t { Nothing, Comment, String, LongString };
    auto inside = Inside::Nothing;
    char quote = 0;
    const bool hasByteOrderMark = text.starts_with("\xef\xbb\xbf");
    for (std::size_t at = hasByteOrderMark ? 3 : 0; at < text.size(); ++at) {
        const char c = text[at];
        const bool ascii = static_cast<unsigned char>(c) < 0x80;
        const auto closesLongString = [&] { return text.substr(at, 3) == std::string(3, quote); };
        switch (inside) {
            case Inside::Nothing:
                if (!ascii) return at;
                if (c == '#') inside = Inside::Comment;
                if (c != '"' && c != '\'') break;
                // Right behind a value it begins no string.
                if (at > 0 && kBeforeString.find(text[at - 1]) == kBeforeString.npos) break;
                quote = c;
                inside = closesLongString() ? Inside::LongString : Inside::String;
                if (inside == Inside::LongString) at += 2;
                break;
            case Inside::Comment:
                if (c == '\n') inside = Inside::Nothing;
                break;
            case Inside::String:
                if (c == '\\' && quote == '"') ++at;
                if (c == quote || c == '\n') inside = Inside::Nothing;
                break;
            case Inside::LongString:
                if (!ascii) return at;
                if (c == '\\' && quote == '"') ++at;
                if (c != quote || !closesLongString()) break;
                at += 2;
                // Up to two quotes before the closing three belong to the string.
                for (int more = 0; more < 2 && text.substr(at + 1).starts_with(quote); ++more) ++at;
                inside = Inside::Nothing;
                break;
        }
    }
    return text.npos;
}

}  // namespace

Result<std::vector<FileValue>> parseToml(std::string_view text, std::string_view name) {
    if (const auto at = findMisplaced(text); at != text.npos) {
        const auto before = text.substr(0, at);
        return fail(ErrorCode::Malformed,
                    "{}:{}:{}: beyond ASCII only in comments and in \"strings\" of one line", name,
                    std::count(before.begin(), before.end(), '\n') + 1,
                    at - (before.rfind('\n') + 1) + 1);
    }
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
