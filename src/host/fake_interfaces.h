#pragma once

#include <algorithm>
#include <string_view>
#include <utility>

#include "host/interfaces.h"

namespace midonet::host {

/// Interfaces as a test wants them.
class FakeInterfaces final : public Interfaces {
public:
    const std::vector<Interface>& list() const override { return list_; }
    void onChange(std::function<void()> callback) override { callback_ = std::move(callback); }

    /// Adds the interface, or changes the one of that name. An ifindex of 0 gets a free one.
    void put(Interface interface) {
        const auto old = std::find_if(list_.begin(), list_.end(),
                                      [&](const Interface& i) { return i.name == interface.name; });
        if (interface.ifindex == 0) interface.ifindex = old != list_.end() ? old->ifindex : nextIndex_++;
        if (old != list_.end()) {
            *old = std::move(interface);
        } else {
            list_.push_back(std::move(interface));
        }
        std::sort(list_.begin(), list_.end(), [](const auto& a, const auto& b) { return a.ifindex < b.ifindex; });
        if (callback_) callback_();
    }
    void remove(std::string_view name) {
        if (std::erase_if(list_, [&](const Interface& i) { return i.name == name; }) > 0 && callback_) callback_();
    }

private:
    std::vector<Interface> list_;
    std::uint32_t nextIndex_ = 1000;
    std::function<void()> callback_;
};

}  // namespace midonet::host
