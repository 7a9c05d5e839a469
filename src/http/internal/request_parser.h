#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <memory>
#include <optional>
#include <string_view>

#include "http/message.h"
#include "http/server.h"

namespace midonet::http::internal {

/// Why a request is not served, and what the client is told.
struct Refusal {
    int status;
    std::string_view message;
};

/// One request from the bytes of a connection, as they come. Where it ends is never guessed.
class RequestParser {
public:
    explicit RequestParser(const Limits& limits);
    ~RequestParser();
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    /// Takes what it can use out of the buffer; the reason when that is no request.
    std::optional<Refusal> take(boost::beast::flat_buffer& buffer);
    bool headerIsWhole() const;
    bool isWhole() const;
    /// The client waits for a word before it sends the body (RFC 9110 section 10.1.1).
    bool wantsContinue() const;
    /// What the client says of the connection.
    bool keepsAlive() const;
    /// 10 or 11.
    unsigned version() const;
    /// Once it is whole; takes the body out.
    std::shared_ptr<Request> release();

private:
    struct State;
    const std::unique_ptr<State> state_;
};

}  // namespace midonet::http::internal
