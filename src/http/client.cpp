#include "http/client.h"

#include <sys/un.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "http/internal/name_lookup.h"

namespace midonet::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// TCP or a unix socket.
using AnyStream = beast::basic_stream<asio::generic::stream_protocol>;

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

using Parser = beast::http::response_parser<beast::http::string_body>;

Response headFrom(const beast::http::response<beast::http::string_body>& wire) {
    Response response;
    response.status = static_cast<int>(wire.result_int());
    for (const auto& field : wire)
        response.headers.add({field.name_string().data(), field.name_string().size()}, {field.value().data(), field.value().size()});
    return response;
}

Response fromWire(beast::http::response<beast::http::string_body> wire) {
    auto response = headFrom(wire);
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
    const bool secure = equalNoCase(uri.substr(0, 8), "https://");
    if (!secure && !equalNoCase(uri.substr(0, 7), "http://"))
        return fail(ErrorCode::Malformed, "'{}' is not a URL: write http://HOST:PORT/PATH or https://HOST:PORT/PATH", uri);
    auto rest = uri.substr(secure ? 8 : 7);
    const auto authority = rest.substr(0, rest.find_first_of("/?"));
    rest.remove_prefix(authority.size());
    const auto bracket = authority.rfind(']');
    const auto colon = authority.rfind(':');
    const bool hasPort = colon != authority.npos && (bracket == authority.npos || colon > bracket);
    auto host = authority.substr(0, hasPort ? colon : authority.npos);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const std::string_view port = hasPort ? authority.substr(colon + 1) : secure ? "443" : "80";
    if (host.empty() || !isPort(port)) return fail(ErrorCode::Malformed, "'{}' names no server: write http://HOST:PORT/PATH", uri);
    return Address{secure, std::string{host}, std::string{port}, (rest.starts_with('/') ? "" : "/") + std::string{rest}};
}

/// Whom https servers must be vouched for by, read once.
struct Client::Security {
    static Result<std::unique_ptr<Security>> load(const Trust& trust) {
        auto out = std::make_unique<Security>();
        error_code error;
        ::SSL_CTX_set_min_proto_version(out->context.native_handle(), TLS1_2_VERSION);
        out->context.set_verify_mode(trust.anybody ? asio::ssl::verify_none : asio::ssl::verify_peer, error);
        if (trust.authorities.empty())
            out->context.set_default_verify_paths(error);
        else
            out->context.load_verify_file(trust.authorities, error);
        if (error) return fail(ErrorCode::Invalid, "cannot read certificates of {}: {}", trust.authorities, error.message());
        return out;
    }
    asio::ssl::context context{asio::ssl::context::tls_client};
};

struct Client::Connection {
    /// Without `security` the connection is plain.
    Connection(Address to, Security* security, std::string socketPath) : address(std::move(to)), path(std::move(socketPath)) {
        if (security != nullptr) tls.emplace(stream, security->context);
    }

    std::string server() const { return path.empty() ? address.authority() : path; }

    /// Runs what was started until it is done: the stream's own deadline ends it in any case.
    error_code finish(const error_code& result) {
        context.restart();
        context.run();
        return result;
    }

    Result<void> open(event::Duration timeout, const LookUp& lookUp) {
        const auto until = std::chrono::steady_clock::now() + timeout;
        error_code error;
        if (!path.empty()) {
            if (path.size() >= sizeof(sockaddr_un::sun_path)) return fail(ErrorCode::Malformed, "'{}' is too long for a socket", path);
            connect(asio::local::stream_protocol::endpoint{path}, until, error);
        } else {
            TRY(port, portNumber());
            TRY(found, internal::addressesOf(address.host, lookUp, timeout));
            error = asio::error::host_not_found;
            for (auto candidate = found.begin(); candidate != found.end(); ++candidate) {
                const auto now = std::chrono::steady_clock::now();
                const auto to = asio::ip::make_address(*candidate, error);
                // One that says nothing leaves time for the others.
                if (!error) connect(tcp::endpoint{to, port}, now + (until - now) / (found.end() - candidate), error);
                if (!error) break;
            }
            stream.expires_at(until);
        }
        if (error) return Unexpected{toError(error, "cannot connect to", server())};
        if (path.empty()) stream.socket().set_option(tcp::no_delay(true), error);
        if (tls) return secure();
        return {};
    }

    Result<std::uint16_t> portNumber() const {
        unsigned number = 0;
        std::from_chars(address.port.data(), address.port.data() + address.port.size(), number);
        if (number > 65535) return fail(ErrorCode::Malformed, "{} is no port", address.port);
        return static_cast<std::uint16_t>(number);
    }

    void connect(const AnyStream::protocol_type::endpoint& endpoint, std::chrono::steady_clock::time_point until, error_code& error) {
        stream.socket().close(error);
        stream.expires_at(until);
        stream.async_connect(endpoint, [&error](error_code result) { error = result; });
        finish(error);
    }

    /// The server must have a certificate for the name it was asked by (RFC 6125).
    Result<void> secure() {
        error_code error;
        asio::ip::make_address(address.host, error);
        if (error) ::SSL_set_tlsext_host_name(tls->native_handle(), address.host.c_str());
        if (::SSL_get_verify_mode(tls->native_handle()) != SSL_VERIFY_NONE)
            tls->set_verify_callback(asio::ssl::host_name_verification(address.host), error);
        tls->async_handshake(asio::ssl::stream_base::client, [&error](error_code result) { error = result; });
        if (!finish(error)) return {};
        if (const auto why = ::SSL_get_verify_result(tls->native_handle()); why != X509_V_OK)
            return fail(ErrorCode::PermissionDenied, "{} is not to be believed: {}", address.authority(), ::X509_verify_cert_error_string(why));
        return Unexpected{toError(error, "no TLS with", server())};
    }

    /// False when the server has closed its end, or sent what nobody asked for.
    bool isQuiet() {
        error_code error;
        char byte = 0;
        stream.socket().non_blocking(true, error);
        stream.socket().receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, error);
        return error == asio::error::would_block;
    }

    Result<Response> exchange(const Request& request, const ClientOptions& options) {
        stream.expires_after(options.timeout);
        return tls ? exchangeOn(*tls, request, options) : exchangeOn(stream, request, options);
    }

    template <class Stream>
    Result<Response> exchangeOn(Stream& on, const Request& request, const ClientOptions& options) {
        TRY_VOID(write(on, request));
        error_code error;
        Parser parser;
        parser.body_limit(options.bodyBytes);
        if (request.method == Method::Head) parser.skip(true);
        beast::http::async_read(on, buffer, parser, [&error](error_code result, std::size_t) { error = result; });
        if (finish(error)) return Unexpected{toError(error, "no answer of", server())};
        keep = parser.get().keep_alive();
        return fromWire(parser.release());
    }

    template <class Stream>
    Result<void> write(Stream& on, const Request& request) {
        const auto wire = toWire(request, address);
        error_code error;
        beast::http::async_write(on, wire, [&error](error_code result, std::size_t) { error = result; });
        if (finish(error)) return Unexpected{toError(error, "no answer of", server())};
        return {};
    }

    Result<Response> begin(const Request& request, event::Duration timeout) {
        stream.expires_after(timeout);
        return tls ? beginOn(*tls, request) : beginOn(stream, request);
    }

    template <class Stream>
    Result<Response> beginOn(Stream& on, const Request& request) {
        TRY_VOID(write(on, request));
        error_code error;
        auto& parser = reading.emplace();
        parser.body_limit(boost::none);
        parser.eager(true);
        beast::http::async_read_header(on, buffer, parser, [&error](error_code result, std::size_t) { error = result; });
        if (finish(error)) return Unexpected{toError(error, "no answer of", server())};
        stream.expires_never();
        return headFrom(parser.get());
    }

    /// A read that brought nothing in its time goes on in the next call.
    Result<std::optional<std::string>> more(event::Duration wait) {
        const auto until = std::chrono::steady_clock::now() + wait;
        while (true) {
            auto piece = std::exchange(reading->get().body(), {});
            if (!piece.empty()) return piece;
            if (reading->is_done()) return std::nullopt;
            if (!std::exchange(readingOn, true)) tls ? readSome(*tls) : readSome(stream);
            context.restart();
            context.poll();
            if (readingOn) context.run_until(until);
            if (readingOn) return std::string{};
            if (readError) return Unexpected{toError(readError, "the answer was cut off by", server())};
        }
    }

    template <class Stream>
    void readSome(Stream& on) {
        beast::http::async_read_some(on, buffer, *reading, [this](error_code result, std::size_t) {
            readError = result;
            readingOn = false;
        });
    }

    asio::io_context context{1};
    AnyStream stream{context};
    std::optional<asio::ssl::stream<AnyStream&>> tls;
    beast::flat_buffer buffer;
    Address address;
    std::string path;  // of a unix socket
    bool keep = false;
    // Of an answer that is read as it comes.
    std::optional<Parser> reading;
    bool readingOn = false;
    error_code readError;
};

Client::Client(ClientOptions options) : options_(std::move(options)) {}
Client::~Client() = default;

Result<void> Client::connect(const Address& address) {
    connection_.reset();
    if (address.secure && !security_) {
        TRY(security, Security::load(options_.trust));
        security_ = std::move(security);
    }
    auto connection = std::make_unique<Connection>(address, address.secure ? security_.get() : nullptr, options_.socketPath);
    TRY_VOID(connection->open(options_.timeout, options_.lookUp));
    connection_ = std::move(connection);
    return {};
}

Result<void> Client::reach(const Request& request) {
    TRY(address, Address::parse(request.target));
    const bool reusable = connection_ && connection_->keep && !connection_->reading && connection_->address.secure == address.secure &&
                          connection_->address.authority() == address.authority() && connection_->isQuiet();
    if (!reusable) TRY_VOID(connect(address));
    connection_->address = std::move(address);
    return {};
}

Result<Response> Client::send(const Request& request) {
    TRY_VOID(reach(request));
    auto response = connection_->exchange(request, options_);
    if (!response) connection_.reset();
    return response;
}

Result<Response> Client::open(const Request& request) {
    TRY_VOID(reach(request));
    auto head = connection_->begin(request, options_.timeout);
    if (!head) connection_.reset();
    return head;
}

Result<std::optional<std::string>> Client::more(event::Duration wait) {
    if (!connection_ || !connection_->reading) return std::nullopt;
    auto piece = connection_->more(wait);
    if (!piece || !*piece) connection_.reset();
    return piece;
}

}  // namespace midonet::http
