#include "http/client.h"

#include <sys/un.h>

#include <algorithm>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace midonet::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// TCP or a Unix socket.
using Stream = beast::basic_stream<asio::generic::stream_protocol>;

/// No answer of the API is larger; a server that never ends its answer is none.
constexpr std::uint64_t kBodyBytes = 256ULL << 20;

Error toError(error_code error, std::string_view doing, std::string_view server) {
    const auto code = error == beast::error::timeout        ? ErrorCode::Timeout
                      : error == asio::error::access_denied ? ErrorCode::PermissionDenied
                                                            : ErrorCode::Unavailable;
    return {code, fmt::format("{} {}: {}", doing, server, error.message())};
}

beast::http::request<beast::http::string_body> toWire(const Request& request, const Address& address) {
    beast::http::request<beast::http::string_body> wire;
    wire.method_string({toString(request.method).data(), toString(request.method).size()});
    wire.target({address.target.data(), address.target.size()});
    wire.version(11);
    wire.set(beast::http::field::host, address.authority());
    for (const auto& [name, value] : request.headers.fields()) wire.insert(name, value);
    wire.body() = request.body;
    wire.prepare_payload();
    return wire;
}

Response fromWire(beast::http::response<beast::http::string_body> wire) {
    Response response;
    response.status = static_cast<int>(wire.result_int());
    for (const auto& field : wire)
        response.headers.add({field.name_string().data(), field.name_string().size()}, {field.value().data(), field.value().size()});
    response.body = std::move(wire.body());
    return response;
}

bool isPort(std::string_view text) {
    return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string Address::authority() const {
    return fmt::format(fmt::runtime(host.find(':') == host.npos ? "{}:{}" : "[{}]:{}"), host, port);
}

Result<Address> Address::parse(std::string_view uri) {
    constexpr std::string_view kHttp = "http://";
    if (equalNoCase(uri.substr(0, 8), "https://"))
        return fail(ErrorCode::Unsupported, "'{}': this program speaks http only, no TLS; use a proxy that ends TLS on this machine", uri);
    if (!equalNoCase(uri.substr(0, kHttp.size()), kHttp)) return fail(ErrorCode::Malformed, "'{}' is not a URL: write http://HOST:PORT/PATH", uri);
    auto rest = uri.substr(kHttp.size());
    const auto authority = rest.substr(0, rest.find_first_of("/?"));
    rest.remove_prefix(authority.size());
    const auto bracket = authority.rfind(']');
    const auto colon = authority.rfind(':');
    const bool hasPort = colon != authority.npos && (bracket == authority.npos || colon > bracket);
    auto host = authority.substr(0, hasPort ? colon : authority.npos);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto port = hasPort ? authority.substr(colon + 1) : "80";
    if (host.empty() || !isPort(port)) return fail(ErrorCode::Malformed, "'{}' names no server: write http://HOST:PORT/PATH", uri);
    return Address{std::string{host}, std::string{port}, (rest.starts_with('/') ? "" : "/") + std::string{rest}};
}

struct Client::Connection {
    Connection(Address to, std::string socketPath) : address(std::move(to)), path(std::move(socketPath)) {}

    std::string server() const { return path.empty() ? address.authority() : path; }

    /// Runs what was started until it is done: the stream's own deadline ends it in any case.
    error_code finish(const error_code& result) {
        context.restart();
        context.run();
        return result;
    }

    Result<void> open(event::Duration timeout) {
        error_code error;
        if (!path.empty()) {
            if (path.size() >= sizeof(sockaddr_un::sun_path)) return fail(ErrorCode::Malformed, "'{}' is too long for a socket", path);
            connect(asio::local::stream_protocol::endpoint{path}, timeout, error);
        } else {
            tcp::resolver resolver(context);
            const auto found = resolver.resolve(address.host, address.port, error);
            if (error) return Unexpected{toError(error, "cannot find", server())};
            for (const auto& candidate : found) {
                connect(candidate.endpoint(), timeout, error);
                if (!error) break;
            }
        }
        if (error) return Unexpected{toError(error, "cannot connect to", server())};
        if (path.empty()) stream.socket().set_option(tcp::no_delay(true), error);
        return {};
    }

    void connect(const Stream::protocol_type::endpoint& endpoint, event::Duration timeout, error_code& error) {
        stream.socket().close(error);
        stream.expires_after(timeout);
        stream.async_connect(endpoint, [&error](error_code result) { error = result; });
        finish(error);
    }

    /// False when the server has closed its end, or sent what nobody asked for.
    bool isQuiet() {
        error_code error;
        char byte = 0;
        stream.socket().non_blocking(true, error);
        stream.socket().receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, error);
        return error == asio::error::would_block;
    }

    Result<Response> exchange(const Request& request, event::Duration timeout) {
        const auto wire = toWire(request, address);
        error_code error;
        stream.expires_after(timeout);
        beast::http::async_write(stream, wire, [&error](error_code result, std::size_t) { error = result; });
        if (finish(error)) return Unexpected{toError(error, "no answer of", server())};
        beast::http::response_parser<beast::http::string_body> parser;
        parser.body_limit(kBodyBytes);
        if (request.method == Method::Head) parser.skip(true);
        beast::http::async_read(stream, buffer, parser, [&error](error_code result, std::size_t) { error = result; });
        if (finish(error)) return Unexpected{toError(error, "no answer of", server())};
        keep = parser.get().keep_alive();
        return fromWire(parser.release());
    }

    asio::io_context context{1};
    Stream stream{context};
    beast::flat_buffer buffer;
    Address address;
    std::string path;  // of a Unix socket
    bool keep = false;
};

Client::Client(event::Duration timeout) : timeout_(timeout) {}
Client::Client(std::string socketPath, event::Duration timeout) : socketPath_(std::move(socketPath)), timeout_(timeout) {}
Client::~Client() = default;

Result<Response> Client::send(const Request& request) {
    TRY(address, Address::parse(request.target));
    const bool reusable = connection_ && connection_->keep && connection_->address.authority() == address.authority() && connection_->isQuiet();
    if (!reusable) {
        connection_ = std::make_unique<Connection>(address, socketPath_);
        TRY_VOID(connection_->open(timeout_));
    }
    connection_->address = std::move(address);
    auto response = connection_->exchange(request, timeout_);
    if (!response) connection_.reset();
    return response;
}

}  // namespace midonet::http
