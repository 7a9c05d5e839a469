#include "zookeeper/session.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <variant>

#include "base/assert.h"
#include "base/log.h"
#include "base/overloaded.h"
#include "event/blocking_pool.h"
#include "zookeeper/internal/connection.h"

namespace midonet::zookeeper {
namespace {

using namespace std::chrono_literals;

constexpr Logger kLog{"zookeeper"};
/// Requests the servers have and have not answered yet; more wait here. Enough to keep a server busy, and few enough that the many
/// clients of one server take turns.
constexpr std::size_t kMaxUnderWay = 100;
/// What a step of a multi takes beside its path and value, at most.
constexpr std::size_t kBytesPerOperation = 100;
constexpr event::Duration kResolvePause = 1s;
/// Without any answer for so long, the server is spoken to again: its commit processor looks for work before it takes the lock
/// under which it goes to sleep (seen in 3.8), so it can miss the last commit and sleep until another request comes. The C client sends none:
/// it does not tell that it is alive while it waits, and drops the connection in the end. Twice as long each time, up to the other.
constexpr event::Duration kFirstKnock = 100ms;
constexpr event::Duration kLastKnock = 2s;
/// For the servers to read that a session is closed.
constexpr event::Duration kClosePause = 50ms;

struct GetRequest {
    std::string path;
    Session::Watch watch;
    Session::Answer<Node> answer;
};
struct ExistsRequest {
    std::string path;
    Session::Watch watch;
    Session::Answer<std::optional<Stat>> answer;
};
struct ChildrenRequest {
    std::string path;
    Session::Watch watch;
    Session::Answer<std::vector<std::string>> answer;
};
struct SyncRequest {
    Session::Answer<bool> answer;
};
struct MultiRequest {
    std::vector<Operation> operations;
    std::int64_t onlyIn = 0;
    Session::Answer<std::vector<Stat>> answer;
};

/// A request waits for a connection, then for its answer.
struct Request {
    std::variant<GetRequest, ExistsRequest, ChildrenRequest, SyncRequest, MultiRequest> what;
    std::optional<event::TimePoint> deadline;  ///< To be sent by then.

    bool isMulti() const { return std::holds_alternative<MultiRequest>(what); }
    void fail(const Error& error) {
        std::visit([&error](auto& request) { request.answer(Unexpected{error}); }, what);
    }
};

class ClientSession;

/// A request the C client has. Stays until the client answers it, also when nobody waits any more: it writes here.
struct Ticket {
    ClientSession* session = nullptr;
    std::uint64_t number = 0;
    std::optional<Request> request;
    std::vector<zoo_op_result_t> results;
    std::vector<::Stat> stats;
};

Stat toStat(const ::Stat& stat) {
    return {stat.mzxid, stat.mtime, stat.version, stat.numChildren, stat.ephemeralOwner};
}

/// The last one: the C client hung up, as the server answered something else than what came next.
bool isLoss(int code) {
    return code == ZCONNECTIONLOSS || code == ZOPERATIONTIMEOUT || code == ZCLOSING || code == ZSESSIONEXPIRED ||
           code == ZSESSIONMOVED || code == ZINVALIDSTATE || code == ZRUNTIMEINCONSISTENCY;
}

Error errorOf(int code, const std::string& path) {
    const auto make = [&](ErrorCode kind, std::string_view what) { return Error{kind, fmt::format("{} {}", path, what)}; };
    switch (code) {
        case ZNONODE: return make(ErrorCode::NotFound, "does not exist");
        case ZNODEEXISTS: return make(ErrorCode::AlreadyExists, "exists already");
        case ZBADVERSION: return make(ErrorCode::Stale, "has changed");
        case ZNOTEMPTY: return make(ErrorCode::Conflict, "has children");
        case ZNOAUTH: return make(ErrorCode::PermissionDenied, "may not be used with these credentials");
        case ZBADARGUMENTS: return make(ErrorCode::Invalid, "is no path or value that ZooKeeper takes");
        default: return make(ErrorCode::Internal, fmt::format("failed: {} ({})", ::zerror(code), code));
    }
}

const Error kNotConnected{ErrorCode::Unavailable, "there is no connection to the ZooKeeper servers"};
const Error kAnswerLost{ErrorCode::Timeout, "the connection to the ZooKeeper servers was lost before the answer came"};

class ClientSession final : public Session {
public:
    ClientSession(event::Loop& loop, event::BlockingPool& pool, Options options, Listener& listener)
        : loop_(loop), pool_(pool), options_(std::move(options)), listener_(listener) {
        watchDeadlines();
        resolve();
    }
    ~ClientSession() override {
        *alive_ = false;
        killer_.reset();
        if (connected_) send();
        closing_ = true;
        connection_.reset();
        loseUnderWay();
        for (auto* requests : {&repeated_, &waiting_})
            for (auto& request : std::exchange(*requests, {})) request.fail(kNotConnected);
    }

    std::int64_t id() const override { return id_; }
    SessionKey key() const override;
    bool connected() const override { return connected_; }

    void get(std::string path, Watch watch, Answer<Node> answer) override {
        queue({GetRequest{std::move(path), watch, std::move(answer)}, deadlineOf(watch)});
    }
    void exists(std::string path, Watch watch, Answer<std::optional<Stat>> answer) override {
        queue({ExistsRequest{std::move(path), watch, std::move(answer)}, deadlineOf(watch)});
    }
    void children(std::string path, Watch watch, Answer<std::vector<std::string>> answer) override {
        queue({ChildrenRequest{std::move(path), watch, std::move(answer)}, deadlineOf(watch)});
    }
    void sync(Answer<bool> answer) override { queue({SyncRequest{std::move(answer)}, deadlineOf(Watch::No)}); }
    void multi(std::vector<Operation> operations, std::int64_t onlyIn, Answer<std::vector<Stat>> answer) override;
    void expire() override;

    /// The C client has answered: its request, unless nobody waits for it any more.
    std::unique_ptr<Ticket> take(Ticket* ticket, int code);
    void onWatch(const char* path) {
        if (!closing_) listener_.onWatch(path);
    }
    const Options& options() const { return options_; }

private:
    std::optional<event::TimePoint> deadlineOf(Watch watch) const {
        if (watch == Watch::Yes) return std::nullopt;
        return loop_.clock().now() + options_.patience;
    }
    void queue(Request request);
    void send();
    bool send(Request request);
    void resolve();
    void onResolved(const Result<std::string>& addresses);
    void endPredecessor();
    void connect();
    void end(const clientid_t& session, std::function<void()> done);
    void onPumped();
    void onConnected();
    void onLost();
    void reopenSoon();
    void loseUnderWay();
    void watchDeadlines();
    void failOverdue();
    void knockLater();
    void knock();

    event::Loop& loop_;
    event::BlockingPool& pool_;
    const Options options_;
    Listener& listener_;
    std::string addresses_;
    std::unique_ptr<Connection> connection_;
    // Of end().
    std::unique_ptr<Connection> killer_;
    clientid_t killed_{};
    event::HandlePtr afterKill_;
    bool expiring_ = false;
    bool connected_ = false;
    bool reopening_ = false;
    bool closing_ = false;
    std::int64_t id_ = 0;
    std::deque<Request> waiting_;
    std::deque<Request> repeated_;  // their answers were lost; go before waiting_
    std::map<std::uint64_t, std::unique_ptr<Ticket>> underWay_;
    std::size_t unanswered_ = 0;
    std::uint64_t lastNumber_ = 0;
    event::HandlePtr deadlines_;
    event::HandlePtr knock_;  // set: somebody waited for an answer when it was started
    event::Duration untilKnock_ = kFirstKnock;
    bool answered_ = false;  // since then
    event::HandlePtr resolveAgain_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// What the C client calls: its tickets come back as `data`, the session as `context`.

Ticket* ticketOf(const void* data) { return static_cast<Ticket*>(const_cast<void*>(data)); }

void onZnodeEvent(zhandle_t*, int type, int, const char* path, void* context) {
    if (type != ZOO_SESSION_EVENT) static_cast<ClientSession*>(context)->onWatch(path);
}

/// Gives the answer of a request of this kind, or its error; `make` makes the value.
template <class R, class Make>
void answer(const void* data, int code, Make make) {
    const auto ticket = ticketOf(data)->session->take(ticketOf(data), code);
    if (ticket == nullptr) return;
    auto& request = std::get<R>(ticket->request->what);
    make(request, *ticket);
}

void onData(int code, const char* value, int length, const ::Stat* stat, const void* data) {
    answer<GetRequest>(data, code, [&](GetRequest& request, Ticket&) {
        if (code != ZOK) return request.answer(Unexpected{errorOf(code, request.path)});
        request.answer(Node{std::string(value == nullptr ? "" : value, length < 0 ? 0 : static_cast<std::size_t>(length)),
                            toStat(*stat)});
    });
}

void onStat(int code, const ::Stat* stat, const void* data) {
    answer<ExistsRequest>(data, code, [&](ExistsRequest& request, Ticket&) {
        if (code == ZNONODE) return request.answer(std::optional<Stat>{});
        if (code != ZOK) return request.answer(Unexpected{errorOf(code, request.path)});
        request.answer(std::optional(toStat(*stat)));
    });
}

void onChildren(int code, const String_vector* names, const void* data) {
    answer<ChildrenRequest>(data, code, [&](ChildrenRequest& request, Ticket&) {
        if (code != ZOK) return request.answer(Unexpected{errorOf(code, request.path)});
        request.answer(std::vector<std::string>(names->data, names->data + names->count));
    });
}

void onSynced(int code, const char*, const void* data) {
    answer<SyncRequest>(data, code, [&](SyncRequest& request, Ticket&) {
        if (code != ZOK) return request.answer(Unexpected{errorOf(code, "/")});
        request.answer(true);
    });
}

void onMulti(int code, const void* data) {
    answer<MultiRequest>(data, code, [&](MultiRequest& request, Ticket& ticket) {
        if (code == ZOK) {
            std::vector<Stat> stats;
            for (const auto& stat : ticket.stats) stats.push_back(toStat(stat));
            return request.answer(std::move(stats));
        }
        // Those before the one that failed have no error, those behind it one of their own.
        const auto failed = std::find_if(ticket.results.begin(), ticket.results.end(), [](const auto& r) { return r.err != ZOK; });
        const auto index = failed == ticket.results.end() ? 0 : static_cast<std::size_t>(failed - ticket.results.begin());
        request.answer(Unexpected{errorOf(code, request.operations[index].path)});
    });
}

void initialize(zoo_op_t& op, const Operation& operation, ::Stat& stat, bool owned) {
    const auto* path = operation.path.c_str();
    const auto* value = operation.value.data();
    const auto length = static_cast<int>(operation.value.size());
    const auto* acl = owned ? &ZOO_CREATOR_ALL_ACL : &ZOO_OPEN_ACL_UNSAFE;
    switch (operation.kind) {
        case Operation::Kind::Check: return ::zoo_check_op_init(&op, path, operation.version);
        case Operation::Kind::Create: return ::zoo_create_op_init(&op, path, value, length, acl, 0, nullptr, 0);
        case Operation::Kind::CreateEphemeral:
            return ::zoo_create_op_init(&op, path, value, length, acl, ZOO_EPHEMERAL, nullptr, 0);
        case Operation::Kind::CreateSequential:
            return ::zoo_create_op_init(&op, path, value, length, acl, ZOO_SEQUENCE, nullptr, 0);
        case Operation::Kind::Set: return ::zoo_set_op_init(&op, path, value, length, operation.version, &stat);
        case Operation::Kind::Delete: return ::zoo_delete_op_init(&op, path, operation.version);
    }
}

void ignoreAnswer(int, const ::Stat*, const void*) {}

int sendMulti(zhandle_t* handle, const MultiRequest& request, Ticket& ticket, bool owned) {
    const auto count = request.operations.size();
    std::vector<zoo_op_t> ops(count);
    ticket.results.resize(count);
    ticket.stats.resize(count);
    for (std::size_t i = 0; i < count; ++i) initialize(ops[i], request.operations[i], ticket.stats[i], owned);
    return ::zoo_amulti(handle, static_cast<int>(count), ops.data(), ticket.results.data(), onMulti, &ticket);
}

/// The same function and context for all: the C client then keeps one watcher for each path.
int sendTo(zhandle_t* handle, ClientSession* session, Ticket& ticket) {
    const auto watcher = [](Session::Watch watch) { return watch == Session::Watch::Yes ? onZnodeEvent : nullptr; };
    return std::visit(
        Overloaded{
            [&](GetRequest& r) { return ::zoo_awget(handle, r.path.c_str(), watcher(r.watch), session, onData, &ticket); },
            [&](ExistsRequest& r) { return ::zoo_awexists(handle, r.path.c_str(), watcher(r.watch), session, onStat, &ticket); },
            [&](ChildrenRequest& r) {
                return ::zoo_awget_children(handle, r.path.c_str(), watcher(r.watch), session, onChildren, &ticket);
            },
            [&](SyncRequest&) { return ::zoo_async(handle, "/", onSynced, &ticket); },
            [&](MultiRequest& r) { return sendMulti(handle, r, ticket, !session->options().user.empty()); }},
        ticket.request->what);
}

void ClientSession::multi(std::vector<Operation> operations, std::int64_t onlyIn, Answer<std::vector<Stat>> answer) {
    if (const auto bytes = bytesOf(operations); bytes > kMaxRequest)
        return loop_.post([bytes, answer = std::move(answer)] {
            answer(fail(ErrorCode::Invalid, "a change of {} bytes is too large for ZooKeeper, which takes {} at once: make it in parts",
                        bytes, kMaxRequest));
        });
    queue({MultiRequest{std::move(operations), onlyIn, std::move(answer)}, deadlineOf(Watch::No)});
}

void ClientSession::queue(Request request) {
    waiting_.push_back(std::move(request));
    if (connected_) connection_->pumpSoon();
}

void ClientSession::send() {
    while (connected_ && unanswered_ < kMaxUnderWay && !(repeated_.empty() && waiting_.empty())) {
        auto& from = repeated_.empty() ? waiting_ : repeated_;
        auto request = std::move(from.front());
        from.pop_front();
        if (!send(std::move(request))) return;
    }
}

/// False when the C client takes nothing now.
bool ClientSession::send(Request request) {
    if (auto* multi = std::get_if<MultiRequest>(&request.what); multi != nullptr && multi->onlyIn != 0 && multi->onlyIn != id_) {
        request.fail({ErrorCode::Stale, "the session was lost"});
        return true;
    }
    auto made = std::make_unique<Ticket>();
    made->session = this;
    made->number = ++lastNumber_;
    made->request = std::move(request);
    auto& ticket = *underWay_.emplace(made->number, std::move(made)).first->second;
    ++unanswered_;
    if (knock_ == nullptr) knockLater();
    const int code = sendTo(connection_->handle(), this, ticket);
    if (code == ZOK) return true;
    // Nothing was sent, and the C client has forgotten the ticket.
    const auto taken = std::move(underWay_.extract(ticket.number).mapped());
    --unanswered_;
    if (isLoss(code)) {
        repeated_.push_front(std::move(*taken->request));
        return false;
    }
    taken->request->fail(errorOf(code, "the request"));
    return true;
}

std::unique_ptr<Ticket> ClientSession::take(Ticket* ticket, int code) {
    if (closing_) return nullptr;
    auto taken = std::move(underWay_.extract(ticket->number).mapped());
    if (!taken->request) return nullptr;
    --unanswered_;
    answered_ = true;
    if (!isLoss(code)) return taken;
    if (taken->request->isMulti())
        taken->request->fail(kAnswerLost);
    else
        repeated_.push_back(std::move(*taken->request));
    return nullptr;
}

/// There will be no answers: the C client may tell only much later. Its tickets stay.
void ClientSession::loseUnderWay() {
    std::vector<Request> multis;
    for (auto& [number, ticket] : underWay_) {
        if (!ticket->request) continue;
        auto request = std::move(*std::exchange(ticket->request, std::nullopt));
        if (request.isMulti())
            multis.push_back(std::move(request));
        else
            repeated_.push_back(std::move(request));
    }
    unanswered_ = 0;
    for (auto& request : multis) request.fail(kAnswerLost);
}

void ClientSession::resolve() {
    auto addresses = std::make_shared<Result<std::string>>(fail(ErrorCode::Unavailable, "not resolved yet"));
    const bool queued = pool_.submit([addresses, hosts = options_.hosts] { *addresses = resolveHosts(hosts); }, loop_,
                                     [this, alive = alive_, addresses] {
                                         if (*alive) onResolved(*addresses);
                                     });
    if (!queued) onResolved(*addresses);
}

void ClientSession::onResolved(const Result<std::string>& addresses) {
    if (addresses && *addresses != addresses_) {
        addresses_ = *addresses;
        if (connection_ != nullptr) ::zoo_set_servers(connection_->handle(), addresses_.c_str());
    }
    if (connection_ != nullptr || killer_ != nullptr) return;
    if (!addresses_.empty()) return options_.predecessor ? endPredecessor() : connect();
    kLog.warn("waiting for the names of the servers", {kv("reason", addresses.error())});
    resolveAgain_ = loop_.after(kResolvePause, [this] { resolve(); });
}

void ClientSession::connect() {
    Connection::Options options{addresses_, options_.timeout, {}, nullptr};
    if (!options_.user.empty()) options.credentials = options_.user + ":" + options_.password;
    connection_ = std::make_unique<Connection>(loop_, options, [this] { onPumped(); });
}

void ClientSession::endPredecessor() {
    clientid_t session{options_.predecessor->id, {}};
    std::copy(options_.predecessor->password.begin(), options_.predecessor->password.end(), session.passwd);
    kLog.info("ending the session of the process before", {kv("session", fmt::format("{:#x}", session.client_id))});
    end(session, [this] { connect(); });
}

void ClientSession::onPumped() {
    const int state = connection_->state();
    const bool now = state == ZOO_CONNECTED_STATE;
    if (now && !connected_) onConnected();
    if (!now && connected_) onLost();
    if (now) send();
    if (state == ZOO_EXPIRED_SESSION_STATE || state == ZOO_AUTH_FAILED_STATE) reopenSoon();
}

void ClientSession::onConnected() {
    connected_ = true;
    deadlines_.reset();
    const auto id = ::zoo_client_id(connection_->handle())->client_id;
    const bool fresh = std::exchange(id_, id) != id;
    kLog.debug("connected", {kv("session", fmt::format("{:#x}", id)), kv("fresh", fresh)});
    listener_.onConnected(fresh);
    if (std::exchange(expiring_, false) && !fresh) expire();  // we were back too early
}

void ClientSession::onLost() {
    connected_ = false;
    kLog.debug("connection lost", {kv("session", fmt::format("{:#x}", id_))});
    watchDeadlines();
    loseUnderWay();
    listener_.onDisconnected();
    resolve();  // the servers may have moved
}

/// Not within a call of the connection that is to be closed.
void ClientSession::reopenSoon() {
    if (std::exchange(reopening_, true)) return;
    kLog.info("the session has expired, opening another one", {kv("session", fmt::format("{:#x}", id_))});
    loop_.post([this, alive = alive_] {
        if (!*alive) return;
        reopening_ = false;
        closing_ = true;
        connection_.reset();
        closing_ = false;
        loseUnderWay();
        underWay_.clear();
        connect();
    });
}

void ClientSession::watchDeadlines() {
    const auto period = std::clamp<event::Duration>(options_.patience / 8, 10ms, 500ms);
    deadlines_ = loop_.every(period, [this] { failOverdue(); });
}

void ClientSession::failOverdue() {
    const auto now = loop_.clock().now();
    std::vector<Request> overdue;
    for (auto* requests : {&repeated_, &waiting_}) {
        const auto late = std::stable_partition(requests->begin(), requests->end(),
                                                [now](const auto& r) { return !r.deadline || *r.deadline > now; });
        std::move(late, requests->end(), std::back_inserter(overdue));
        requests->erase(late, requests->end());
    }
    for (auto& request : overdue) request.fail(kNotConnected);
}

void ClientSession::knockLater() {
    answered_ = false;
    knock_ = loop_.after(untilKnock_, [this] { knock(); });
}

void ClientSession::knock() {
    knock_.reset();
    const bool waiting = connected_ && unanswered_ > 0;
    if (!waiting || answered_) {
        untilKnock_ = kFirstKnock;
    } else {
        ::zoo_aexists(connection_->handle(), "/", 0, ignoreAnswer, nullptr);
        connection_->pumpSoon();
        untilKnock_ = std::min(untilKnock_ * 2, kLastKnock);
    }
    if (waiting) knockLater();
}

SessionKey ClientSession::key() const {
    const auto& known = *::zoo_client_id(connection_->handle());
    SessionKey out{known.client_id, {}};
    std::copy_n(known.passwd, out.password.size(), out.password.begin());
    return out;
}

void ClientSession::expire() {
    if (id_ == 0 || connection_ == nullptr) return;
    expiring_ = true;
    connection_->freeze();
    end(*::zoo_client_id(connection_->handle()), [this] {
        if (connection_ != nullptr) connection_->thaw();
    });
}

/// The servers let one client at a time have a session: another one takes it over, and closes it.
void ClientSession::end(const clientid_t& session, std::function<void()> done) {
    killed_ = session;
    killer_ = std::make_unique<Connection>(loop_, Connection::Options{addresses_, options_.timeout, {}, &killed_}, [this, done] {
        const bool expired = killer_->state() == ZOO_EXPIRED_SESSION_STATE;
        if ((!killer_->connected() && !expired) || afterKill_ != nullptr) return;
        afterKill_ = loop_.after(expired ? event::Duration{} : kClosePause, [this, done] {
            afterKill_.reset();
            done();
        });
        loop_.post([this, alive = alive_] {
            if (*alive) killer_.reset();
        });
    });
}

}  // namespace

std::size_t bytesOf(const std::vector<Operation>& operations) {
    std::size_t bytes = 0;
    for (const auto& operation : operations) bytes += operation.path.size() + operation.value.size() + kBytesPerOperation;
    return bytes;
}

std::unique_ptr<Session> Session::open(event::Loop& loop, event::BlockingPool& pool, Options options, Listener& listener) {
    return std::make_unique<ClientSession>(loop, pool, std::move(options), listener);
}

}  // namespace midonet::zookeeper
