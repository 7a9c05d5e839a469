#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// The addresses of a host, as text. May block; runs on a thread of its own, which may outlive who asked.
using LookUp = std::function<Result<std::vector<std::string>>(const std::string& host)>;

struct ClientOptions {
    event::Duration timeout = std::chrono::seconds{30};  ///< For the connection, its host looked up, and then for the whole exchange.
    std::uint64_t bodyBytes = 256ULL << 20;              ///< A server that never ends its answer gives none.
    Trust trust{};
    LookUp lookUp{};           ///< Empty: as the system looks up names.
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

    /// The same for an answer that may have no end: gives its head as soon as it is there, and more() its body. Whatever is sent
    /// next gives up the rest of it.
    Result<Response> open(const Request& request);
    /// What came of the body of open(): at once when something is there, else at the latest after `wait`. Empty: nothing came;
    /// nullopt: that was all. Unavailable: it was cut off before its end.
    Result<std::optional<std::string>> more(event::Duration wait);

private:
    struct Connection;
    struct Security;
    Result<void> connect(const Address& address);
    Result<void> reach(const Request& request);

    ClientOptions options_;
    std::unique_ptr<Security> security_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace midonet::http
