#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/clock.h"
#include "http/message.h"

namespace midonet::http {

/// An HTTP/1.1 client for tools: send() blocks until the answer is there. The connection to the last server is
/// kept for the next request (RFC 9112 section 9.3); one that the server has closed meanwhile is opened again.
/// One thread; nothing else may wait for it.
class Client {
public:
    /// How long the connection, and then the whole exchange, may take.
    explicit Client(event::Duration timeout = std::chrono::seconds{30});
    /// Of the server that listens on a Unix socket, whatever host the requests name. PermissionDenied: it is not for this user.
    Client(std::string socketPath, event::Duration timeout);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// `request.target` is an absolute URI, "http://127.0.0.1:8181/midonet-api". Whatever status the server answers is
    /// a Response. Malformed: no such URI; Unsupported: https; Unavailable, Timeout: no answer.
    Result<Response> send(const Request& request);

private:
    struct Connection;
    std::unique_ptr<Connection> connection_;
    std::string socketPath_;
    event::Duration timeout_;
};

/// An absolute URI in the parts a connection needs.
struct Address {
    std::string host;    ///< Without the brackets of IPv6.
    std::string port;    ///< Never empty.
    std::string target;  ///< Path and query, as sent; "/" when there is none.

    /// As a Host header says it.
    std::string authority() const;
    /// Malformed: not absolute, or no number as port; Unsupported: not http.
    static Result<Address> parse(std::string_view uri);
};

}  // namespace midonet::http
