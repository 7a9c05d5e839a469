#include "nsdb/election.h"

#include <algorithm>

#include "nsdb/layout.h"

namespace midonet::nsdb {

Election::Election(Backend& backend, ObjectSession& session, std::string_view name,
                   std::function<void(bool)> callback)
    : session_(session),
      directory_(electionDirectory(name)),
      callback_(std::move(callback)),
      leaseStates_(session.onLeaseState([this](LeaseState state) { onLease(state); })),
      watch_(backend.watchDirectory(session.loop(), directory_, [this](const auto& change) {
          onCandidates(change);
      })) {
    stand();
}

Election::~Election() { session_.remove({directory_, candidate_}); }

/// Under a new name each time: the record of a lost lease, still in the cache, is not ours.
void Election::stand() {
    candidate_ = Uuid::random().toString();
    session_.put({directory_, candidate_}, session_.id().toString());
}

void Election::onCandidates(const DirectoryChange& change) {
    if (change.reset) candidates_.clear();
    for (const auto& entry : change.updated) candidates_[entry.name] = entry.version;
    for (const auto& name : change.removed) candidates_.erase(name);
    decide();
}

void Election::onLease(LeaseState state) {
    if (state.connected && state.fresh) {
        session_.remove({directory_, candidate_});
        stand();
    }
    decide();
}

void Election::decide() {
    const auto first =
        std::min_element(candidates_.begin(), candidates_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    const bool leader =
        session_.connected() && first != candidates_.end() && first->first == candidate_;
    if (leader == leader_) return;
    leader_ = leader;
    callback_(leader);
}

}  // namespace midonet::nsdb
