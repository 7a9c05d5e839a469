#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "host/underlay.h"

namespace midonet::host {

/// Paths as a test wants them, by remote address. Unknown ones stay unanswered.
class FakeUnderlay final : public Underlay {
public:
    event::HandlePtr watch(const net::IpAddress&, const net::IpAddress& remote, Callback callback) override {
        auto watch = std::make_shared<Watch>(Watch{remote, std::move(callback)});
        watches_.push_back(watch);
        if (const auto known = paths_.find(remote); known != paths_.end()) watch->callback(known->second);
        return std::make_unique<End>(std::move(watch));
    }
    void put(const net::IpAddress& remote, std::optional<datapath::TunnelPath> path) {
        paths_[remote] = path;
        for (const auto& watch : std::vector(watches_)) {
            if (watch->alive && watch->remote == remote) watch->callback(path);
        }
        std::erase_if(watches_, [](const auto& watch) { return !watch->alive; });
    }

private:
    struct Watch {
        net::IpAddress remote;
        Callback callback;
        bool alive = true;
    };
    struct End final : event::Handle {
        explicit End(std::shared_ptr<Watch> w) : watch(std::move(w)) {}
        ~End() override { watch->alive = false; }
        std::shared_ptr<Watch> watch;
    };
    std::map<net::IpAddress, std::optional<datapath::TunnelPath>> paths_;
    std::vector<std::shared_ptr<Watch>> watches_;
};

}  // namespace midonet::host
