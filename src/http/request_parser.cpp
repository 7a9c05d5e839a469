#include "http/internal/request_parser.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace midonet::http::internal {

namespace beast = boost::beast;
using boost::system::error_code;

namespace {

using Parser = beast::http::request_parser<beast::http::string_body>;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

/// A target in absolute form ("http://host/path") is served like its path (RFC 9112 section 3.2.2).
std::string originForm(std::string_view target) {
    if (const auto scheme = target.find("://"); !target.starts_with('/') && scheme != target.npos) {
        const auto slash = target.find('/', scheme + 3);
        return slash == target.npos ? "/" : std::string{target.substr(slash)};
    }
    return std::string{target};
}

Refusal refusalFor(error_code error) {
    if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow)
        return {431, "the request header is too large"};
    if (error == beast::http::error::body_limit) return {413, "the request body is too large"};
    return {400, "this is not a well-formed HTTP/1.1 request"};
}

/// Where two readers of one stream could see different requests, nothing is guessed (RFC 9112 section 6.1): of the codings only
/// "chunked" is understood, and one that is not understood hides where the body ends. A second Host is refused as section 3.2 asks.
std::optional<Refusal> framingRefusal(const Parser& parser) {
    const auto& request = parser.get();
    if (request.count(beast::http::field::host) > 1) return Refusal{400, "there is more than one Host"};
    const auto coding = request.find(beast::http::field::transfer_encoding);
    if (coding == request.end()) return std::nullopt;
    if (request.version() < 11) return Refusal{400, "HTTP/1.0 knows no Transfer-Encoding"};
    if (!equalNoCase(view(coding->value()), "chunked")) return Refusal{501, "the only Transfer-Encoding understood is chunked"};
    return std::nullopt;
}

}  // namespace

struct RequestParser::State {
    std::size_t headerBytes;
    Parser parser{};
    bool headerSeen = false;
};

RequestParser::RequestParser(const Limits& limits) : state_(new State{.headerBytes = limits.headerBytes}) {
    auto& parser = state_->parser;
    parser.eager(true);
    parser.header_limit(static_cast<std::uint32_t>(limits.headerBytes));
    parser.body_limit(limits.bodyBytes);
}
RequestParser::~RequestParser() = default;

std::optional<Refusal> RequestParser::take(beast::flat_buffer& buffer) {
    auto& parser = state_->parser;
    error_code error;
    buffer.consume(parser.put(buffer.data(), error));
    if (error && error != beast::http::error::need_more) return refusalFor(error);
    if (parser.is_header_done() && !std::exchange(state_->headerSeen, true))
        if (const auto refusal = framingRefusal(parser)) return refusal;
    // What is left is a header, or the header of a chunk, that is not complete.
    if (!parser.is_done() && buffer.size() >= state_->headerBytes)
        return Refusal{state_->headerSeen ? 400 : 431, "the request header is too large"};
    return std::nullopt;
}

bool RequestParser::headerIsWhole() const { return state_->parser.is_header_done(); }
bool RequestParser::isWhole() const { return state_->parser.is_done(); }
bool RequestParser::wantsContinue() const {
    const auto& request = state_->parser.get();
    return request.version() >= 11 && equalNoCase(view(request[beast::http::field::expect]), "100-continue");
}
bool RequestParser::keepsAlive() const { return state_->parser.keep_alive(); }
unsigned RequestParser::version() const { return state_->parser.get().version(); }

std::shared_ptr<Request> RequestParser::release() {
    auto request = std::make_shared<Request>();
    auto message = state_->parser.release();
    request->method = parseMethod(view(message.method_string()));
    request->target = originForm(view(message.target()));
    for (const auto& field : message) request->headers.add(view(field.name_string()), view(field.value()));
    request->body = std::move(message.body());
    return request;
}

}  // namespace midonet::http::internal
