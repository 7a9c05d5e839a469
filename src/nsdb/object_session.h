#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "model/schema.h"
#include "nsdb/backend.h"
#include "nsdb/store.h"

namespace midonet::nsdb {

/// A session above a backend's lease: remembers what it owns and what is still to be written, one
/// operation per record. Loop of its maker.
class ObjectSession final : public Session {
public:
    ObjectSession(const model::Schema& schema, Backend& backend, event::Loop& loop,
                  const SessionOptions& options);
    ~ObjectSession() override;
    ObjectSession(const ObjectSession&) = delete;
    ObjectSession& operator=(const ObjectSession&) = delete;

    const Uuid& id() const override { return id_; }
    bool connected() const override { return connected_; }
    void onConnectionChange(std::function<void(bool)> callback) override {
        onConnectionChange_ = std::move(callback);
    }
    void putState(Class type, const Uuid& id, std::string_view key, std::string value) override;
    void removeState(Class type, const Uuid& id, std::string_view key) override;
    void claimState(Class type, const Uuid& id, std::string_view key, std::string value,
                    std::function<void(Result<void>)> answer) override;
    void learn(std::string_view table, std::string_view key, std::string value) override;
    void forget(std::string_view table, std::string_view key) override;
    void flush(std::function<void()> done) override;

    event::Loop& loop() { return loop_; }
    /// Any record under this session's lease, written again after a lost lease.
    void put(RecordKey key, std::string value);
    void remove(RecordKey key);
    /// Told of each lease state, before the session writes again; until the handle is destroyed.
    [[nodiscard]] event::HandlePtr onLeaseState(std::function<void(LeaseState)> callback);

private:
    using Kind = LeasedWrite::Kind;
    using Answer = std::function<void(Result<void>)>;
    struct Operation {
        Kind kind = Kind::Put;
        std::string value;
        RecordKey object;
        Answer answer;
        std::uint64_t number = 0;  ///< Of the first one not yet in the store.
    };
    using Operations = std::map<RecordKey, Operation>;
    /// What the store should hold under our lease.
    struct Owned {
        std::string value;
        RecordKey object;
        Answer answer;  ///< Of a claim: told again when it is taken again.
    };
    struct Listeners;

    void queue(RecordKey key, Operation operation);
    void submit();
    void onSubmitted(Result<std::vector<LeasedOutcome>> result);
    void settle(const RecordKey& key, Operation& operation, const LeasedOutcome& outcome);
    void requeueInFlight();
    void onLeaseLost();
    /// No Put any more: only what is free.
    static void spare(Operations& operations);
    void retryLater();
    void onLease(LeaseState state);
    void reassert();
    void finishFlushes();

    const model::Schema& schema_;
    event::Loop& loop_;
    const Uuid id_;
    bool connected_ = false;
    std::function<void(bool)> onConnectionChange_;
    std::shared_ptr<Listeners> listeners_;
    std::map<RecordKey, Owned> owned_;
    Operations pending_;
    Operations inFlight_;
    bool submitting_ = false;
    bool opened_ = false;    // a lease was, once
    bool outdated_ = false;  // what is in flight was for a lease that is lost
    event::Duration retryPause_;
    event::HandlePtr retry_;
    std::uint64_t lastNumber_ = 0;
    std::map<std::uint64_t, std::vector<std::function<void()>>> flushes_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::unique_ptr<Lease> lease_;  // last: its callbacks use the rest
};

}  // namespace midonet::nsdb
