#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rest/list_query.h"
#include "rest/resource.h"

namespace midonet::rest {

/// The objects of a list; `objects` as well where reading them one by one would cost a round trip each.
struct Listing {
    std::vector<Uuid> ids;
    std::vector<std::shared_ptr<const Message>> objects{};
};

/// Writes a list of objects as JSON, piece by piece: a long one is never in memory as a whole. Each piece has reads of its own,
/// as a slow client must not hold the store's moment: every object is whole, one that went meanwhile is left out, one that came is
/// not in it. One thread at a time.
class ListText {
public:
    ListText(ScopedStore store, const Resource& resource, std::string base, Listing listing, ListQuery query);

    /// The next piece; empty: the list is at its end.
    Outcome<std::string> next();
    Outcome<std::string> next(nsdb::View& view);
    bool ended() const { return ended_; }
    /// With a limit, once ended: the last object, when more follow it.
    const std::optional<Uuid>& lastOfPage() const { return lastOfPage_; }

private:
    Outcome<void> readAhead(nsdb::View& view, std::size_t end);
    Outcome<void> write(const Show& out, std::size_t index);

    const ScopedStore store_;
    const Resource& resource_;
    const std::string base_;
    const Listing listing_;
    const ListQuery query_;
    model::JsonWriter json_;
    std::size_t position_ = 0;
    std::size_t written_ = 0;
    Uuid last_;
    bool begun_ = false;
    bool ended_ = false;
    std::optional<Uuid> lastOfPage_;
};

}  // namespace midonet::rest
