#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <ctime>
#include <memory>
#include <string>
#include <unordered_set>

#include "http/server.h"

namespace midonet::http::internal {

namespace asio = boost::asio;

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

}  // namespace midonet::http::internal
