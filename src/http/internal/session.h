#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>

#include "http/internal/wire.h"
#include "http/server.h"

namespace midonet::http::internal {

class Session;

/// What the connections of one loop share; that loop's thread only.
struct Lane : std::enable_shared_from_this<Lane> {
    Lane(std::size_t n, event::Loop& l, asio::io_context& i, std::shared_ptr<const ServerOptions> o, Handler h)
        : index(n), loop(l), io(i), options(std::move(o)), handler(std::move(h)), ticker_(i) {}

    /// "Sun, 06 Nov 1994 08:49:37 GMT", made anew once a second.
    const std::string& date();
    /// Connections that wait for a request end, unless one has just arrived.
    void closeIdle();
    /// No request after the present one; responses without end come to one.
    void drain();
    /// Everything ends now.
    void closeAll();
    /// Of the next request; no other request of any server has it.
    std::string newRequestId();
    void add(Session& session);
    void remove(Session& session) { sessions.erase(&session); }

    const std::size_t index;
    event::Loop& loop;
    asio::io_context& io;
    std::shared_ptr<const ServerOptions> options;
    Handler handler;
    std::unordered_set<Session*> sessions;
    bool draining = false;

private:
    /// One timer looks after the deadlines of all connections: a deadline moves several times per
    /// request, and a timer of its own for each would cost more than the parsing.
    void tick();

    asio::steady_timer ticker_;
    std::uint64_t requests_ = 0;
    bool ticking_ = false;
    std::time_t dateSecond_ = 0;
    std::string date_;
};

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
    asio::awaitable<bool> send(Response response, bool withBody, unsigned version, bool keepAlive);
    asio::awaitable<bool> sendPieces(Response response, bool chunked);
    asio::awaitable<bool> write(std::string bytes);
    asio::awaitable<Next> fail(int status, std::string message);
    asio::awaitable<void> close(Next how);
    void setDeadline(event::TimePoint deadline);
    std::string head(const Response& response, unsigned version, bool keepAlive);
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
