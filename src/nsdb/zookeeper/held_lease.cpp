#include "nsdb/zookeeper/held_lease.h"

#include <future>
#include <utility>

#include "base/log.h"

namespace midonet::nsdb::zookeeper {
namespace {

constexpr Logger kLog{"nsdb"};

}  // namespace

void HeldLease::release() {
    alive_ = false;
    {
        const std::lock_guard lock(mutex_);
        loop_ = nullptr;
    }
    client_->close();
}

void HeldLease::post(std::function<void()> function) {
    const std::lock_guard lock(mutex_);
    if (loop_ == nullptr) return;
    loop_->post([self = shared_from_this(), function = std::move(function)] {
        if (self->alive_) function();
    });
}

void HeldLease::onConnected(bool fresh) {
    if (fresh) kLog.debug("session opened", {kv("session", id_)});
    if (fresh && file_ != nullptr) file_->write(client_->session()->key());
    post([this, fresh, session = client_->session()->id()] {
        told_ = session;
        callback_({true, fresh});
    });
    if (fresh && whenReopened_) std::exchange(whenReopened_, nullptr)();
}

void HeldLease::onDisconnected() {
    post([this] { callback_({false, false}); });
}

void HeldLease::expire() {
    std::promise<void> reopened;
    client_->loop().post([this, &reopened] {
        whenReopened_ = [&reopened] { reopened.set_value(); };
        client_->session()->expire();
    });
    reopened.get_future().wait();
}

}  // namespace midonet::nsdb::zookeeper
