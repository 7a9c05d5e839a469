#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "http/internal/lane.h"
#include "http/internal/wire.h"
#include "http/server.h"

namespace midonet::http::internal {

/// One connection, from accept to close.
class Session {
public:
    /// `ended` is called on the lane's loop when the connection is gone. `refuse`: answer 503, close.
    static void start(Socket socket, ServerTls tls, std::shared_ptr<Lane> lane, bool refuse, std::function<void()> ended);

    Session(Socket socket, ServerTls tls, std::shared_ptr<Lane> lane);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    bool idle() const { return idle_; }
    void checkDeadline(event::TimePoint now);
    /// Ends the wait of an idle connection.
    void wake();
    /// Closes, whatever goes on.
    void cut();
    /// Ends a response without end between two of its pieces.
    void endStream();

private:
    enum class Next { Continue, Close, Linger };

    asio::awaitable<Next> secure();
    asio::awaitable<void> serve();
    asio::awaitable<void> refuse();
    asio::awaitable<Next> exchange();
    asio::awaitable<bool> waitForFirstByte();
    asio::awaitable<Response> handle(RequestPtr request, event::TimePoint deadline);
    /// What became of a body.
    struct Sent {
        Delivery how = Delivery::Whole;
        std::uint64_t bytes = 0;
    };
    using ResponsePtr = std::shared_ptr<Response>;  ///< Its body is sent, and taken out.
    asio::awaitable<Sent> send(ResponsePtr response, bool withBody, unsigned version, bool keepAlive);
    asio::awaitable<Sent> sendPieces(ResponsePtr response, bool chunked);
    Delivery undelivered() const { return timedOut_ ? Delivery::NotTaken : Delivery::Gone; }
    void finished(const Finished& finished) const;
    asio::awaitable<bool> write(std::string bytes);
    asio::awaitable<Next> fail(int status, std::string message);
    asio::awaitable<void> close(Next how);
    void setDeadline(event::TimePoint deadline);
    void label(Request& request);

    Wire wire_;
    std::shared_ptr<Lane> lane_;
    /// When the running read or write is given up; it then ends with timedOut_ set.
    event::TimePoint deadline_ = event::TimePoint::max();
    bool timedOut_ = false;
    boost::beast::flat_buffer buffer_;
    std::string peer_;
    bool idle_ = false;
    asio::steady_timer* betweenPieces_ = nullptr;  ///< Set while a response without end waits for its next piece.
};

}  // namespace midonet::http::internal
