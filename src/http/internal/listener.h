#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace midonet::http::internal {

/// One entry of ServerOptions::listen.
struct ListenAddress {
    std::string text;  ///< As written.
    boost::asio::generic::stream_protocol::endpoint endpoint;
    std::string path;  ///< Of a unix socket; else empty.
    bool local = false;  ///< Reachable from this machine only.

    bool isUnix() const { return !path.empty(); }
};

/// "127.0.0.1:80", "[::]:0,unix:/run/api.sock": at least one.
Result<std::vector<ListenAddress>> parseListen(std::string_view list);

/// A socket that connections come from. A unix socket's file goes with it. One loop.
class Listener {
public:
    using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;

    Listener(boost::asio::io_context& io, ListenAddress address) : address_(std::move(address)), acceptor_(io) {}
    ~Listener() { close(); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// Errors name the address and the fix. `socketMode`: permissions of a unix socket's file.
    Result<void> open(unsigned socketMode);
    /// No connection can be begun any more; those begun can still be accepted.
    void refuseNew();
    void close();
    bool isOpen() const { return acceptor_.is_open(); }
    bool isUnix() const { return address_.isUnix(); }
    /// "127.0.0.1:8181" with the port bound, "unix:/run/api.sock".
    std::string bound() const;
    Acceptor& acceptor() { return acceptor_; }

private:
    Result<void> removeStale() const;
    void removeFile();

    ListenAddress address_;
    Acceptor acceptor_;
    bool ownsFile_ = false;
};

}  // namespace midonet::http::internal
