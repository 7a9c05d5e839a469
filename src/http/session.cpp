#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/log.h"
#include "base/uuid.h"
#include "http/internal/session.h"

namespace midonet::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using internal::kAwait;
using Clock = std::chrono::steady_clock;

namespace {
constexpr std::size_t kReadBytes = 16 * 1024;
/// What an idle connection keeps ready for its next request; most fit.
constexpr std::size_t kIdleBytes = 1024;
/// A body up to this size goes with its head, in one segment of the stream.
constexpr std::size_t kJoinedBytes = 16 * 1024;
constexpr std::size_t kWriteBytes = 256 * 1024;
constexpr std::size_t kLingerBytes = 8 * 1024 * 1024;
constexpr auto kLingerTime = std::chrono::seconds{2};
const Logger log{"http"};
}  // namespace

namespace {

/// Something that any thread may give and a connection waits for; touched on the connection's loop only.
template <class T>
struct Pending {
    explicit Pending(asio::io_context& io) : waker(io) {}
    asio::steady_timer waker;
    std::optional<T> value;

    static void give(const internal::Lane& lane, const std::shared_ptr<Pending>& pending, T value) {
        if (lane.loop.isCurrent()) return pending->take(std::move(value));
        asio::post(lane.io, [pending, v = std::move(value)]() mutable { pending->take(std::move(v)); });
    }

private:
    void take(T given) {
        value = std::move(given);
        waker.cancel();
    }
};
using PendingPiece = Pending<std::optional<std::string>>;

}  // namespace

/// The answer on its way to the connection's loop; `answered` is touched by the holder of the Responder.
struct Responder::Exchange : std::enable_shared_from_this<Responder::Exchange> {
    using Pending = http::Pending<Response>;

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
namespace {

using Parser = beast::http::request_parser<beast::http::string_body>;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

/// A target in absolute form ("http://host/path") is served like its path (RFC 9112 section 3.2.2).
std::string originForm(std::string_view target) {
    if (const auto scheme = target.find("://"); !target.starts_with('/') && scheme != target.npos) {
        const auto slash = target.find('/', scheme + 3);
        return slash == target.npos ? "/" : std::string{target.substr(slash)};
    }
    return std::string{target};
}

std::shared_ptr<Request> toRequest(Parser& parser) {
    auto request = std::make_shared<Request>();
    auto message = parser.release();
    request->method = parseMethod(view(message.method_string()));
    request->target = originForm(view(message.target()));
    for (const auto& field : message) request->headers.add(view(field.name_string()), view(field.value()));
    request->body = std::move(message.body());
    return request;
}

struct Refusal {
    int status;
    std::string_view message;
};
Refusal refusalFor(error_code error) {
    if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow)
        return {431, "the request header is too large"};
    if (error == beast::http::error::body_limit) return {413, "the request body is too large"};
    return {400, "this is not a well-formed HTTP/1.1 request"};
}

/// Where two readers of one stream could see different requests, nothing is guessed (RFC 9112 section 6.1): of the codings only
/// "chunked" is understood, and one that is not understood hides where the body ends. A second Host is refused as section 3.2 asks.
std::optional<Refusal> framingRefusal(const Parser& parser) {
    const auto& request = parser.get();
    if (request.count(beast::http::field::host) > 1) return Refusal{400, "there is more than one Host"};
    const auto coding = request.find(beast::http::field::transfer_encoding);
    if (coding == request.end()) return std::nullopt;
    if (request.version() < 11) return Refusal{400, "HTTP/1.0 knows no Transfer-Encoding"};
    if (!equalNoCase(view(coding->value()), "chunked")) return Refusal{501, "the only Transfer-Encoding understood is chunked"};
    return std::nullopt;
}

std::string asChunk(std::string_view piece) {
    auto out = fmt::format("{:x}\r\n", piece.size());
    out.reserve(out.size() + piece.size() + 2);
    out += piece;
    return out += "\r\n";
}

/// A header value cannot end its line, whatever a handler put there.
void appendClean(std::string& out, std::string_view text) {
    for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

bool wantsContinue(const Parser& parser) {
    return parser.get().version() >= 11 && equalNoCase(view(parser.get()[beast::http::field::expect]), "100-continue");
}

}  // namespace

const std::string& Lane::date() {
    const auto now = std::time(nullptr);
    if (now != dateSecond_) {
        dateSecond_ = now;
        date_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now));
    }
    return date_;
}

std::string Lane::newRequestId() {
    static const std::string process = Uuid::random().toString().substr(0, 13);
    return fmt::format("{}-{}-{}", process, index, ++requests_);
}

void Lane::add(Session& session) {
    sessions.insert(&session);
    if (!ticking_) tick();
}

void Lane::tick() {
    ticking_ = !sessions.empty();
    if (!ticking_) return;
    const auto& limits = options->limits;
    const auto shortest = std::min({limits.idle, limits.header, limits.request, limits.write});
    ticker_.expires_after(std::clamp<event::Duration>(shortest / 8, std::chrono::milliseconds{5}, std::chrono::seconds{1}));
    // Weak: an idle server leaves nothing behind on the loop.
    ticker_.async_wait([weak = weak_from_this()](error_code error) {
        const auto lane = weak.lock();
        if (!lane || error) return;
        const auto now = Clock::now();
        for (auto* session : lane->sessions) session->checkDeadline(now);
        lane->tick();
    });
}

void Lane::closeIdle() {
    for (auto* session : sessions)
        if (session->idle()) session->wake();
}

void Lane::drain() {
    draining = true;
    for (auto* session : sessions) session->endStream();
}

void Lane::closeAll() {
    draining = true;
    for (auto* session : sessions) session->cut();
}

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
    Parser parser;
    parser.eager(true);
    parser.header_limit(static_cast<std::uint32_t>(limits.headerBytes));
    parser.body_limit(limits.bodyBytes);
    setDeadline(std::min(deadline, start + limits.header));
    bool headerSeen = false;
    for (;;) {
        error_code error;
        buffer_.consume(parser.put(buffer_.data(), error));
        if (error && error != beast::http::error::need_more) {
            const auto refusal = refusalFor(error);
            co_return co_await fail(refusal.status, std::string{refusal.message});
        }
        if (parser.is_header_done() && !headerSeen) {
            headerSeen = true;
            if (const auto refusal = framingRefusal(parser)) co_return co_await fail(refusal->status, std::string{refusal->message});
            if (wantsContinue(parser) && !parser.is_done() && !co_await write("HTTP/1.1 100 Continue\r\n\r\n")) co_return Next::Close;
            setDeadline(deadline);
        }
        if (parser.is_done()) break;
        // What the parser leaves is a header, or the header of a chunk, that is not complete.
        if (buffer_.size() >= limits.headerBytes)
            co_return co_await fail(headerSeen ? 400 : 431, "the request header is too large");
        const auto [readError, n] = co_await wire_.read(buffer_.prepare(kReadBytes));
        if (readError && timedOut_) co_return co_await fail(408, "the request came too slowly");
        if (readError) co_return Next::Close;
        buffer_.commit(n);
    }
    setDeadline(event::TimePoint::max());

    const bool clientKeeps = parser.keep_alive();
    const unsigned version = parser.get().version();
    const auto request = toRequest(parser);
    label(*request);
    Response response = co_await handle(request, deadline);
    response.headers.add("X-Request-Id", request->id);
    const bool endless = response.endless;
    const bool endsWithConnection = version < 11 && response.more;
    const bool keep = clientKeeps && !lane_->draining && !endsWithConnection;
    if (lane_->options->onFinished) lane_->options->onFinished({*request, response, Clock::now() - start, lane_->index});
    if (!co_await send(std::move(response), request->method != Method::Head, version, keep)) co_return Next::Close;
    // It was ended by drain(), which its head could not say.
    if (endless && lane_->draining) co_return Next::Linger;
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

/// False when the client did not get all of it.
asio::awaitable<bool> Session::send(Response response, bool withBody, unsigned version, bool keepAlive) {
    auto text = head(response, version, keepAlive);
    const bool hasBody = withBody && response.status != 204 && response.status != 304;
    const bool joined = hasBody && !response.more && response.body.size() <= kJoinedBytes;
    if (joined) text += response.body;
    if (!co_await write(std::move(text))) co_return false;
    if (!hasBody || joined) co_return true;
    if (!response.more) co_return co_await write(std::move(response.body));
    co_return co_await sendPieces(std::move(response), version >= 11);
}

/// Each as a chunk (RFC 9112 section 7.1); without, the end of the connection is the end of the body.
asio::awaitable<bool> Session::sendPieces(Response response, bool chunked) {
    auto piece = std::move(response.body);
    for (;;) {
        const auto next = std::make_shared<PendingPiece>(lane_->io);
        if (response.endless)
            next->waker.expires_at(event::TimePoint::max());
        else
            next->waker.expires_after(lane_->options->limits.request);
        response.more([lane = lane_, next](std::optional<std::string> given) { PendingPiece::give(*lane, next, std::move(given)); });
        if (chunked && !piece.empty()) piece = asChunk(piece);
        if (!co_await write(std::move(piece))) co_return false;
        if (response.endless && lane_->draining) break;
        if (!next->value) {
            if (response.endless) betweenPieces_ = &next->waker;
            co_await next->waker.async_wait(kAwait);
            betweenPieces_ = nullptr;
        }
        if (!next->value && response.endless && lane_->draining) break;
        if (!next->value || !*next->value) co_return false;
        piece = std::move(**next->value);
        if (piece.empty()) break;
    }
    if (chunked && !co_await write("0\r\n\r\n")) co_return false;
    co_return true;
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
    auto response = lane_->options->errorResponse(status, message);
    response.headers.add("X-Request-Id", request.id);
    if (lane_->options->onFinished) lane_->options->onFinished({request, response, {}, lane_->index});
    co_return co_await send(std::move(response), true, 11, false) ? Next::Linger : Next::Close;
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

std::string Session::head(const Response& response, unsigned version, bool keepAlive) {
    std::string out;
    out.reserve(512 + (response.body.size() <= kJoinedBytes ? response.body.size() : 0));
    fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                   reasonPhrase(response.status), lane_->date());
    for (const auto& [name, value] : response.headers.fields()) {
        appendClean(out, name);
        out += ": ";
        appendClean(out, value);
        out += "\r\n";
    }
    if (response.more) {
        if (version >= 11) out += "Transfer-Encoding: chunked\r\n";
    } else if (response.status >= 200 && response.status != 204 && response.status != 304) {
        fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", response.body.size());
    }
    if (!keepAlive)
        out += "Connection: close\r\n";
    else if (version < 11)
        out += "Connection: keep-alive\r\n";
    out += "\r\n";
    return out;
}

}  // namespace internal
}  // namespace midonet::http
