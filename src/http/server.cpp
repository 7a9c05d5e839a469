#include "http/server.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "base/assert.h"
#include "base/log.h"
#include "event/asio.h"
#include "http/internal/session.h"

namespace midonet::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

const Logger log{"http"};
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kRefusalsAtOnce = 64;
constexpr auto kHandshakeGrace = std::chrono::milliseconds{50};
constexpr auto kAcceptPause = std::chrono::milliseconds{100};

Result<tcp::endpoint> parseEndpoint(std::string_view text) {
    const auto colon = text.rfind(':');
    std::uint16_t port = 0;
    if (colon == text.npos) return fail(ErrorCode::Malformed, "'{}' has no port: write ADDRESS:PORT", text);
    const auto digits = text.substr(colon + 1);
    const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (wrong != std::errc{} || end != digits.data() + digits.size())
        return fail(ErrorCode::Malformed, "'{}' is not a port (0 to 65535) in '{}'", digits, text);
    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (error) return fail(ErrorCode::Malformed, "'{}' is not an IP address in '{}'", host, text);
    return tcp::endpoint{address, port};
}

std::string toText(const tcp::endpoint& endpoint) {
    const auto address = endpoint.address();
    return fmt::format(fmt::runtime(address.is_v6() ? "[{}]:{}" : "{}:{}"), address.to_string(), endpoint.port());
}

constexpr std::string_view kUnix = "unix:";
using Local = asio::local::stream_protocol;

/// Where a server that is killed leaves its socket, the next one listens. AlreadyExists: somebody listens there.
Result<void> makeWay(const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) {
        std::error_code error;
        const auto folder = std::filesystem::path(path).parent_path();
        if (!folder.empty()) std::filesystem::create_directories(folder, error);
        if (error) return fail(ErrorCode::Unavailable, "cannot make the folder of {}: {}; choose another path", path, error.message());
        return {};
    }
    if (!S_ISSOCK(found.st_mode)) return fail(ErrorCode::AlreadyExists, "cannot listen on {}: a file is there; choose another path", path);
    asio::io_context io;
    Local::socket probe(io);
    error_code error;
    probe.connect(Local::endpoint{path}, error);
    if (!error) return fail(ErrorCode::AlreadyExists, "cannot listen on {}: another program does; end it, or choose another path", path);
    ::unlink(path.c_str());
    return {};
}

/// From now on the kernel lets no new handshake begin, but finishes those under way: the segment
/// that opens one (SYN without ACK) is dropped. Closing the socket right away would reset
/// connections that clients believe to have.
void dropNewHandshakes(int listener) {
    constexpr unsigned kFlagsOffset = 13;
    std::array<sock_filter, 5> code{{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsOffset),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffffU),
    }};
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    if (::setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
        log.debug("no filter on the listening socket: a connection made while closing may be reset");
}

}  // namespace

/// Shared with the accept coroutine. First loop only.
class Server::Core : public std::enable_shared_from_this<Server::Core> {
public:
    Core(const std::vector<event::Loop*>& loops, ServerOptions options, Handler handler)
        : options_(std::make_shared<const ServerOptions>(std::move(options))),
          io_(event::ioContext(*loops.front())),
          acceptor_(io_),
          timer_(io_) {
        for (auto* loop : loops)
            lanes_.push_back(std::make_shared<internal::Lane>(lanes_.size(), *loop, event::ioContext(*loop), options_, handler));
    }

    Result<void> open() {
        TRY_VOID(options_->listen.starts_with(kUnix) ? listenOnPath(options_->listen.substr(kUnix.size())) : listenOnAddress());
        asio::co_spawn(io_, accept(shared_from_this()), asio::detached);
        return {};
    }

    void drain(event::Callback done) {
        MIDONET_ASSERT(!done_, "drain() is called once");
        done_ = std::move(done);
        if (acceptor_.is_open() && path_.empty()) dropNewHandshakes(acceptor_.native_handle());
        for (const auto& lane : lanes_) asio::post(lane->io, [lane] { lane->draining = true; });
        asio::co_spawn(io_, drainSteps(shared_from_this()), asio::detached);
    }

    void shutDown() {
        stopListening();
        timer_.cancel();
        done_ = nullptr;
        for (const auto& lane : lanes_) {
            if (lane->loop.isCurrent())
                lane->closeAll();
            else
                asio::post(lane->io, [lane] { lane->closeAll(); });
        }
    }

    const std::string& address() const { return address_; }
    std::size_t connections() const { return connections_; }

private:
    Result<void> listenOnAddress() {
        TRY(endpoint, parseEndpoint(options_->listen));
        error_code error;
        const auto attempt = [&](const char* step) -> Result<void> {
            if (!error) return {};
            if (error == asio::error::address_in_use)
                return fail(ErrorCode::AlreadyExists, "cannot {} {}: another program does; end it, or choose another port (0 = any free one)",
                            step, options_->listen);
            if (error == asio::error::access_denied)
                return fail(ErrorCode::PermissionDenied, "cannot {} {}: ports below 1024 need root; choose another port", step, options_->listen);
            return fail(ErrorCode::Unavailable, "cannot {} {}: {}; choose an address of this machine", step, options_->listen, error.message());
        };
        acceptor_.open(endpoint.protocol(), error);
        TRY_VOID(attempt("open a socket for"));
        acceptor_.set_option(asio::socket_base::reuse_address{true}, error);
        acceptor_.bind(endpoint, error);
        TRY_VOID(attempt("listen on"));
        acceptor_.listen(asio::socket_base::max_listen_connections, error);
        TRY_VOID(attempt("listen on"));
        const auto bound = acceptor_.local_endpoint(error);
        std::memcpy(endpoint.data(), bound.data(), bound.size());
        address_ = toText(endpoint);
        return {};
    }

    Result<void> listenOnPath(const std::string& path) {
        if (path.size() >= sizeof(sockaddr_un::sun_path))
            return fail(ErrorCode::Malformed, "'{}' is too long for a socket: choose a path of at most {} characters", path,
                        sizeof(sockaddr_un::sun_path) - 1);
        TRY_VOID(makeWay(path));
        error_code error;
        acceptor_.open(Local{}, error);
        // Nobody else's from the first moment on: the file takes the mode of the socket.
        if (!error && ::fchmod(acceptor_.native_handle(), 0600) != 0) error = {errno, boost::system::system_category()};
        if (!error) acceptor_.bind(Local::endpoint{path}, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (error) return fail(ErrorCode::Unavailable, "cannot listen on {}: {}; choose another path", path, error.message());
        path_ = path;
        address_ = options_->listen;
        return {};
    }

    void stopListening() {
        error_code ignored;
        if (acceptor_.is_open() && !path_.empty()) ::unlink(path_.c_str());
        acceptor_.close(ignored);
    }

    static asio::awaitable<void> accept(std::shared_ptr<Core> core) {
        LogLimiter limiter{std::chrono::seconds{10}};
        std::size_t next = 0;
        for (;;) {
            auto lane = core->lanes_[next++ % core->lanes_.size()];
            auto [error, socket] = co_await core->acceptor_.async_accept(lane->io, kAwait);
            if (!core->acceptor_.is_open()) co_return;
            if (error) {  // no descriptor left: wait for one
                if (limiter.allow(std::chrono::steady_clock::now()))
                    log.warn("cannot accept a connection", {kv("reason", error.message())});
                asio::steady_timer pause{core->io_, kAcceptPause};
                co_await pause.async_wait(kAwait);
                continue;
            }
            core->begin(std::move(socket), lane);
        }
    }

    void begin(internal::Stream::socket socket, const std::shared_ptr<internal::Lane>& lane) {
        const auto limit = options_->limits.connections;
        if (connections_ >= limit + kRefusalsAtOnce) return;  // closes
        const bool refuse = connections_ >= limit;
        count(+1);
        internal::Session::start(std::move(socket), lane, refuse, [core = shared_from_this()] {
            asio::post(core->io_, [core] { core->count(-1); });
        });
    }

    void count(int by) {
        connections_ += static_cast<std::size_t>(by);
        if (options_->onConnections) options_->onConnections(connections_);
        if (connections_ == 0 && done_ && !acceptor_.is_open()) timer_.cancel();
    }

    static asio::awaitable<void> drainSteps(std::shared_ptr<Core> core) {
        const auto end = std::chrono::steady_clock::now() + core->options_->limits.drain;
        core->timer_.expires_after(kHandshakeGrace);
        co_await core->timer_.async_wait(kAwait);
        core->stopListening();
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
    asio::basic_socket_acceptor<internal::Stream> acceptor_;
    asio::steady_timer timer_;
    std::vector<std::shared_ptr<internal::Lane>> lanes_;
    std::string address_;
    std::string path_;  // of a Unix socket
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
const std::string& Server::address() const { return core_->address(); }
std::size_t Server::connections() const { return core_->connections(); }
void Server::drain(event::Callback done) { core_->drain(std::move(done)); }

Result<bool> isLoopback(std::string_view listen) {
    if (listen.starts_with(kUnix)) return true;
    TRY(endpoint, parseEndpoint(listen));
    return endpoint.address().is_loopback();
}

}  // namespace midonet::http
