#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace midonet::cli {

/// One exchange with the server; the target of the request is an absolute URI. Unavailable or Timeout: there was no answer.
using Transport = std::function<Result<http::Response>(const http::Request&)>;

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
/// good is renewed once. Errors carry the server's message; NotFound is 404.
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

private:
    Result<http::Response> ask(http::Method method, const std::string& uri, const std::string& mediaType, const boost::json::object& body);
    Result<http::Response> send(http::Request request);
    Result<void> login(const Credentials& credentials);

    std::string url_;
    std::optional<Credentials> credentials_;
    Transport transport_;
    std::function<void(std::string_view)> trace_;
    std::string token_;
    Lost lost_ = Lost::No;
};

}  // namespace midonet::cli
