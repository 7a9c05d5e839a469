#include "nsdb/embedded/embedded_backend.h"

#include <utility>

#include "base/assert.h"
#include "nsdb/embedded/core.h"
#include "nsdb/object_store.h"

namespace midonet::nsdb::embedded {
namespace {

class EmbeddedLease final : public Lease {
public:
    EmbeddedLease(std::shared_ptr<Core> core, std::shared_ptr<HeldLease> lease)
        : core_(std::move(core)), lease_(std::move(lease)) {}
    ~EmbeddedLease() override {
        lease_->release();
        core_->letGo(lease_);
    }

    void submit(std::vector<LeasedWrite> writes, Done done) override {
        struct Submission {
            std::vector<LeasedWrite> writes;
            std::vector<LeasedOutcome> outcomes;
        };
        auto submission = std::make_shared<Submission>();
        submission->writes = std::move(writes);
        const auto isDead = [core = core_.get()](const LeaseRecord& holder) {
            return !core->leaseFolder().readBeats(holder);
        };
        core_->writer().submit(
            {[submission, isDead, id = lease_->id()](WriteTransaction& transaction) -> Result<void> {
                 submission->outcomes.clear();
                 if (!transaction.lease(id)) return fail(ErrorCode::Stale, "the session {} is lost", id);
                 for (const auto& write : submission->writes)
                     submission->outcomes.push_back(transaction.applyLeased(id, write, isDead));
                 return {};
             },
             [submission, lease = lease_, done = std::move(done)](const Result<Revision>& committed) {
                 Result<std::vector<LeasedOutcome>> result = std::move(submission->outcomes);
                 if (!committed) result = Unexpected{committed.error()};
                 lease->post([done, result = std::move(result)] { done(result); });
             }});
    }

private:
    std::shared_ptr<Core> core_;
    std::shared_ptr<HeldLease> lease_;
};

class EmbeddedBackend final : public Backend {
public:
    explicit EmbeddedBackend(std::shared_ptr<Core> core) : core_(std::move(core)) {}

    bool readsBlock() const override { return false; }
    bool isolated() const override { return true; }
    Result<std::unique_ptr<Snapshot>> snapshot() override { return core_->snapshot(); }
    Result<Revision> commit(Batch batch) override {
        return core_->writer().run([&batch](WriteTransaction& transaction) -> Result<void> {
            TRY_VOID(transaction.check(batch));
            transaction.apply(batch);
            return {};
        });
    }
    Result<LogPart> changesSince(std::optional<Revision> since) override { return core_->changesSince(since); }
    event::HandlePtr watchRecord(event::Loop& loop, RecordKey key, RecordCallback callback) override {
        return core_->watches().watchRecord(loop, std::move(key), std::move(callback));
    }
    event::HandlePtr watchDirectory(event::Loop& loop, std::string directory,
                                    DirectoryCallback callback) override {
        return core_->watches().watchDirectory(loop, std::move(directory), std::move(callback));
    }
    std::unique_ptr<Lease> openLease(event::Loop& loop, const Uuid& id, const SessionOptions& options,
                                     LeaseCallback callback) override {
        auto lease = std::make_shared<HeldLease>(loop, id, options.ttl, std::move(callback));
        core_->hold(lease);
        return std::make_unique<EmbeddedLease>(core_, std::move(lease));
    }

    Core& core() { return *core_; }

private:
    std::shared_ptr<Core> core_;
};

}  // namespace

Result<std::unique_ptr<Backend>> makeBackend(const EmbeddedOptions& options) {
    TRY(core, Core::open(options));
    return std::make_unique<EmbeddedBackend>(std::move(core));
}

Result<void> expireSession(Backend& backend, const Uuid& session) {
    auto* const embedded = dynamic_cast<EmbeddedBackend*>(&backend);
    MIDONET_ASSERT(embedded != nullptr, "the store is an embedded one");
    return embedded->core().expire(session);
}

}  // namespace midonet::nsdb::embedded

namespace midonet::nsdb {

Result<std::unique_ptr<Store>> openEmbedded(const EmbeddedOptions& options) {
    TRY(backend, embedded::makeBackend(options));
    return makeObjectStore(std::move(backend));
}

}  // namespace midonet::nsdb
