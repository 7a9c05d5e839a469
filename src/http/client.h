#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/clock.h"
#include "http/message.h"

namespace midonet::http {

/// An absolute URI in the parts a connection needs.
struct Address {
    bool secure = false;  ///< https
    std::string host;     ///< Without the brackets of IPv6.
    std::string port;     ///< Never empty.
    std::string target;   ///< Path and query, as sent; "/" when there is none.

    /// As a Host header says it.
    std::string authority() const;
    /// Malformed: not absolute, not http or https, or no number as port.
    static Result<Address> parse(std::string_view uri);
};

/// Which https servers are believed.
struct Trust {
    std::string authorities{};  ///< PEM file of who may vouch for a server; empty: those the system knows.
    bool anybody = false;       ///< Believes every certificate: whoever is on the way can read and change everything.
};

struct ClientOptions {
    event::Duration timeout = std::chrono::seconds{30};  ///< For the connection, and then for the whole exchange.
    std::uint64_t bodyBytes = 256ULL << 20;              ///< A server that never ends its answer gives none.
    Trust trust{};
    std::string socketPath{};  ///< Of the server that listens on this unix socket, whatever host the requests name.
};

/// An HTTP/1.1 client, also under TLS (1.2 and later): send() blocks until the answer is there. The connection to the
/// last server is kept for the next request (RFC 9112 section 9.3); one that the server has closed meanwhile is opened
/// again. One thread; no loop may wait for it.
class Client {
public:
    explicit Client(ClientOptions options = {});
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// `request.target` is an absolute URI, "http://127.0.0.1:8181/midonet-api". Whatever status the server answers is
    /// a Response. Malformed: no such URI; PermissionDenied: not to be believed (Trust), or a socket that is
    /// not for this user; Unavailable, Timeout: no answer.
    Result<Response> send(const Request& request);

private:
    struct Connection;
    struct Security;
    Result<void> connect(const Address& address);

    ClientOptions options_;
    std::unique_ptr<Security> security_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace midonet::http
