#include "agent/isolation.h"

#include <utility>

namespace midonet::agent {

Isolation::Isolation(event::Loop& loop, event::Duration grace, std::function<void(bool)> onChange)
    : loop_(loop), grace_(grace), onChange_(std::move(onChange)) {
    startGrace();
}

void Isolation::setConnected(bool connected) {
    if (connected) {
        ending_.reset();
        set(false);
    } else if (ending_ == nullptr && !isolated_) {
        startGrace();
    }
}

void Isolation::startGrace() {
    ending_ = loop_.after(grace_, [this] {
        ending_.reset();
        set(true);
    });
}

void Isolation::set(bool isolated) {
    if (std::exchange(isolated_, isolated) != isolated) onChange_(isolated);
}

}  // namespace midonet::agent
