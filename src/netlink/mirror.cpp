#include "netlink/mirror.h"

#include <algorithm>

namespace midonet::netlink {

bool Mirror::apply(const Event& event) {
    return std::visit([this](const auto& change) { return applyChange(change); }, event);
}

std::vector<Event> Mirror::replace(const std::vector<Link>& links,
                                   const std::vector<Address>& addresses,
                                   const std::vector<Neighbour>& neighbours) {
    std::vector<Event> changes;
    const auto applyAndNote = [&](Event event) {
        if (apply(event)) changes.push_back(std::move(event));
    };
    // What is gone, first: neighbours and addresses before the links that would take them along.
    for (const auto& [key, old] : std::map(neighbours_)) {
        const bool there = std::any_of(neighbours.begin(), neighbours.end(), [&key = key](const auto& n) {
            return n.linkIndex == key.first && n.address == key.second;
        });
        if (!there) applyAndNote(Change<Neighbour>{old, true});
    }
    for (const auto& old : std::set(addresses_)) {
        if (std::find(addresses.begin(), addresses.end(), old) == addresses.end())
            applyAndNote(Change<Address>{old, true});
    }
    for (const auto& [index, old] : std::map(links_)) {
        const bool there = std::any_of(links.begin(), links.end(),
                                       [index = index](const auto& link) { return link.index == index; });
        if (!there) applyAndNote(Change<Link>{old, true});
    }
    for (const auto& link : links) applyAndNote(Change<Link>{link, false});
    for (const auto& address : addresses) applyAndNote(Change<Address>{address, false});
    for (const auto& neighbour : neighbours) applyAndNote(Change<Neighbour>{neighbour, false});
    return changes;
}

const Link* Mirror::link(int index) const {
    const auto found = links_.find(index);
    return found == links_.end() ? nullptr : &found->second;
}

const Link* Mirror::link(std::string_view name) const {
    const auto found = std::find_if(links_.begin(), links_.end(),
                                    [&](const auto& entry) { return entry.second.name == name; });
    return found == links_.end() ? nullptr : &found->second;
}

std::vector<net::IpAddress> Mirror::addressesOf(int linkIndex) const {
    std::vector<net::IpAddress> out;
    for (auto at = addresses_.lower_bound(Address{linkIndex, {}, 0});
         at != addresses_.end() && at->linkIndex == linkIndex; ++at)
        out.push_back(at->address);
    return out;
}

const Neighbour* Mirror::neighbour(int linkIndex, const net::IpAddress& address) const {
    const auto found = neighbours_.find({linkIndex, address});
    return found == neighbours_.end() ? nullptr : &found->second;
}

bool Mirror::applyChange(const Change<Link>& change) {
    if (change.removed) return removeLink(change.object.index);
    auto& known = links_[change.object.index];
    if (known == change.object) return false;
    known = change.object;
    return true;
}

bool Mirror::applyChange(const Change<Address>& change) {
    if (change.removed) return addresses_.erase(change.object) > 0;
    return addresses_.insert(change.object).second;
}

bool Mirror::applyChange(const Change<Neighbour>& change) {
    const NeighbourKey key{change.object.linkIndex, change.object.address};
    if (change.removed) return neighbours_.erase(key) > 0;
    const auto [at, isNew] = neighbours_.try_emplace(key, change.object);
    if (!isNew && at->second == change.object) return false;
    at->second = change.object;
    return true;
}

bool Mirror::removeLink(int index) {
    std::erase_if(addresses_, [&](const Address& address) { return address.linkIndex == index; });
    std::erase_if(neighbours_, [&](const auto& entry) { return entry.first.first == index; });
    return links_.erase(index) > 0;
}

}  // namespace midonet::netlink
