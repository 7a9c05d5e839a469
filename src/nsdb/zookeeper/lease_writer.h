#pragma once

#include <span>
#include <vector>

#include "nsdb/zookeeper/changes.h"

namespace midonet::nsdb::zookeeper {

/// Writes records under a lease. Blocks; any thread but the loop.
class LeaseWriter {
public:
    /// `session`: the one that holds the lease now.
    LeaseWriter(Client& client, const Paths& paths, const Uuid& lease, std::int64_t session)
        : client_(client), paths_(paths), lease_(lease), session_(session) {}

    /// One outcome for each write. Stale when the session was lost.
    Result<std::vector<LeasedOutcome>> apply(std::span<const LeasedWrite> writes);

private:
    using Outcomes = std::vector<LeasedOutcome>;
    using Care = Look::Care;
    Result<void> applySome(std::span<const LeasedWrite> writes, Outcomes& outcomes);
    /// nullopt: overtaken, or to be looked at with care.
    Result<std::optional<Outcomes>> attempt(std::span<const LeasedWrite> writes, Care care);
    struct Planned {
        LeasedOutcome value;
        bool certain = false;  // as soon as it is written; else only as far as what was read is
    };
    Planned plan(const LeasedWrite& write, const Look& look, Changes& changes) const;

    Client& client_;
    const Paths& paths_;
    const Uuid lease_;
    const std::int64_t session_;
};

}  // namespace midonet::nsdb::zookeeper
