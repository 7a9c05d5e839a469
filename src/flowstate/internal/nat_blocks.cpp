#include "flowstate/internal/nat_blocks.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_set>

#include "base/bytes.h"
#include "model/ids.h"
#include "model/topology.pb.h"

namespace midonet::flowstate::internal {
namespace {

constexpr int kAttempts = 16;

std::uint64_t unixMs(event::WallTime time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); }

bool isPastGrace(const model::NatBlock& block, const BlockHolder& holder) {
    return block.idle_since_unix_ms() != 0 && block.idle_since_unix_ms() + unixMs(event::WallTime{holder.grace}) < unixMs(holder.now);
}

Uuid idOf(const NatBlockId& block) { return model::natBlockId(block.device, block.address, block.block); }

net::IpAddress after(const net::IpAddress& address) {
    if (address.isV4()) return net::Ipv4Address{address.v4().toHostOrder() + 1};
    const auto low = address.v6().low() + 1;
    return net::Ipv6Address{address.v6().high() + (low == 0 ? 1 : 0), low};
}

/// Reads one moment of the store and finds the best block in it.
class Choice {
public:
    Choice(nsdb::View& view, const BlockHolder& holder, const BlockWish& wish)
        : view_(view), holder_(holder), wish_(wish) {}

    /// nullopt: none can be had now.
    Result<std::optional<NatBlockId>> find() {
        const auto* const field = wish_.deviceIsBridge ? "bridge_id" : "router_id";
        TRY(ids, view_.referrers<model::NatBlock>(field, wish_.device));
        existing_.insert(ids.begin(), ids.end());
        for (const auto& range : wish_.ranges) {
            if (range.lastPort == 0 || range.firstPort > range.lastPort || range.firstAddress > range.lastAddress ||
                range.firstAddress.family() != range.lastAddress.family())
                continue;
            // No further than existing blocks reach: the first address with an unused one ends it.
            for (auto address = range.firstAddress;; address = after(address)) {
                TRY(block, ofAddress(address, range));
                if (block) return block;
                if (address == range.lastAddress) break;
            }
        }
        return std::nullopt;
    }
    /// Blocks in use by hosts that are not alive.
    const std::vector<Uuid>& ofTheDead() const { return dead_; }

private:
    Result<std::optional<NatBlockId>> ofAddress(const net::IpAddress& address, const NatRange& range) {
        std::vector<NatBlockId> unused, known;
        for (unsigned number = range.firstPort / kNatBlockPorts; number <= range.lastPort / kNatBlockPorts; ++number) {
            const NatBlockId block{wish_.device, address, static_cast<std::uint16_t>(number)};
            (existing_.contains(idOf(block)) ? known : unused).push_back(block);
        }
        if (!unused.empty()) return unused[mixHash(wish_.seed) % unused.size()];
        return longestIdle(known);
    }

    Result<std::optional<NatBlockId>> longestIdle(const std::vector<NatBlockId>& known) {
        std::optional<NatBlockId> best;
        std::uint64_t bestSince = 0;
        for (const auto& block : known) {
            TRY(stored, view_.get<model::NatBlock>(idOf(block)));
            const auto since = stored.object->idle_since_unix_ms();
            if (isPastGrace(*stored.object, holder_) && (!best || since < bestSince)) {
                best = block;
                bestSince = since;
            }
            if (since != 0) continue;
            TRY(alive, isAlive(model::uuidOf(stored.object->host_id())));
            if (!alive) dead_.push_back(idOf(block));
        }
        return best;
    }

    Result<bool> isAlive(const Uuid& host) {
        if (host == holder_.host.uuid()) return true;
        if (const auto it = alive_.find(host); it != alive_.end()) return it->second;
        TRY(state, view_.state(model::Host::descriptor(), host, "alive"));
        return alive_[host] = state.has_value();
    }

    nsdb::View& view_;
    const BlockHolder& holder_;
    const BlockWish& wish_;
    std::unordered_set<Uuid> existing_;
    std::map<Uuid, bool> alive_;
    std::vector<Uuid> dead_;
};

/// Conflict when somebody else has taken it meanwhile.
Result<void> take(nsdb::Store& store, const BlockHolder& holder, const BlockWish& wish, const NatBlockId& block) {
    const auto taken = store.transact([&](nsdb::Transaction& transaction) -> Result<void> {
        const auto id = idOf(block);
        const auto existing = transaction.get<model::NatBlock>(id);
        if (!existing && existing.error().code != ErrorCode::NotFound) return Unexpected{existing.error()};
        if (existing && !isPastGrace(*existing->object, holder)) return fail(ErrorCode::Conflict, "NAT block {} is taken", id);
        model::NatBlock object;
        object.set_id(id.toBytes());
        (wish.deviceIsBridge ? object.mutable_bridge_id() : object.mutable_router_id())->assign(wish.device.toBytes());
        object.set_address(block.address.toString());
        object.set_block(block.block);
        object.set_host_id(holder.host.uuid().toBytes());
        return existing ? transaction.update(object) : transaction.create(object);
    });
    if (!taken) return Unexpected{taken.error()};
    return {};
}

Result<void> markDead(nsdb::Store& store, const BlockHolder& holder, const std::vector<Uuid>& blocks) {
    const auto marked = store.transact([&](nsdb::Transaction& transaction) -> Result<void> {
        for (const auto& id : blocks) {
            const auto block = transaction.get<model::NatBlock>(id);
            if (!block && block.error().code == ErrorCode::NotFound) continue;
            if (!block) return Unexpected{block.error()};
            if (block->object->idle_since_unix_ms() != 0) continue;
            TRY(alive, transaction.state(model::Host::descriptor(), model::uuidOf(block->object->host_id()), "alive"));
            if (alive) continue;
            auto object = *block->object;
            object.set_idle_since_unix_ms(unixMs(holder.now));
            TRY_VOID(transaction.update(object));
        }
        return {};
    });
    if (!marked) return Unexpected{marked.error()};
    return {};
}

/// nullopt for an object that says nothing we understand.
std::optional<NatBlockId> blockOf(const model::NatBlock& object) {
    const auto address = net::IpAddress::parse(object.address());
    if (!address || object.block() >= kNatBlocks) return std::nullopt;
    const auto& device = object.bridge_id().empty() ? object.router_id() : object.bridge_id();
    return NatBlockId{model::uuidOf(device), *address, static_cast<std::uint16_t>(object.block())};
}

}  // namespace

Result<NatBlockId> leaseBlock(nsdb::Store& store, const BlockHolder& holder, const BlockWish& wish) {
    auto attempt = wish;
    for (int i = 0; i < kAttempts; ++i, ++attempt.seed) {
        std::optional<NatBlockId> block;
        std::vector<Uuid> dead;
        {
            // A look beside the transaction, which then depends on this one block only.
            TRY(view, store.view());
            Choice choice(*view, holder, attempt);
            auto found = choice.find();
            if (!found) {
                // Something it found is gone again.
                if (found.error().code == ErrorCode::NotFound) continue;
                return Unexpected{found.error()};
            }
            block = *found;
            dead = choice.ofTheDead();
        }
        if (!dead.empty()) TRY_VOID(markDead(store, holder, dead));
        if (!block) return fail(ErrorCode::Exhausted, "all NAT blocks of device {} for these addresses and ports are leased", wish.device);
        const auto taken = take(store, holder, attempt, *block);
        if (taken) return *block;
        const auto code = taken.error().code;
        if (code != ErrorCode::Conflict && code != ErrorCode::Stale && code != ErrorCode::AlreadyExists)
            return Unexpected{taken.error()};
    }
    return fail(ErrorCode::Unavailable, "other hosts were faster with every NAT block of device {}", wish.device);
}

Result<std::vector<NatBlockId>> reclaimBlocks(nsdb::Store& store, const BlockHolder& holder) {
    std::vector<NatBlockId> out;
    const auto done = store.transact([&](nsdb::Transaction& transaction) -> Result<void> {
        out.clear();
        TRY(ids, transaction.referrers<model::NatBlock>("host_id", holder.host.uuid()));
        for (const auto& id : ids) {
            TRY(stored, transaction.get<model::NatBlock>(id));
            const auto block = blockOf(*stored.object);
            if (!block || isPastGrace(*stored.object, holder)) continue;
            out.push_back(*block);
            if (stored.object->idle_since_unix_ms() == 0) continue;
            auto object = *stored.object;
            object.set_idle_since_unix_ms(0);
            TRY_VOID(transaction.update(object));
        }
        return {};
    });
    if (!done) return Unexpected{done.error()};
    return out;
}

Result<void> releaseBlocks(nsdb::Store& store, const BlockHolder& holder, const std::vector<NatBlockId>& blocks) {
    const auto done = store.transact([&](nsdb::Transaction& transaction) -> Result<void> {
        for (const auto& block : blocks) {
            const auto stored = transaction.get<model::NatBlock>(idOf(block));
            if (!stored && stored.error().code == ErrorCode::NotFound) continue;
            if (!stored) return Unexpected{stored.error()};
            const bool ours = model::uuidOf(stored->object->host_id()) == holder.host.uuid();
            if (!ours || stored->object->idle_since_unix_ms() != 0) continue;
            auto object = *stored->object;
            object.set_idle_since_unix_ms(unixMs(holder.now));
            TRY_VOID(transaction.update(object));
        }
        return {};
    });
    if (!done) return Unexpected{done.error()};
    return {};
}

}  // namespace midonet::flowstate::internal
