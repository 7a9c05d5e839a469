#include "nsdb/zookeeper/lease_writer.h"

#include <algorithm>

#include "nsdb/zookeeper/batch_writer.h"
#include "nsdb/zookeeper/leased_value.h"

namespace midonet::nsdb::zookeeper {
namespace {

/// As many in one multi: it goes ten times as fast as one by one.
constexpr std::size_t kTogether = 100;

}  // namespace

Result<std::vector<LeasedOutcome>> LeaseWriter::apply(std::span<const LeasedWrite> writes) {
    Outcomes outcomes;
    for (std::size_t begin = 0; begin < writes.size(); begin += kTogether)
        TRY_VOID(applySome(writes.subspan(begin, std::min(kTogether, writes.size() - begin)), outcomes));
    return outcomes;
}

/// Each stands for itself: what cannot be done together is done in halves.
Result<void> LeaseWriter::applySome(std::span<const LeasedWrite> writes, Outcomes& outcomes) {
    auto care = Care::Hasty;
    for (int i = 0; i < kOvertakenAttempts; ++i) {
        TRY(done, attempt(writes, care));
        if (done) {
            outcomes.insert(outcomes.end(), done->begin(), done->end());
            return {};
        }
        if (std::exchange(care, Care::Careful) == Care::Hasty) continue;
        if (writes.size() > 1) {
            TRY_VOID(applySome(writes.first(writes.size() / 2), outcomes));
            return applySome(writes.subspan(writes.size() / 2), outcomes);
        }
    }
    return fail(ErrorCode::Unavailable, "others keep changing {}", writes.front().key.name);
}

/// What is written is checked by the multi. Where reading decides, it must not be older than what this process has seen elsewhere.
Result<std::optional<LeaseWriter::Outcomes>> LeaseWriter::attempt(std::span<const LeasedWrite> writes, Care care) {
    Look look(client_, care);
    Changes changes(paths_, look);
    for (const auto& write : writes) {
        changes.askValueToWrite(write.key);
        if (!write.object.name.empty()) changes.askToCheckPresent(write.object);
    }
    TRY_VOID(changes.read());
    Outcomes outcomes;
    for (const auto& write : writes) {
        const auto outcome = plan(write, look, changes);
        if (!outcome.certain && care == Care::Hasty) return std::nullopt;
        outcomes.push_back(outcome.value);
    }
    const auto steps = changes.take();
    if (steps.empty()) return outcomes;
    const auto done = client_.write(steps, session_);
    if (done) return outcomes;
    // Stale is also what is said when the session was lost. Noticed at the next call, by its new id.
    if (done.error().code == ErrorCode::Stale && client_.sessionId() != session_) return Unexpected{done.error()};
    if (wasOvertaken(done.error())) return std::nullopt;
    return Unexpected{done.error()};
}

LeaseWriter::Planned LeaseWriter::plan(const LeasedWrite& write, const Look& look, Changes& changes) const {
    using Kind = LeasedWrite::Kind;
    const auto* present = look.at(paths_.record(write.key));
    const bool ours = present != nullptr && present->stat.owner == session_;
    if (write.kind == Kind::Remove) {
        if (ours) changes.remove(write.key);
        return {{}, ours};
    }
    const bool ofObject = !write.object.name.empty();
    if (ofObject && look.at(paths_.record(write.object)) == nullptr) return {{LeasedOutcome::Kind::NoObject, {}}, false};
    const auto [holder, value] = present == nullptr ? std::pair{Uuid{}, std::string_view{}} : splitValue(present->stat, present->value);
    // What our own former session left is not somebody else's.
    if (write.kind == Kind::PutIfFree && present != nullptr && !ours && holder != lease_)
        return {{LeasedOutcome::Kind::Held, holder}, false};
    if (ours && value == write.value) return {{}, false};
    if (ofObject) changes.checkPresent(write.object);
    changes.putLeased(write.key, leasedValue(lease_, write.value), session_);
    return {{}, true};
}

}  // namespace midonet::nsdb::zookeeper
