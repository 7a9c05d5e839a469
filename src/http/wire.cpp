#include "http/internal/wire.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <cstring>

namespace midonet::http::internal {

std::string toText(const Socket::endpoint_type& endpoint) {
    asio::ip::tcp::endpoint tcp;
    if (endpoint.size() > tcp.capacity()) return "unknown";
    std::memcpy(tcp.data(), endpoint.data(), endpoint.size());
    tcp.resize(endpoint.size());
    return fmt::format(fmt::runtime(tcp.address().is_v6() ? "[{}]:{}" : "{}:{}"), tcp.address().to_string(), tcp.port());
}

namespace {
/// What the kernel may hold of an answer that its client does not take; by itself it goes up to 4 MiB.
constexpr int kKernelBytes = 256 * 1024;
}  // namespace

struct Wire::Tls {
    Tls(Socket& socket, ServerTls c) : context(std::move(c)), stream(socket, *context) {}
    ServerTls context;  // that of the moment the connection was made
    asio::ssl::stream<Socket&> stream;
};

Wire::Wire(Socket socket, ServerTls tls) : socket_(std::move(socket)) {
    error_code ignored;
    if (socket_.local_endpoint(ignored).protocol().family() != AF_UNIX) socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
    socket_.set_option(asio::socket_base::send_buffer_size{kKernelBytes}, ignored);
    if (tls) tls_ = std::make_unique<Tls>(socket_, std::move(tls));
}
Wire::~Wire() = default;

std::string Wire::peer() {
    error_code error;
    const auto remote = socket_.remote_endpoint(error);
    if (error) return "unknown";
    if (remote.protocol().family() != AF_UNIX) return toText(remote);
    ucred who{};
    socklen_t length = sizeof who;
    return ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &length) == 0 ? fmt::format("unix:uid={}", who.uid) : "unix";
}

asio::awaitable<error_code> Wire::handshake() {
    const auto result = co_await tls_->stream.async_handshake(asio::ssl::stream_base::server, kAwait);
    co_return std::get<error_code>(result);
}

asio::awaitable<std::tuple<error_code, std::size_t>> Wire::read(asio::mutable_buffer into) {
    if (tls_) return tls_->stream.async_read_some(into, kAwait);
    return socket_.async_read_some(into, kAwait);
}

asio::awaitable<std::tuple<error_code, std::size_t>> Wire::write(asio::const_buffer all) {
    if (tls_) return asio::async_write(tls_->stream, all, kAwait);
    return asio::async_write(socket_, all, kAwait);
}

asio::awaitable<void> Wire::endSending() {
    if (tls_) co_await tls_->stream.async_shutdown(kAwait);
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

asio::awaitable<std::tuple<error_code, std::size_t>> Wire::readRaw(asio::mutable_buffer into) {
    return socket_.async_read_some(into, kAwait);
}

bool Wire::hasBytes() const {
    error_code ignored;
    return socket_.available(ignored) > 0;
}

bool Wire::peerIsGone() const {
    pollfd asked{const_cast<Socket&>(socket_).native_handle(), POLLRDHUP, 0};
    return ::poll(&asked, 1, 0) > 0;
}

void Wire::cancel() {
    error_code ignored;
    socket_.cancel(ignored);
}

void Wire::close() {
    error_code ignored;
    socket_.shutdown(Socket::shutdown_both, ignored);
    socket_.close(ignored);
}

}  // namespace midonet::http::internal
