#pragma once

#include <thread>

#include "event/blocking_pool.h"
#include "nsdb/zookeeper/client.h"

namespace midonet::nsdb {

/// A client of the ensemble that knows nothing of the store: to look at what it left, and to put something in its way.
class RawClient {
public:
    explicit RawClient(const std::string& hosts)
        : client_(std::make_shared<zookeeper::Client>(
              *loop_, pool_,
              midonet::zookeeper::Session::Options{*midonet::zookeeper::parseHosts(hosts), std::chrono::seconds(10),
                                                   std::chrono::seconds(10), {}, {}},
              "/none")) {
        client_->open(std::make_shared<Silent>());
        thread_ = std::thread([this] { loop_->run(); });
    }
    ~RawClient() {
        client_->close();
        loop_->stop();
        thread_.join();
    }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    Result<void> create(const std::string& path, const std::string& value) {
        return client_->check({{midonet::zookeeper::Operation::Kind::Create, path, value, midonet::zookeeper::kAnyVersion}});
    }
    Result<void> set(const std::string& path, const std::string& value) {
        return client_->check({{midonet::zookeeper::Operation::Kind::Set, path, value, midonet::zookeeper::kAnyVersion}});
    }
    /// Names of the children; none when it is absent.
    std::vector<std::string> children(const std::string& path) {
        const auto found = client_->read({{path, zookeeper::Client::Question::What::Children}});
        return found && found->front() ? found->front()->children : std::vector<std::string>{};
    }

private:
    class Silent final : public midonet::zookeeper::Session::Listener {
        void onConnected(bool) override {}
        void onDisconnected() override {}
        void onWatch(const std::string&) override {}
    };
    std::unique_ptr<event::Loop> loop_ = event::Loop::create("raw");
    event::BlockingPool pool_{1, 10};
    std::shared_ptr<zookeeper::Client> client_;
    std::thread thread_;
};

}  // namespace midonet::nsdb
