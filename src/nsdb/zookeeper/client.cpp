#include "nsdb/zookeeper/client.h"

#include <algorithm>
#include <future>
#include <utility>

#include "base/assert.h"
#include "base/log.h"

namespace midonet::nsdb::zookeeper {
namespace {

using namespace std::chrono_literals;

constexpr Logger kLog{"nsdb"};
/// A marker nobody has written for so long is of a client that is gone; who still had it makes another one.
constexpr std::int64_t kStrayMs = std::int64_t{24} * 3600 * 1000;
constexpr std::string_view kFence = "fence";

Unexpected closed() { return fail(ErrorCode::Unavailable, "the store is closed"); }

using Answers = std::vector<std::optional<Client::Found>>;

/// Collects the answers; the last one calls `done`.
struct Gathering {
    Answers answers;
    std::size_t missing = 0;
    std::optional<Error> error;
    zk::Session::Answer<Answers> done;

    template <class T>
    void take(std::size_t i, Result<T>& result, Client::Found (*found)(T&)) {
        if (result)
            answers[i] = found(*result);
        else if (result.error().code != ErrorCode::NotFound)
            error = result.error();
        arrived();
    }
    void arrived() {
        if (--missing > 0) return;
        if (error) return done(Unexpected{*error});
        done(std::move(answers));
    }
};

void ask(zk::Session& session, const Client::Question& question, std::size_t i, const std::shared_ptr<Gathering>& all) {
    constexpr auto kNo = zk::Session::Watch::No;
    switch (question.what) {
        case Client::Question::What::Stat:
            return session.exists(question.path, kNo, [all, i](Result<std::optional<zk::Stat>> result) {
                if (result && !*result) return all->arrived();
                all->take<std::optional<zk::Stat>>(i, result, [](auto& stat) { return Client::Found{*stat, {}, {}}; });
            });
        case Client::Question::What::Value:
            return session.get(question.path, kNo, [all, i](Result<zk::Node> result) {
                all->take<zk::Node>(i, result, [](auto& node) { return Client::Found{node.stat, std::move(node.value), {}}; });
            });
        case Client::Question::What::Children:
            return session.children(question.path, kNo, [all, i](Result<std::vector<std::string>> result) {
                all->take<std::vector<std::string>>(i, result, [](auto& names) { return Client::Found{{}, {}, std::move(names)}; });
            });
    }
}

std::shared_ptr<Gathering> gather(std::size_t count, zk::Session::Answer<Answers> done) {
    auto all = std::make_shared<Gathering>();
    all->answers.resize(count);
    all->missing = count;
    all->done = std::move(done);
    return all;
}

void askAll(zk::Session& session, const std::vector<Client::Question>& questions, const std::shared_ptr<Gathering>& all) {
    for (std::size_t i = 0; i < questions.size(); ++i) ask(session, questions[i], i, all);
}

}  // namespace

Client::Client(event::Loop& loop, event::BlockingPool& pool, zk::Session::Options options, std::string markerFolder)
    : loop_(loop), pool_(pool), options_(std::move(options)), markerFolder_(std::move(markerFolder)) {}

Client::~Client() { MIDONET_ASSERT(session_ == nullptr, "a client is closed before it goes"); }

void Client::open(std::shared_ptr<zk::Session::Listener> listener) {
    loop_.post([self = shared_from_this(), listener = std::move(listener)]() mutable {
        self->listener_ = std::move(listener);
        self->session_ = zk::Session::open(self->loop_, self->pool_, self->options_, *self->listener_);
    });
}

void Client::close() {
    loop_.post([self = shared_from_this()] {
        if (self->session_ == nullptr) return;
        std::vector<Marker> markers;
        {
            const std::lock_guard lock(self->mutex_);
            markers = std::exchange(self->markers_, {});
        }
        for (auto& marker : markers)
            self->session_->multi({{zk::Operation::Kind::Delete, std::move(marker.path), {}, marker.version}}, 0, [](const auto&) {});
        self->session_.reset();
        self->listener_.reset();
    });
}

template <class T>
Result<T> Client::await(std::function<void(zk::Session&, zk::Session::Answer<T>)> ask) {
    MIDONET_ASSERT(!loop_.isCurrent(), "who waits for the loop is not the loop");
    const auto answer = std::make_shared<std::promise<Result<T>>>();
    loop_.post([self = shared_from_this(), ask = std::move(ask), answer] {
        if (self->session_ == nullptr) return answer->set_value(closed());
        {
            const std::lock_guard lock(self->mutex_);
            self->sessionId_ = self->session_->id();
        }
        ask(*self->session_, [answer](Result<T> result) { answer->set_value(std::move(result)); });
    });
    return answer->get_future().get();
}

Result<void> Client::sync() {
    TRY(done, await<bool>([](zk::Session& session, auto answer) { session.sync(std::move(answer)); }));
    static_cast<void>(done);
    return {};
}

Result<std::vector<std::optional<Client::Found>>> Client::read(std::vector<Question> questions) {
    if (questions.empty()) return Answers{};
    return await<Answers>([questions = std::move(questions)](zk::Session& session, auto done) {
        askAll(session, questions, gather(questions.size(), std::move(done)));
    });
}

/// The servers answer the requests of a session in order, so nobody waits in between.
Result<std::vector<std::optional<Client::Found>>> Client::readSynced(std::vector<Question> questions) {
    return await<Answers>([questions = std::move(questions)](zk::Session& session, auto done) {
        const auto all = gather(questions.size(), std::move(done));
        ++all->missing;
        session.sync([all](const Result<bool>& synced) {
            if (!synced) all->error = synced.error();
            all->arrived();
        });
        askAll(session, questions, all);
    });
}

Result<std::vector<zk::Stat>> Client::multi(std::vector<zk::Operation> operations, std::int64_t onlyIn) {
    return await<std::vector<zk::Stat>>([operations = std::move(operations), onlyIn](zk::Session& session, auto answer) {
        session.multi(operations, onlyIn, std::move(answer));
    });
}

Result<void> Client::check(std::vector<zk::Operation> operations) {
    for (const auto deadline = std::chrono::steady_clock::now() + options_.patience;;) {
        const auto done = multi(operations, 0);
        if (done) return {};
        if (done.error().code != ErrorCode::Timeout) return Unexpected{done.error()};
        if (std::chrono::steady_clock::now() > deadline) return fail(ErrorCode::Unavailable, "{}", done.error().message);
    }
}

Result<Revision> Client::write(const std::vector<zk::Operation>& operations, std::int64_t onlyIn) {
    const auto deadline = std::chrono::steady_clock::now() + 2 * options_.patience;
    do {
        TRY(marker, takeMarker());
        const auto tag = Uuid::random().toString();
        auto all = operations;
        all.push_back({zk::Operation::Kind::Set, marker.path, tag, marker.version});
        const auto done = multi(std::move(all), onlyIn);
        if (done) {
            ++marker.version;
            giveBack(std::move(marker));
            const auto revision = static_cast<Revision>(done->back().modified);
            see(revision);
            return revision;
        }
        if (done.error().code != ErrorCode::Timeout) {
            // Somebody may have taken it for a stray: then it is not given back, and the next one is made.
            const bool lost = done.error().code == ErrorCode::NotFound && done.error().message.starts_with(marker.path);
            if (lost) continue;
            giveBack(std::move(marker));
            return Unexpected{done.error()};
        }
        auto outcome = outcomeOf(marker, tag);
        if (!outcome) return Unexpected{outcome.error()};
        giveBack(std::move(marker));
        if (!*outcome) continue;
        see(**outcome);
        return **outcome;
    } while (std::chrono::steady_clock::now() < deadline);
    return fail(ErrorCode::Unavailable, "the connection to the ZooKeeper servers is lost again and again; the change was not made");
}

/// Reads the marker. Still as it was: writes a fence, so that a multi that is on its way yet cannot be done any more.
Result<std::optional<Revision>> Client::outcomeOf(Marker& marker, const std::string& tag) {
    const auto unknown = [](const Error& error) {
        return fail(ErrorCode::Unavailable, "{}, so it is not known whether the change was made", error.message);
    };
    while (true) {
        if (const auto synced = sync(); !synced) return unknown(synced.error());
        auto found = read({{marker.path, Question::What::Value}});
        if (!found) return unknown(found.error());
        const auto& now = found->front();
        if (!now) return fail(ErrorCode::Unavailable, "{} is gone, so it is not known whether the change was made", marker.path);
        if (now->stat.version != marker.version) {
            marker.version = now->stat.version;
            if (now->value != tag) return std::optional<Revision>{};
            return std::optional(static_cast<Revision>(now->stat.modified));
        }
        const auto fenced = multi({{zk::Operation::Kind::Set, marker.path, std::string(kFence), marker.version}}, 0);
        if (!fenced && fenced.error().code == ErrorCode::Unavailable) return unknown(fenced.error());
    }
}

Result<Client::Marker> Client::takeMarker() {
    {
        const std::lock_guard lock(mutex_);
        if (!markers_.empty()) {
            auto marker = std::move(markers_.back());
            markers_.pop_back();
            return marker;
        }
    }
    // Lost answer: a stray more, and another try.
    for (const auto deadline = std::chrono::steady_clock::now() + options_.patience;;) {
        Marker marker{fmt::format("{}/{}", markerFolder_, Uuid::random()), 0};
        const auto made = multi({{zk::Operation::Kind::Create, marker.path, {}, zk::kAnyVersion}}, 0);
        if (made) return marker;
        if (made.error().code != ErrorCode::Timeout) return Unexpected{made.error()};
        if (std::chrono::steady_clock::now() > deadline) return fail(ErrorCode::Unavailable, "{}", made.error().message);
    }
}

void Client::giveBack(Marker marker) {
    const std::lock_guard lock(mutex_);
    markers_.push_back(std::move(marker));
}

bool Client::connected() const {
    const std::lock_guard lock(mutex_);
    return connected_;
}

void Client::setConnected(bool connected) {
    const std::lock_guard lock(mutex_);
    connected_ = connected;
}

std::int64_t Client::sessionId() const {
    const std::lock_guard lock(mutex_);
    return sessionId_;
}

Revision Client::newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
}

void Client::see(Revision revision) {
    const std::lock_guard lock(mutex_);
    newest_ = std::max(newest_, revision);
}

bool Client::knowsLasting(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    return lasting_.contains(path);
}

void Client::noteLasting(const std::string& path) {
    const std::lock_guard lock(mutex_);
    lasting_.insert(path);
}

void Client::removeStrays() {
    auto own = takeMarker();
    if (!own) return;
    const auto listed = read({{markerFolder_, Question::What::Children}});
    if (!listed || !listed->front()) return giveBack(std::move(*own));
    std::vector<Question> questions{{own->path, Question::What::Stat}};
    for (const auto& name : listed->front()->children) questions.push_back({markerFolder_ + '/' + name, Question::What::Stat});
    const auto stats = read(questions);
    giveBack(std::move(*own));
    if (!stats || !stats->front()) return;
    const auto now = stats->front()->stat.modifiedMs;  // just made: the servers' clock
    for (std::size_t i = 1; i < questions.size(); ++i) {
        const auto& found = (*stats)[i];
        if (!found || now - found->stat.modifiedMs < kStrayMs) continue;
        kLog.info("removing the marker of a client that is gone", {kv("marker", questions[i].path)});
        static_cast<void>(multi({{zk::Operation::Kind::Delete, questions[i].path, {}, found->stat.version}}, 0));
    }
}

}  // namespace midonet::nsdb::zookeeper
