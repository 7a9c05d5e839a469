#include "rest/list_text.h"

#include <algorithm>

namespace midonet::rest {
namespace {

/// About 200 KiB of ports.
constexpr std::size_t kPieceObjects = 256;
constexpr std::size_t kPieceBytes = 256 * 1024;

/// Pages follow the order of ids.
Listing inPages(Listing listing, const ListQuery& query) {
    if (!query.limit()) return listing;
    auto& ids = listing.ids;
    listing.objects.clear();
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    if (!query.after().isNil()) ids.erase(ids.begin(), std::upper_bound(ids.begin(), ids.end(), query.after()));
    return listing;
}

}  // namespace

ListText::ListText(ScopedStore store, const Resource& resource, std::string base, Listing listing, ListQuery query)
    : store_(std::move(store)), resource_(resource), base_(std::move(base)), listing_(inPages(std::move(listing), query)), query_(std::move(query)) {}

Outcome<std::string> ListText::next() {
    if (ended_) return std::string{};
    GET_OR_REFUSE(view, store_.view());
    return next(*view);
}

/// A piece without text would be taken for the end, so where few objects are as asked for, it is of more of them.
Outcome<std::string> ListText::next(nsdb::View& view) {
    if (!std::exchange(begun_, true)) json_.beginArray();
    const Show out{.view = view, .base = base_, .json = json_, .toTenant = store_.isOfTenant()};
    if (listing_.ids.size() > kPieceObjects) json_.reserve(kPieceBytes);
    do {
        const auto end = std::min(position_ + kPieceObjects, listing_.ids.size());
        DO_OR_REFUSE(readAhead(view, end));
        for (; position_ < end && !lastOfPage_; ++position_) DO_OR_REFUSE(write(out, position_));
        ended_ = lastOfPage_ || position_ == listing_.ids.size();
    } while (!ended_ && json_.text().empty());
    if (ended_) json_.endArray();
    return json_.take();
}

Outcome<void> ListText::readAhead(nsdb::View& view, std::size_t end) {
    if (!store_.readsBlock()) return {};
    const auto all = listing_.ids.begin();
    const std::vector<Uuid> ids(all + static_cast<std::ptrdiff_t>(position_), all + static_cast<std::ptrdiff_t>(end));
    if (listing_.objects.empty()) DO_OR_REFUSE(view.readAhead(resource_.schema->type, ids));
    if (!resource_.shownState.empty()) DO_OR_REFUSE(view.readStatesAhead(resource_.schema->type, ids, resource_.shownState));
    return {};
}

Outcome<void> ListText::write(const Show& out, std::size_t index) {
    const auto& id = listing_.ids[index];
    std::shared_ptr<const Message> object;
    if (!listing_.objects.empty()) {
        object = listing_.objects[index];
    } else {
        auto found = out.view.get(resource_.schema->type, id);
        if (!found && found.error().code == ErrorCode::NotFound) return {};  // it has just gone
        if (!found) return tl::unexpected<Fault>{Fault{found.error()}};
        object = std::move(found->object);
    }
    if (!query_.holds(*object)) return {};
    if (query_.limit() && written_ == *query_.limit()) {
        lastOfPage_ = last_;
        return {};
    }
    ++written_;
    last_ = id;
    return show(out, resource_, *object);
}

}  // namespace midonet::rest
