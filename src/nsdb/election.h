#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "nsdb/object_session.h"

namespace midonet::nsdb {

/// One candidate: its record stands in line with the others', the oldest leads. The session's loop.
class Election final : public event::Handle {
public:
    Election(Backend& backend, ObjectSession& session, std::string_view name,
             std::function<void(bool)> callback);
    ~Election() override;
    Election(const Election&) = delete;
    Election& operator=(const Election&) = delete;

private:
    void stand();
    void onCandidates(const DirectoryChange& change);
    void onLease(LeaseState state);
    void decide();

    ObjectSession& session_;
    const std::string directory_;
    std::function<void(bool)> callback_;
    std::string candidate_;
    std::map<std::string, Revision> candidates_;
    bool leader_ = false;
    event::HandlePtr leaseStates_;
    event::HandlePtr watch_;
};

}  // namespace midonet::nsdb
