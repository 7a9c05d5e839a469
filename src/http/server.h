#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/loop.h"
#include "http/message.h"

namespace midonet::http {

/// What a server grants its clients. Times are real time.
struct Limits {
    std::size_t connections = 1024;             ///< More are answered 503 and closed.
    std::size_t headerBytes = 16 * 1024;        ///< Request line and header; more: 431.
    std::size_t bodyBytes = 1024 * 1024;        ///< More: 413.
    event::Duration idle = std::chrono::seconds{60};     ///< Between two requests.
    event::Duration header = std::chrono::seconds{10};   ///< First byte to end of header; longer: 408.
    event::Duration request = std::chrono::seconds{30};  ///< First byte to response; longer: 408 or 503.
    event::Duration write = std::chrono::seconds{10};    ///< For each 256 KiB of a response; longer: cut off.
    event::Duration drain = std::chrono::seconds{10};    ///< Longest drain(); what is left is cut off.
    event::Duration drainIdle = std::chrono::milliseconds{250};  ///< How long an idle connection may still send then.
};

/// Takes the answer to one request: call it once, on any thread. Copies share the one answer; when
/// the last copy goes without an answer, the client gets 500. Must not outlive the loops.
class Responder {
public:
    struct Exchange;
    explicit Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
    void operator()(Response response) const;

private:
    std::shared_ptr<Exchange> exchange_;
};

using RequestPtr = std::shared_ptr<const Request>;
/// Called on the loop of the connection; must not block. Answer at once or later.
using Handler = std::function<void(RequestPtr, Responder)>;

/// How far an answer that is made piece by piece came.
enum class Delivery : std::uint8_t {
    Whole,
    Cut,       ///< It could not be gone on with.
    Gone,      ///< The client went.
    NotTaken,  ///< The client did not read: Limits::write.
};

/// One finished exchange, for metrics and the request log; `took` is first byte to response. Of what could not be read
/// as a request, `request` has id and peer only. An answer that is made piece by piece is finished when it has ended, others
/// before they are sent.
struct Finished {
    const Request& request;
    const Response& response;  ///< Without a body that came in pieces.
    event::Duration took;
    std::size_t loop;  ///< Which of the server's loops: for counters of its own.
    std::uint64_t bytes = 0;  ///< Of the body; of one that came in pieces, those that were sent.
    Delivery delivery = Delivery::Whole;
};

/// PEM files. With a chain, the server's own certificate comes first.
struct TlsFiles {
    std::string certificate;
    std::string key;
};

struct ServerOptions {
    /// "127.0.0.1:8181", "[::]:0", "localhost:80", "unix:/run/api.sock", several with commas; port 0 = any free one.
    std::string listen = "127.0.0.1:0";
    unsigned socketMode = 0660;   ///< Permissions of unix sockets.
    std::optional<TlsFiles> tls;  ///< TLS 1.2 or later on all addresses; unix sockets stay plain.
    Limits limits;
    /// Makes the response for what never reaches the handler (400, 408, 413, 431, 500, 503).
    std::function<Response(int status, std::string_view message)> errorResponse;
    /// May be empty. Called on the loop of the connection.
    std::function<void(const Finished&)> onFinished;
    /// May be empty. Called on the first loop with the number of open connections.
    std::function<void(std::size_t)> onConnections;
};

/// HTTP/1.1 server (RFC 9112): keep-alive, pipelining, chunked bodies, limits in size and time, slow
/// clients cut off. Connections are dealt out over `loops`; the first accepts. Everything of a
/// connection happens on its loop.
///
/// Make it before the loops run, or on the first loop. Destroy it on the first loop or after all loops
/// have stopped, and before them; with several loops running, drain() first.
class Server {
public:
    /// Listens at once. Errors name the address and the fix.
    static Result<std::unique_ptr<Server>> listen(std::vector<event::Loop*> loops, ServerOptions options,
                                                  Handler handler);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// The first address: "127.0.0.1:8181", with the port really bound.
    const std::string& address() const;
    /// All of them, as ServerOptions::listen.
    const std::vector<std::string>& addresses() const;
    /// Reads certificate and key again: for connections made from now on; those that are there stay as they are. On a
    /// mistake nothing changes. First loop.
    Result<void> renewTls();
    /// Open connections. First loop.
    std::size_t connections() const;
    /// Ends without dropping a request: new connections are refused cleanly, those already made are
    /// served, running requests finish, every answer says "Connection: close". `done` is called on
    /// the first loop when no connection is left, at the latest after Limits::drain. First loop.
    void drain(event::Callback done);

private:
    class Core;
    explicit Server(std::shared_ptr<Core> core);
    std::shared_ptr<Core> core_;
};

/// True when all that ServerOptions::listen names is reachable from this machine only; Malformed when it
/// names nothing.
Result<bool> isLoopback(std::string_view listen);

}  // namespace midonet::http
