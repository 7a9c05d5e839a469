#pragma once

#include <functional>

#include "event/loop.h"

namespace midonet::agent {

/// Says when this host has been cut off from the NSDB for longer than its grace time. Forwarding goes on then, with what is
/// known; but what a gateway tells the world outside may be wrong by now, so it is to be withdrawn until the host is back.
/// A host counts as cut off until it is connected for the first time. One loop.
class Isolation {
public:
    Isolation(event::Loop& loop, event::Duration grace, std::function<void(bool isolated)> onChange);

    void setConnected(bool connected);
    bool isolated() const { return isolated_; }

private:
    void set(bool isolated);
    void startGrace();

    event::Loop& loop_;
    const event::Duration grace_;
    const std::function<void(bool)> onChange_;
    bool isolated_ = false;
    event::HandlePtr ending_;  // while the grace time runs
};

}  // namespace midonet::agent
