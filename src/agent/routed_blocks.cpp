#include "agent/routed_blocks.h"

namespace midonet::agent {

void RoutedBlocks::add(const simulation::UseRoute& use) { ++blocks_[use.router][use.block][use.prefixLength]; }

void RoutedBlocks::remove(const simulation::UseRoute& use) {
    const auto router = blocks_.find(use.router);
    if (router == blocks_.end()) return;
    const auto block = router->second.find(use.block);
    if (block == router->second.end()) return;
    const auto length = block->second.find(use.prefixLength);
    if (length == block->second.end()) return;
    if (--length->second == 0) block->second.erase(length);
    if (block->second.empty()) router->second.erase(block);
    if (router->second.empty()) blocks_.erase(router);
}

std::vector<flow::FlowTag> RoutedBlocks::affectedBy(const RouterId& router, const net::IpPrefix& destination) const {
    std::vector<flow::FlowTag> tags;
    const auto found = blocks_.find(router);
    if (found == blocks_.end()) return tags;
    const auto& address = destination.address();
    const auto firstBlock = address.masked(address.bits() - 4);
    for (auto block = found->second.lower_bound(firstBlock); block != found->second.end(); ++block) {
        if (block->first != firstBlock && !destination.contains(block->first)) break;
        if (block->second.begin()->first <= destination.length()) tags.push_back(flow::FlowTag::destination(router, block->first));
    }
    return tags;
}

std::size_t RoutedBlocks::size() const {
    std::size_t count = 0;
    for (const auto& [router, blocks] : blocks_) count += blocks.size();
    return count;
}

}  // namespace midonet::agent
