#include "http/internal/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/log.h"
#include "http/internal/pending.h"
#include "http/internal/request_parser.h"
#include "http/internal/response_text.h"

namespace midonet::http {

using internal::kAwait;
using Clock = std::chrono::steady_clock;

namespace {
constexpr std::size_t kReadBytes = 16 * 1024;
/// What an idle connection keeps ready for its next request; most fit.
constexpr std::size_t kIdleBytes = 1024;
constexpr std::size_t kWriteBytes = 256 * 1024;
constexpr std::size_t kLingerBytes = 8 * 1024 * 1024;
constexpr auto kLingerTime = std::chrono::seconds{2};
const Logger log{"http"};
}  // namespace

/// The answer on its way to the connection's loop; `answered` is touched by the holder of the Responder.
struct Responder::Exchange : std::enable_shared_from_this<Responder::Exchange> {
    using Pending = internal::Pending<Response>;

    Exchange(std::shared_ptr<internal::Lane> l, std::shared_ptr<Pending> p) : lane(std::move(l)), pending(std::move(p)) {}
    ~Exchange() {
        if (answered) return;
        log.error("a handler did not answer");
        deliver(lane->options->errorResponse(500, "the request was not answered: internal error"));
    }
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    void deliver(Response response) {
        answered = true;
        Pending::give(*lane, pending, std::move(response));
    }

    std::shared_ptr<internal::Lane> lane;
    std::shared_ptr<Pending> pending;
    bool answered = false;
};

void Responder::operator()(Response response) const {
    if (!exchange_->answered) exchange_->deliver(std::move(response));
}

namespace internal {

using PendingPiece = Pending<std::optional<std::string>>;

Session::Session(Socket socket, ServerTls tls, std::shared_ptr<Lane> lane)
    : wire_(std::move(socket), std::move(tls)), lane_(std::move(lane)), peer_(wire_.peer()) {
    lane_->add(*this);
}

Session::~Session() { lane_->remove(*this); }

void Session::wake() { wire_.cancel(); }
void Session::cut() {
    wire_.close();
    endStream();
}
void Session::endStream() {
    if (betweenPieces_ != nullptr) betweenPieces_->cancel();
}
void Session::setDeadline(event::TimePoint deadline) {
    deadline_ = deadline;
    timedOut_ = false;
}
void Session::checkDeadline(event::TimePoint now) {
    // Nothing is read or written then, so nothing else would tell.
    if (betweenPieces_ != nullptr && wire_.peerIsGone()) return cut();
    if (now < deadline_ || timedOut_) return;
    timedOut_ = true;
    wake();
}

void Session::start(Socket socket, ServerTls tls, std::shared_ptr<Lane> lane, bool refuseIt, std::function<void()> ended) {
    auto& io = lane->io;
    // On the lane's thread from the first line on.
    asio::post(io, [s = std::move(socket), tls = std::move(tls), lane = std::move(lane), refuseIt, done = std::move(ended)]() mutable {
        auto session = std::make_shared<Session>(std::move(s), std::move(tls), lane);
        auto* raw = session.get();
        asio::co_spawn(lane->io, refuseIt ? raw->refuse() : raw->serve(),
                       [keep = std::move(session), ended = std::move(done)](const std::exception_ptr& failure) mutable {
                           if (failure) log.error("a connection ended with an exception");
                           keep.reset();
                           ended();
                       });
    });
}

/// Close when the client does not get through its handshake in time: it has nothing to ask then.
asio::awaitable<Session::Next> Session::secure() {
    setDeadline(Clock::now() + lane_->options->limits.header);
    const error_code error = co_await wire_.handshake();
    if (!error) co_return Next::Continue;
    log.debug("no TLS with a client", {kv("client", peer_), kv("reason", error.message())});
    co_return Next::Close;
}

asio::awaitable<void> Session::serve() {
    Next next = Next::Continue;
    if (wire_.secure()) next = co_await secure();
    while (next == Next::Continue) next = co_await exchange();
    co_await close(next);
}

asio::awaitable<void> Session::refuse() {
    Next next = Next::Continue;
    if (wire_.secure()) next = co_await secure();
    if (next == Next::Continue) next = co_await fail(503, "too many connections");
    co_await close(next);
}

/// One request and its response.
asio::awaitable<Session::Next> Session::exchange() {
    const auto& limits = lane_->options->limits;
    if (buffer_.size() == 0 && !co_await waitForFirstByte()) co_return Next::Close;

    const auto start = Clock::now();
    const auto deadline = start + limits.request;
    RequestParser parser(limits);
    setDeadline(std::min(deadline, start + limits.header));
    bool headerSeen = false;
    while (true) {
        if (const auto refusal = parser.take(buffer_)) co_return co_await fail(refusal->status, std::string{refusal->message});
        if (parser.headerIsWhole() && !std::exchange(headerSeen, true)) {
            if (parser.wantsContinue() && !parser.isWhole() && !co_await write("HTTP/1.1 100 Continue\r\n\r\n")) co_return Next::Close;
            setDeadline(deadline);
        }
        if (parser.isWhole()) break;
        const auto [readError, n] = co_await wire_.read(buffer_.prepare(kReadBytes));
        if (readError && timedOut_) co_return co_await fail(408, "the request came too slowly");
        if (readError) co_return Next::Close;
        buffer_.commit(n);
    }
    setDeadline(event::TimePoint::max());

    const bool clientKeeps = parser.keepsAlive();
    const unsigned version = parser.version();
    const auto request = parser.release();
    label(*request);
    const auto response = std::make_shared<Response>(co_await handle(request, deadline));
    response->headers.add("X-Request-Id", request->id);
    const bool endsWithConnection = version < 11 && response->more;
    const bool keep = clientKeeps && !lane_->draining && !endsWithConnection;
    const bool withBody = request->method != Method::Head;
    const bool inPieces = withBody && response->more;
    const auto took = Clock::now() - start;
    if (!inPieces) finished({*request, *response, took, lane_->index, withBody ? response->body.size() : 0});
    const auto sent = co_await send(response, withBody, version, keep);
    if (inPieces) finished({*request, *response, took, lane_->index, sent.bytes, sent.how});
    if (sent.how != Delivery::Whole) co_return Next::Close;
    // It was ended by drain(), which its head could not say.
    if (response->endless && lane_->draining) co_return Next::Linger;
    co_return keep ? Next::Continue : Next::Linger;
}

/// What the connection and not the client says of a request.
void Session::label(Request& request) {
    request.id = lane_->newRequestId();
    request.peer = peer_;
    request.secure = wire_.secure();
}

/// False when the connection is to be closed.
asio::awaitable<bool> Session::waitForFirstByte() {
    setDeadline(Clock::now() + lane_->options->limits.idle);
    if (buffer_.capacity() > kIdleBytes) buffer_.shrink_to_fit();
    idle_ = true;
    auto [error, n] = co_await wire_.read(buffer_.prepare(kIdleBytes));
    idle_ = false;
    if (error == asio::error::operation_aborted && lane_->draining) {
        // closeIdle(): what arrived a moment before is still served.
        if (!wire_.hasBytes()) co_return false;
        std::tie(error, n) = co_await wire_.read(buffer_.prepare(kIdleBytes));
    }
    if (error) co_return false;
    buffer_.commit(n);
    co_return true;
}

asio::awaitable<Response> Session::handle(RequestPtr request, event::TimePoint deadline) {
    const auto pending = std::make_shared<Responder::Exchange::Pending>(lane_->io);
    pending->waker.expires_at(deadline);
    lane_->handler(std::move(request), Responder{std::make_shared<Responder::Exchange>(lane_, pending)});
    if (!pending->value) co_await pending->waker.async_wait(kAwait);
    if (!pending->value) co_return lane_->options->errorResponse(503, "the request took too long; try again");
    co_return std::move(*pending->value);
}

void Session::finished(const Finished& finished) const {
    if (lane_->options->onFinished) lane_->options->onFinished(finished);
}

asio::awaitable<Session::Sent> Session::send(ResponsePtr response, bool withBody, unsigned version, bool keepAlive) {
    auto text = headOf(*response, version, keepAlive, lane_->date());
    const bool hasBody = withBody && response->status != 204 && response->status != 304;
    const bool joined = hasBody && !response->more && response->body.size() <= kJoinedBytes;
    if (joined) text += response->body;
    if (!co_await write(std::move(text))) co_return Sent{undelivered()};
    if (!hasBody || joined) co_return Sent{};
    if (response->more) co_return co_await sendPieces(response, version >= 11);
    if (!co_await write(std::move(response->body))) co_return Sent{undelivered()};
    co_return Sent{};
}

/// Each as a chunk (RFC 9112 section 7.1); without, the end of the connection is the end of the body.
asio::awaitable<Session::Sent> Session::sendPieces(ResponsePtr response, bool chunked) {
    Sent sent;
    const auto endedAs = [&sent](Delivery how) { return Sent{how, sent.bytes}; };
    auto piece = std::move(response->body);
    for (;;) {
        const auto next = std::make_shared<PendingPiece>(lane_->io);
        if (response->endless)
            next->waker.expires_at(event::TimePoint::max());
        else
            next->waker.expires_after(lane_->options->limits.request);
        response->more([lane = lane_, next](std::optional<std::string> given) { PendingPiece::give(*lane, next, std::move(given)); });
        const auto bytes = piece.size();
        if (chunked && !piece.empty()) piece = asChunk(piece);
        if (!co_await write(std::move(piece))) co_return endedAs(undelivered());
        sent.bytes += bytes;
        if (response->endless && lane_->draining) break;
        if (!next->value) {
            if (response->endless) betweenPieces_ = &next->waker;
            co_await next->waker.async_wait(kAwait);
            betweenPieces_ = nullptr;
        }
        if (!next->value && response->endless && lane_->draining) break;
        if (!next->value && response->endless) co_return endedAs(Delivery::Gone);
        if (!next->value || !*next->value) co_return endedAs(Delivery::Cut);
        piece = std::move(**next->value);
        if (piece.empty()) break;
    }
    if (chunked && !co_await write("0\r\n\r\n")) co_return endedAs(undelivered());
    co_return sent;
}

/// False when the client is gone or does not take the bytes in time.
asio::awaitable<bool> Session::write(std::string bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const auto n = std::min(kWriteBytes, bytes.size() - sent);
        setDeadline(Clock::now() + lane_->options->limits.write);
        const auto [error, written] = co_await wire_.write(asio::buffer(bytes.data() + sent, n));
        if (error) co_return false;
        sent += written;
    }
    co_return true;
}

asio::awaitable<Session::Next> Session::fail(int status, std::string message) {
    Request request;
    label(request);
    const auto response = std::make_shared<Response>(lane_->options->errorResponse(status, message));
    response->headers.add("X-Request-Id", request.id);
    finished({request, *response, {}, lane_->index, response->body.size()});
    const auto sent = co_await send(response, true, 11, false);
    co_return sent.how == Delivery::Whole ? Next::Linger : Next::Close;
}

/// Lingering: bytes the client is still sending are read and thrown away for a moment; closing at
/// once would make the kernel send a reset, which destroys the response before it is read.
asio::awaitable<void> Session::close(Next how) {
    if (how == Next::Linger) {
        setDeadline(Clock::now() + kLingerTime);
        co_await wire_.endSending();
        for (std::size_t total = 0; total < kLingerBytes && !timedOut_;) {
            buffer_.clear();
            const auto [error, n] = co_await wire_.readRaw(buffer_.prepare(kReadBytes));
            if (error) break;
            total += n;
        }
    }
    cut();
}

}  // namespace internal
}  // namespace midonet::http
