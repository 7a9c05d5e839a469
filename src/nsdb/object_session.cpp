#include "nsdb/object_session.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "nsdb/layout.h"

namespace midonet::nsdb {
namespace {

using namespace std::chrono_literals;

constexpr Logger kLog{"nsdb"};
constexpr event::Duration kFirstPause = 50ms;
constexpr event::Duration kLongestPause = 1s;

}  // namespace

struct ObjectSession::Listeners {
    std::uint64_t lastId = 0;
    std::map<std::uint64_t, std::function<void(LeaseState)>> all;
};

ObjectSession::ObjectSession(const model::Schema& schema, Backend& backend, event::Loop& loop,
                             const SessionOptions& options)
    : schema_(schema),
      loop_(loop),
      id_(Uuid::random()),
      listeners_(std::make_shared<Listeners>()),
      retryPause_(kFirstPause),
      lease_(backend.openLease(loop, id_, options, [this](LeaseState state) { onLease(state); })) {}

ObjectSession::~ObjectSession() { *alive_ = false; }

void ObjectSession::putState(Class type, const Uuid& id, std::string_view key, std::string value) {
    const auto& schema = schema_.of(type);
    queue({stateDirectory(schema, id), encodeName(key)},
          {Kind::Put, std::move(value), objectKey(schema, id), {}, 0});
}

void ObjectSession::removeState(Class type, const Uuid& id, std::string_view key) {
    remove({stateDirectory(schema_.of(type), id), encodeName(key)});
}

void ObjectSession::claimState(Class type, const Uuid& id, std::string_view key, std::string value,
                               std::function<void(Result<void>)> answer) {
    const auto& schema = schema_.of(type);
    queue({stateDirectory(schema, id), encodeName(key)},
          {Kind::PutIfFree, std::move(value), objectKey(schema, id), std::move(answer), 0});
}

void ObjectSession::learn(std::string_view table, std::string_view key, std::string value) {
    queue({tableDirectory(table), tableRecordName(TableSlot::Learned, key)},
          {Kind::Put, std::move(value), ownerOfTable(schema_, table).value_or(RecordKey{}), {}, 0});
}

void ObjectSession::forget(std::string_view table, std::string_view key) {
    remove({tableDirectory(table), tableRecordName(TableSlot::Learned, key)});
}

void ObjectSession::put(RecordKey key, std::string value) {
    queue(std::move(key), {Kind::Put, std::move(value), {}, {}, 0});
}

void ObjectSession::remove(RecordKey key) { queue(std::move(key), {Kind::Remove, {}, {}, {}, 0}); }

void ObjectSession::flush(std::function<void()> done) {
    flushes_[lastNumber_].push_back(std::move(done));
    loop_.post([this, alive = alive_] {
        if (*alive) finishFlushes();
    });
}

event::HandlePtr ObjectSession::onLeaseState(std::function<void(LeaseState)> callback) {
    class ListenerHandle final : public event::Handle {
    public:
        ListenerHandle(std::shared_ptr<Listeners> listeners, std::uint64_t id)
            : listeners_(std::move(listeners)), id_(id) {}
        ~ListenerHandle() override { listeners_->all.erase(id_); }

    private:
        std::shared_ptr<Listeners> listeners_;
        std::uint64_t id_;
    };
    const auto id = ++listeners_->lastId;
    listeners_->all.emplace(id, std::move(callback));
    return std::make_unique<ListenerHandle>(listeners_, id);
}

void ObjectSession::queue(RecordKey key, Operation operation) {
    if (const auto valid = checkKey(key); !valid) {
        kLog.error("state is not written", {kv("reason", valid.error())});
        if (operation.answer)
            loop_.post([answer = std::move(operation.answer), valid] { answer(valid); });
        return;
    }
    operation.number = ++lastNumber_;
    if (operation.kind == Kind::Remove)
        owned_.erase(key);
    else
        owned_[key] = Owned{operation.value, operation.object,
                            operation.kind == Kind::PutIfFree ? operation.answer : Answer{}};

    const auto [slot, added] = pending_.try_emplace(std::move(key));
    auto superseded = std::exchange(slot->second, std::move(operation));
    if (!added) {
        slot->second.number = superseded.number;
        if (superseded.answer)
            loop_.post([answer = std::move(superseded.answer)] {
                answer(fail(ErrorCode::Conflict, "replaced by a later write of the same session"));
            });
    }
    submit();
}

/// Collects until the loop comes round, so that what belongs together is one write.
void ObjectSession::submit() {
    if (submitting_ || !connected_ || retry_ != nullptr || pending_.empty()) return;
    submitting_ = true;
    loop_.post([this, alive = alive_] {
        if (!*alive) return;
        inFlight_ = std::exchange(pending_, {});
        std::vector<LeasedWrite> writes;
        writes.reserve(inFlight_.size());
        for (const auto& [key, operation] : inFlight_)
            writes.push_back({operation.kind, key, operation.value, operation.object});
        lease_->submit(std::move(writes), [this](auto result) { onSubmitted(std::move(result)); });
    });
}

void ObjectSession::onSubmitted(Result<std::vector<LeasedOutcome>> result) {
    submitting_ = false;
    // Whatever became of it: what was written under the former lease is gone with it.
    if (std::exchange(outdated_, false)) {
        requeueInFlight();
        return submit();
    }
    if (!result) {
        if (result.error().code == ErrorCode::Stale) spare(inFlight_);
        requeueInFlight();
        if (result.error().code == ErrorCode::Exhausted)
            kLog.warn("state cannot be written, trying again", {kv("reason", result.error())});
        return retryLater();
    }
    retryPause_ = kFirstPause;
    auto done = std::exchange(inFlight_, {});
    std::size_t i = 0;
    const auto alive = alive_;
    for (auto& [key, operation] : done) {
        settle(key, operation, (*result)[i++]);
        if (!*alive) return;
    }
    finishFlushes();
    if (*alive) submit();
}

void ObjectSession::settle(const RecordKey& key, Operation& operation,
                           const LeasedOutcome& outcome) {
    using Outcome = LeasedOutcome::Kind;
    const bool newer = pending_.contains(key);
    if (outcome.kind != Outcome::Done && !newer) owned_.erase(key);
    if (!operation.answer) return;
    switch (outcome.kind) {
        case Outcome::Done: return operation.answer({});
        case Outcome::Held:
            return operation.answer(
                fail(ErrorCode::Conflict, "{} is held by session {}", key.name, outcome.holder));
        case Outcome::NoObject:
            return operation.answer(
                fail(ErrorCode::NotFound, "{} does not exist", operation.object.name));
    }
}

void ObjectSession::requeueInFlight() {
    for (auto& [key, operation] : std::exchange(inFlight_, {})) {
        const auto number = operation.number;
        const auto [slot, added] = pending_.try_emplace(key, std::move(operation));
        if (!added) slot->second.number = number;
    }
}

void ObjectSession::retryLater() {
    retry_ = loop_.after(retryPause_, [this] {
        retry_.reset();
        submit();
    });
    retryPause_ = std::min(retryPause_ * 2, kLongestPause);
}

void ObjectSession::onLease(LeaseState state) {
    const auto alive = alive_;
    const bool changed = connected_ != state.connected;
    connected_ = state.connected;
    const auto listeners = listeners_->all;
    for (const auto& [id, listener] : listeners)
        if (*alive && listeners_->all.contains(id)) listener(state);
    if (!*alive) return;
    if (state.connected) {
        if (state.fresh && std::exchange(opened_, true)) onLeaseLost();
        retry_.reset();
        retryPause_ = kFirstPause;
        submit();
    }
    if (changed && onConnectionChange_) onConnectionChange_(state.connected);
}

/// What was not written yet is as old as what was owned: it spares what others wrote since.
void ObjectSession::onLeaseLost() {
    outdated_ = !inFlight_.empty();
    spare(inFlight_);
    spare(pending_);
    reassert();
}

void ObjectSession::spare(Operations& operations) {
    for (auto& [key, operation] : operations)
        if (operation.kind == Kind::Put) operation.kind = Kind::PutIfFree;
}

/// Only what is free: who wrote it since is newer than what we knew.
void ObjectSession::reassert() {
    for (const auto& [key, owned] : owned_) {
        if (pending_.contains(key) || inFlight_.contains(key)) continue;
        pending_.emplace(
            key, Operation{Kind::PutIfFree, owned.value, owned.object, owned.answer, ++lastNumber_});
    }
}

void ObjectSession::finishFlushes() {
    auto oldest = lastNumber_ + 1;
    for (const auto* operations : {&pending_, &inFlight_})
        for (const auto& [key, operation] : *operations) oldest = std::min(oldest, operation.number);
    const auto alive = alive_;
    while (*alive && !flushes_.empty() && flushes_.begin()->first < oldest) {
        auto done = std::move(flushes_.begin()->second);
        flushes_.erase(flushes_.begin());
        for (const auto& callback : done) callback();
    }
}

}  // namespace midonet::nsdb
