#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "base/id.h"
#include "net/ip_address.h"

namespace midonet::topology {

/// A set of addresses that rules name together. Immutable.
class IpAddrGroup {
public:
    IpAddrGroup(IpAddrGroupId id, std::vector<net::IpAddress> addresses) : id_(id), addresses_(std::move(addresses)) {
        std::sort(addresses_.begin(), addresses_.end());
        addresses_.erase(std::unique(addresses_.begin(), addresses_.end()), addresses_.end());
    }
    const IpAddrGroupId& id() const { return id_; }
    bool contains(const net::IpAddress& address) const {
        return std::binary_search(addresses_.begin(), addresses_.end(), address);
    }
    const std::vector<net::IpAddress>& addresses() const { return addresses_; }  ///< Ordered, each once.
    friend bool operator==(const IpAddrGroup&, const IpAddrGroup&) = default;

private:
    IpAddrGroupId id_;
    std::vector<net::IpAddress> addresses_;
};

using IpAddrGroupPtr = std::shared_ptr<const IpAddrGroup>;

}  // namespace midonet::topology
