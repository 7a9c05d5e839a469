#pragma once

namespace boost::asio {
class io_context;
}

namespace midonet::event {

class Loop;

/// The Boost.Asio context underneath a loop made by Loop::create(), for the few who do sockets
/// (http, zookeeper). Its run functions are the loop's business. A virtual loop has none: asserts.
boost::asio::io_context& ioContext(Loop& loop);

}  // namespace midonet::event
