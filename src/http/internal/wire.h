#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <tuple>

namespace boost::asio::ssl {
class context;
}

namespace midonet::http::internal {

namespace asio = boost::asio;
using boost::system::error_code;

inline constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
/// TCP or unix.
using Socket = asio::generic::stream_protocol::socket;
using ServerTls = std::shared_ptr<asio::ssl::context>;

/// "10.0.0.1:80", "[::1]:80"; of TCP.
std::string toText(const Socket::endpoint_type& endpoint);

/// The bytes of one connection, plain or under TLS. What hides the difference from Session; no deadlines of its own:
/// whoever waits is ended by cancel(). One loop.
class Wire {
public:
    /// Plain without `tls`.
    Wire(Socket socket, ServerTls tls);
    ~Wire();
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;

    bool secure() const { return tls_ != nullptr; }
    /// "10.0.0.1:4711", or "unix:uid=1000": who opened it.
    std::string peer();

    /// Of TLS, before anything else.
    asio::awaitable<error_code> handshake();
    asio::awaitable<std::tuple<error_code, std::size_t>> read(asio::mutable_buffer into);
    asio::awaitable<std::tuple<error_code, std::size_t>> write(asio::const_buffer all);
    /// Says that nothing follows; TLS waits for the other side to say so too.
    asio::awaitable<void> endSending();
    /// Bytes as they come, for throwing away after endSending().
    asio::awaitable<std::tuple<error_code, std::size_t>> readRaw(asio::mutable_buffer into);

    /// True when bytes wait in the socket.
    bool hasBytes() const;
    /// True when the other side has ended the connection, or its half of it.
    bool peerIsGone() const;
    /// What waits ends with operation_aborted; the connection stays usable.
    void cancel();
    void close();

private:
    struct Tls;
    Socket socket_;
    std::unique_ptr<Tls> tls_;
};

}  // namespace midonet::http::internal
