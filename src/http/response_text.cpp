#include "http/internal/response_text.h"

#include <fmt/format.h>

namespace midonet::http::internal {
namespace {

/// A header value cannot end its line, whatever a handler put there.
void appendClean(std::string& out, std::string_view text) {
    for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

}  // namespace

std::string headOf(const Response& response, unsigned version, bool keepAlive, std::string_view date) {
    std::string out;
    out.reserve(512 + (response.body.size() <= kJoinedBytes ? response.body.size() : 0));
    fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                   reasonPhrase(response.status), date);
    for (const auto& [name, value] : response.headers.fields()) {
        appendClean(out, name);
        out += ": ";
        appendClean(out, value);
        out += "\r\n";
    }
    if (response.more) {
        if (version >= 11) out += "Transfer-Encoding: chunked\r\n";
    } else if (response.status >= 200 && response.status != 204 && response.status != 304) {
        fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", response.body.size());
    }
    if (!keepAlive)
        out += "Connection: close\r\n";
    else if (version < 11)
        out += "Connection: keep-alive\r\n";
    out += "\r\n";
    return out;
}

std::string asChunk(std::string_view piece) {
    auto out = fmt::format("{:x}\r\n", piece.size());
    out.reserve(out.size() + piece.size() + 2);
    out += piece;
    return out += "\r\n";
}

}  // namespace midonet::http::internal
