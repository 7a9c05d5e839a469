#pragma once

#include <sys/time.h>
#include <zookeeper/zookeeper.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "event/loop.h"

namespace midonet::zookeeper {

/// One handle of the C client, driven by a loop: tells it when its socket is ready and when its time has come.
class Connection {
public:
    struct Options {
        std::string addresses;
        event::Duration timeout{};
        std::string credentials;              ///< "user:password"; empty: none.
        const clientid_t* session = nullptr;  ///< To take over; nullptr: a new one.
    };
    /// `onPumped` is called whenever the handle's state may have changed; it must not destroy this.
    Connection(event::Loop& loop, const Options& options, std::function<void()> onPumped);
    /// Ends the session at the servers if it is connected.
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    zhandle_t* handle() { return handle_; }
    /// Of the C client: ZOO_CONNECTED_STATE and so on.
    int state() const { return ::zoo_state(handle_); }
    bool connected() const { return state() == ZOO_CONNECTED_STATE; }
    /// Once the loop comes round: requests were made, or may be made.
    void pumpSoon();
    /// Does nothing until thaw(), as if the process stood still.
    void freeze();
    void thaw();

private:
    void pump(int events);
    /// False when the C client has no socket now: it tries again later.
    bool turn(int events, int& interest, timeval& time);
    void letGo();
    void hold();
    void arm(int interest, const timeval& time);
    void wait(boost::asio::posix::stream_descriptor::wait_type what, int event);
    event::Duration nextPause();

    event::Loop& loop_;
    std::function<void()> onPumped_;
    zhandle_t* handle_ = nullptr;
    boost::asio::posix::stream_descriptor descriptor_;  // the C client's socket, while it is connected
    int waiting_ = 0;                                   // for what of it
    event::HandlePtr timer_;
    std::shared_ptr<std::uint64_t> holds_ = std::make_shared<std::uint64_t>(0);  // who waits belongs to one of them
    bool pumping_ = false;
    bool pumpAgain_ = false;
    bool pumpPosted_ = false;
    bool frozen_ = false;
    int failures_ = 0;
    int socket_ = -1;  // of the C client, which closes it only when it is called
};

}  // namespace midonet::zookeeper
