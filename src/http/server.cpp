#include "http/server.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/assert.h"
#include "base/log.h"
#include "event/asio.h"
#include "http/internal/listener.h"
#include "http/internal/server_tls.h"
#include "http/internal/session.h"

namespace midonet::http {

namespace asio = boost::asio;
using boost::system::error_code;
using internal::kAwait;
using internal::Listener;

namespace {

const Logger log{"http"};
constexpr std::size_t kRefusalsAtOnce = 64;
constexpr auto kHandshakeGrace = std::chrono::milliseconds{50};
constexpr auto kAcceptPause = std::chrono::milliseconds{100};

}  // namespace

/// Shared with the accept coroutine. First loop only.
class Server::Core : public std::enable_shared_from_this<Server::Core> {
public:
    Core(const std::vector<event::Loop*>& loops, ServerOptions options, Handler handler)
        : options_(std::make_shared<const ServerOptions>(std::move(options))),
          io_(event::ioContext(*loops.front())),
          timer_(io_) {
        for (auto* loop : loops)
            lanes_.push_back(std::make_shared<internal::Lane>(lanes_.size(), *loop, event::ioContext(*loop), options_, handler));
    }

    Result<void> open() {
        if (options_->tls) TRY_VOID(renewTls());
        TRY(addresses, internal::parseListen(options_->listen));
        for (auto& address : addresses) {
            auto listener = std::make_unique<Listener>(io_, std::move(address));
            TRY_VOID(listener->open(options_->socketMode));
            addresses_.push_back(listener->bound());
            listeners_.push_back(std::move(listener));
        }
        for (const auto& listener : listeners_) asio::co_spawn(io_, accept(shared_from_this(), *listener), asio::detached);
        return {};
    }

    Result<void> renewTls() {
        if (!options_->tls) return {};
        TRY(tls, internal::loadServerTls(*options_->tls));
        tls_ = std::move(tls);
        return {};
    }

    void drain(event::Callback done) {
        MIDONET_ASSERT(!done_, "drain() is called once");
        done_ = std::move(done);
        for (const auto& listener : listeners_) listener->refuseNew();
        for (const auto& lane : lanes_) asio::post(lane->io, [lane] { lane->drain(); });
        asio::co_spawn(io_, drainSteps(shared_from_this()), asio::detached);
    }

    void shutDown() {
        closeListeners();
        timer_.cancel();
        done_ = nullptr;
        for (const auto& lane : lanes_) {
            if (lane->loop.isCurrent())
                lane->closeAll();
            else
                asio::post(lane->io, [lane] { lane->closeAll(); });
        }
    }

    const std::vector<std::string>& addresses() const { return addresses_; }
    std::size_t connections() const { return connections_; }

private:
    bool listening() const { return listeners_.front()->isOpen(); }
    void closeListeners() {
        for (const auto& listener : listeners_) listener->close();
    }

    static asio::awaitable<void> accept(std::shared_ptr<Core> core, Listener& listener) {
        LogLimiter limiter{std::chrono::seconds{10}};
        for (;;) {
            auto lane = core->lanes_[core->nextLane_++ % core->lanes_.size()];
            auto [error, socket] = co_await listener.acceptor().async_accept(lane->io, kAwait);
            if (!listener.isOpen()) co_return;
            if (error) {  // no descriptor left: wait for one
                if (limiter.allow(std::chrono::steady_clock::now()))
                    log.warn("cannot accept a connection", {kv("reason", error.message())});
                asio::steady_timer pause{core->io_, kAcceptPause};
                co_await pause.async_wait(kAwait);
                continue;
            }
            core->begin(std::move(socket), listener.isUnix() ? nullptr : core->tls_, lane);
        }
    }

    void begin(internal::Socket socket, internal::ServerTls tls, const std::shared_ptr<internal::Lane>& lane) {
        const auto limit = options_->limits.connections;
        if (connections_ >= limit + kRefusalsAtOnce) return;  // closes
        const bool refuse = connections_ >= limit;
        count(+1);
        internal::Session::start(std::move(socket), std::move(tls), lane, refuse, [core = shared_from_this()] {
            asio::post(core->io_, [core] { core->count(-1); });
        });
    }

    void count(int by) {
        connections_ += static_cast<std::size_t>(by);
        if (options_->onConnections) options_->onConnections(connections_);
        if (connections_ == 0 && done_ && !listening()) timer_.cancel();
    }

    static asio::awaitable<void> drainSteps(std::shared_ptr<Core> core) {
        const auto end = std::chrono::steady_clock::now() + core->options_->limits.drain;
        core->timer_.expires_after(kHandshakeGrace);
        co_await core->timer_.async_wait(kAwait);
        core->closeListeners();
        if (core->connections_ > 0) {
            core->timer_.expires_after(core->options_->limits.drainIdle);
            co_await core->timer_.async_wait(kAwait);
        }
        for (const auto& lane : core->lanes_) asio::post(lane->io, [lane] { lane->closeIdle(); });
        if (core->connections_ > 0) {
            core->timer_.expires_at(end);
            co_await core->timer_.async_wait(kAwait);
        }
        if (core->connections_ > 0) {
            log.warn("connections cut off: they did not finish in time", {kv("connections", core->connections_)});
            for (const auto& lane : core->lanes_) asio::post(lane->io, [lane] { lane->closeAll(); });
        }
        if (const auto done = std::exchange(core->done_, nullptr)) done();
    }

    std::shared_ptr<const ServerOptions> options_;
    asio::io_context& io_;
    asio::steady_timer timer_;
    std::vector<std::shared_ptr<internal::Lane>> lanes_;
    std::size_t nextLane_ = 0;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::vector<std::string> addresses_;  // as bound
    internal::ServerTls tls_;             // for new connections
    std::size_t connections_ = 0;
    event::Callback done_;
};

Result<std::unique_ptr<Server>> Server::listen(std::vector<event::Loop*> loops, ServerOptions options, Handler handler) {
    MIDONET_ASSERT(!loops.empty(), "a server needs a loop");
    if (!options.errorResponse)
        options.errorResponse = [](int status, std::string_view message) {
            return Response::text(status, "text/plain", std::string{message} + "\n");
        };
    auto core = std::make_shared<Core>(loops, std::move(options), std::move(handler));
    TRY_VOID(core->open());
    return std::unique_ptr<Server>(new Server(std::move(core)));
}

Server::Server(std::shared_ptr<Core> core) : core_(std::move(core)) {}
Server::~Server() { core_->shutDown(); }
const std::string& Server::address() const { return core_->addresses().front(); }
const std::vector<std::string>& Server::addresses() const { return core_->addresses(); }
Result<void> Server::renewTls() { return core_->renewTls(); }
std::size_t Server::connections() const { return core_->connections(); }
void Server::drain(event::Callback done) { core_->drain(std::move(done)); }

Result<bool> isLoopback(std::string_view listen) {
    TRY(addresses, internal::parseListen(listen));
    return std::all_of(addresses.begin(), addresses.end(), [](const internal::ListenAddress& address) { return address.local; });
}

}  // namespace midonet::http
