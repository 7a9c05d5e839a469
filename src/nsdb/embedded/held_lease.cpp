#include "nsdb/embedded/held_lease.h"

#include <utility>

namespace midonet::nsdb::embedded {

void HeldLease::release() {
    alive_ = false;
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
}

bool HeldLease::released() const {
    const std::lock_guard lock(mutex_);
    return loop_ == nullptr;
}

void HeldLease::post(std::function<void()> function) {
    const std::lock_guard lock(mutex_);
    if (loop_ == nullptr) return;
    loop_->post([self = shared_from_this(), function = std::move(function)] {
        if (self->alive_) function();
    });
}

void HeldLease::report(LeaseState state) {
    post([this, state] { callback_(state); });
}

void HeldLease::beat() {
    const std::lock_guard lock(mutex_);
    if (file_) file_->beat();
}

bool HeldLease::startOpening() {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::Closed || loop_ == nullptr) return false;
    phase_ = Phase::Opening;
    return true;
}

void HeldLease::opened(LeaseRecord record, std::unique_ptr<LeaseFile> file) {
    const std::lock_guard lock(mutex_);
    phase_ = Phase::Open;
    record_ = record;
    file_ = std::move(file);
}

void HeldLease::openingFailed() {
    const std::lock_guard lock(mutex_);
    phase_ = Phase::Closed;
}

bool HeldLease::lose() {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::Open) return false;
    phase_ = Phase::Closed;
    file_.reset();
    return true;
}

std::optional<LeaseRecord> HeldLease::record() const {
    const std::lock_guard lock(mutex_);
    if (phase_ != Phase::Open) return std::nullopt;
    return record_;
}

}  // namespace midonet::nsdb::embedded
