// A session whose lease is lost at moments that no real backend can be brought to reliably.
#include "nsdb/object_session.h"

#include <gmock/gmock.h>

#include "world.h"

namespace midonet::nsdb {
namespace {

using namespace std::chrono_literals;
using Kind = LeasedWrite::Kind;
using testing::ElementsAre;

/// Answers when the test says so, and only leased writes.
class ScriptedBackend final : public Backend {
public:
    bool readsBlock() const override { return true; }
    bool isolated() const override { return false; }
    Result<std::unique_ptr<Snapshot>> snapshot() override { return fail(ErrorCode::Unavailable, "there is nothing to read"); }
    Result<Revision> commit(Batch) override { return fail(ErrorCode::Unavailable, "there is nothing to write"); }
    Result<LogPart> changesSince(std::optional<Revision>) override { return fail(ErrorCode::Unavailable, "there is nothing to read"); }
    event::HandlePtr watchRecord(event::Loop&, RecordKey, RecordCallback) override { return nullptr; }
    event::HandlePtr watchDirectory(event::Loop&, std::string, DirectoryCallback) override { return nullptr; }
    std::unique_ptr<Lease> openLease(event::Loop&, const Uuid&, const SessionOptions&, LeaseCallback callback) override {
        tell = std::move(callback);
        return std::make_unique<ScriptedLease>(*this);
    }

    LeaseCallback tell;
    std::vector<LeasedWrite> writes;  ///< Of the newest submission.
    Lease::Done answer;

private:
    class ScriptedLease final : public Lease {
    public:
        explicit ScriptedLease(ScriptedBackend& backend) : backend_(backend) {}
        void submit(std::vector<LeasedWrite> writes, Done done) override {
            backend_.writes = std::move(writes);
            backend_.answer = std::move(done);
        }

    private:
        ScriptedBackend& backend_;
    };
};

class LostLease : public testing::Test {
protected:
    void SetUp() override { backend_.tell({true, true}); }
    void put(const std::string& value) { session_.put({"d", "key"}, value); }
    void run() { loop_->advance(2s); }
    void lose() {
        backend_.tell({false, false});
        backend_.tell({true, true});
    }
    std::vector<Kind> written() {
        run();
        std::vector<Kind> kinds;
        for (const auto& write : std::exchange(backend_.writes, {})) kinds.push_back(write.kind);
        return kinds;
    }

    std::unique_ptr<event::Loop> loop_ = event::Loop::createVirtual("test");
    ScriptedBackend backend_;
    ObjectSession session_{fleetSchema(), backend_, *loop_, {10s}};
};

TEST_F(LostLease, AWriteThatFailedForAnotherReasonSparesWhatOthersWroteSince) {
    put("old");
    ASSERT_THAT(written(), ElementsAre(Kind::Put));
    lose();
    backend_.answer(fail(ErrorCode::Unavailable, "there was no connection"));
    EXPECT_THAT(written(), ElementsAre(Kind::PutIfFree));
}

TEST_F(LostLease, AWriteThatWasDoneBeforeTheLossIsMadeAgain) {
    put("old");
    ASSERT_THAT(written(), ElementsAre(Kind::Put));
    lose();
    backend_.answer(std::vector<LeasedOutcome>(1));
    EXPECT_THAT(written(), ElementsAre(Kind::PutIfFree));
    backend_.answer(std::vector<LeasedOutcome>(1));
    EXPECT_THAT(written(), testing::IsEmpty());
}

TEST_F(LostLease, AWriteThatWaitsSparesWhatOthersWroteSince) {
    put("old");
    lose();
    EXPECT_THAT(written(), ElementsAre(Kind::PutIfFree));
}

TEST_F(LostLease, AWriteMadeSinceTakesTheRecord) {
    put("old");
    ASSERT_THAT(written(), ElementsAre(Kind::Put));
    lose();
    put("newer");
    backend_.answer(fail(ErrorCode::Stale, "the session was lost"));
    EXPECT_THAT(written(), ElementsAre(Kind::Put));
}

TEST_F(LostLease, AFirstLeaseSparesNothing) {
    ScriptedBackend backend;
    ObjectSession session(fleetSchema(), backend, *loop_, {10s});
    session.put({"d", "key"}, "first");
    backend.tell({true, true});
    run();
    ASSERT_EQ(backend.writes.size(), 1U);
    EXPECT_EQ(backend.writes.front().kind, Kind::Put);
}

}  // namespace
}  // namespace midonet::nsdb
