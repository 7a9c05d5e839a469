// The common path of a simulation does not touch the heap: counted, not timed.
#include <cstdlib>
#include <new>

#include "simulation/tests/bridge_fixture.h"

namespace {
std::size_t allocations = 0;
}  // namespace

// Replaces the global one in this program only. Array forms come here by default; the nothrow one does not under
// AddressSanitizer, which has its own.
[[gnu::noinline]] void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc{};
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace midonet::simulation::testing {
namespace {

class AllocationTest : public BridgeFixture {
protected:
    std::size_t countFor(std::uint64_t port, const flow::FlowKey& key) {
        const auto snapshot = topology.build();
        const auto before = allocations;
        const auto result = simulate({portId(port), key}, *snapshot, state);
        const auto after = allocations;
        EXPECT_FALSE(std::holds_alternative<Park>(result));
        return after - before;
    }
};

TEST_F(AllocationTest, CounterCounts) {
    const auto before = allocations;
    ::operator delete(::operator new(1));
    EXPECT_EQ(allocations, before + 1);
}

TEST_F(AllocationTest, UnicastAllocatesNothing) {
    state.setMac(bridge, {}, mac(2), portId(2));
    EXPECT_EQ(countFor(1, frame(mac(1), mac(2))), 0U);
}

TEST_F(AllocationTest, UnicastBetweenTrunkAndAccessPortAllocatesNothing) {
    auto access = activePort(2, bridge);
    access.vlan = net::VlanId{10};
    topology.port(access);
    state.setMac(bridge, net::VlanId{10}, mac(1), portId(1));
    EXPECT_EQ(countFor(2, frame(mac(2), mac(1))), 0U);
}

TEST_F(AllocationTest, FloodOnASmallBridgeAllocatesNothing) {
    EXPECT_EQ(countFor(1, frame(mac(1), net::Mac::broadcast())), 0U);
}

TEST_F(AllocationTest, DropAllocatesNothing) {
    EXPECT_EQ(countFor(1, frame(net::Mac::broadcast(), mac(2))), 0U);
}

}  // namespace
}  // namespace midonet::simulation::testing
