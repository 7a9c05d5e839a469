#pragma once

#include <functional>
#include <string>
#include <vector>

#include "event/blocking_pool.h"
#include "event/loop.h"
#include "host/interfaces.h"
#include "nsdb/store.h"

namespace midonet::host {

/// Makes this host known: takes its "alive" entry for this agent's session, creates the Host
/// object when there is none (or corrects its name), and reports the interfaces. While another
/// live agent has the same host id this one waits, says so once in the log and in the host's
/// "conflict" state, and tries again every second. Reference section 9.5.
///
/// Control loop; transactions run on `pool`, which ends before this does.
class Registration {
public:
    struct Identity {
        HostId id;
        std::string name;
        std::string version;
    };
    static constexpr std::chrono::seconds kRetryPeriod{1};

    enum class Time : std::uint8_t { First, Again };
    /// `onRegistered` is called when the host is alive and its object exists; again each time another agent had the host
    /// meanwhile, whose reports have taken the place of ours.
    Registration(event::Loop& loop, event::BlockingPool& pool, nsdb::Store& store, nsdb::Session& session,
                 Identity identity, std::function<void(Time)> onRegistered);
    ~Registration();
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

    void setInterfaces(const std::vector<Interface>& interfaces);
    /// It was, at least once.
    bool registered() const { return registered_; }
    /// Why it is not registered; empty when it is.
    const std::string& problem() const { return problem_; }

private:
    void claim();
    void onClaim(const Result<void>& answer);
    enum class Write : std::uint8_t { IfAbsent, Name };
    void writeHost(Write what);
    void onHostWritten(Write what, const Result<nsdb::Revision>& written);
    void setProblem(std::string problem);
    void retry(std::function<void()> step);

    event::Loop& loop_;
    event::BlockingPool& pool_;
    nsdb::Store& store_;
    nsdb::Session& session_;
    const Identity identity_;
    std::function<void(Time)> onRegistered_;

    bool registered_ = false;
    bool conflictReported_ = false;
    std::string problem_;
    std::string reportedState_;
    event::HandlePtr retry_;
    std::shared_ptr<Registration*> self_;  // emptied at the end: answers may come later
};

}  // namespace midonet::host
