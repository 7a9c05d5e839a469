#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/clock.h"
#include "http/message.h"

namespace midonet::cli {

/// What reaches the server; the targets of requests are absolute URIs. Unavailable or Timeout: there was no answer.
struct Transport {
    /// One exchange.
    std::function<Result<http::Response>(const http::Request&)> send;
    /// An answer that may have no end, beside the other exchanges: its head, and then what comes of it, as of http::Client.
    std::function<Result<http::Response>(const http::Request&)> open;
    std::function<Result<std::optional<std::string>>(event::Duration wait)> more;
};

struct Credentials {
    std::string user;
    std::string password;
    std::string project;
};

/// Why nothing more can be asked.
enum class Lost : std::uint8_t { No, Credentials, Connection };

/// Vendor media types: "application/vnd.org.midonet.Bridge-v4+json", and of a list of them.
std::string itemType(std::string_view name);
std::string collectionType(std::string_view name);

/// The REST API as JSON documents: media types, login, errors. Knows the URI of the root only. A token that is no longer
/// good is renewed once. Errors carry the server's message; NotFound is 404,
/// Unsupported 405.
class Api {
public:
    /// Without credentials no token is sent.
    Api(std::string url, std::optional<Credentials> credentials, Transport transport);

    const std::string& url() const { return url_; }
    Lost lost() const { return lost_; }
    /// Called with each request and answer while debugging; may be empty.
    void traceTo(std::function<void(std::string_view)> trace) { trace_ = std::move(trace); }

    /// Null when the body is empty.
    Result<boost::json::value> get(const std::string& uri, const std::string& mediaType);
    /// The Location of what was made; empty when the answer has none.
    Result<std::string> post(const std::string& uri, const std::string& mediaType, const boost::json::object& body);
    /// The answer to a question that is sent as a body.
    Result<boost::json::value> question(const std::string& uri, const boost::json::object& body);
    Result<void> put(const std::string& uri, const std::string& mediaType, const boost::json::object& body);
    Result<void> remove(const std::string& uri);
    /// An answer without end: its status; its body comes by more(). That nobody answers does not count as lost.
    Result<int> open(const std::string& uri);
    /// What came of it: empty when nothing did for `wait`, nullopt at its end.
    Result<std::optional<std::string>> more(event::Duration wait);

private:
    using Exchange = std::function<Result<http::Response>(const http::Request&)>;
    Result<http::Response> ask(http::Method method, const std::string& uri, const std::string& mediaType, const boost::json::object& body);
    /// With a token, renewed once where it is no longer good.
    Result<http::Response> withToken(const http::Request& request, const Exchange& exchange);
    Result<http::Response> send(const http::Request& request);
    Result<http::Response> traced(const http::Request& request, const Exchange& exchange);
    Result<void> login(const Credentials& credentials);

    std::string url_;
    std::optional<Credentials> credentials_;
    Transport transport_;
    std::function<void(std::string_view)> trace_;
    std::string token_;
    Lost lost_ = Lost::No;
};

}  // namespace midonet::cli
