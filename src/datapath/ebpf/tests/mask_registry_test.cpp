#include "datapath/ebpf/mask_registry.h"

#include <gmock/gmock.h>

namespace midonet::datapath::ebpf {
namespace {

using flow::Field;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

flow::FlowMask maskOf(std::initializer_list<Field> fields) {
    flow::FlowMask mask;
    for (const Field field : fields) mask.see(field);
    mask.close();
    return mask;
}

class MaskRegistryTest : public ::testing::Test {
protected:
    std::vector<int> narrow() const { return {lists().narrow, lists().narrow + lists().narrow_count}; }
    std::vector<int> wide() const { return {lists().wide, lists().wide + lists().wide_count}; }
    std::vector<int> tunnel() const { return {lists().tunnel, lists().tunnel + lists().tunnel_count}; }
    const mn_mask_lists& lists() const { return config->lists[config->active_lists]; }

    std::unique_ptr<mn_config> config = std::make_unique<mn_config>();
    event::VirtualClock clock;
    MaskRegistry registry{*config, clock};
    const flow::FlowMask macs = maskOf({Field::EthDestination});
    const flow::FlowMask addresses = maskOf({Field::IpDestination});
    const flow::FlowMask tunnels = maskOf({Field::TunnelKey, Field::TunnelSource, Field::TunnelDestination});
};

TEST_F(MaskRegistryTest, EachPacketWalksOnlyMasksThatCanMatchIt) {
    EXPECT_EQ(registry.acquire(macs, false), 0);
    EXPECT_EQ(registry.acquire(addresses, false), 1);
    EXPECT_EQ(registry.acquire(addresses, true), 2);
    EXPECT_EQ(registry.acquire(tunnels, false), 3);
    EXPECT_THAT(narrow(), ElementsAre(0, 1));
    EXPECT_THAT(wide(), ElementsAre(0, 2)) << "the one without addresses serves both families";
    EXPECT_THAT(tunnel(), ElementsAre(3));
    EXPECT_EQ(config->wide_masks, 1U << 2);
}

TEST_F(MaskRegistryTest, OneIdPerMaskUntilItsLastUserIsGone) {
    MaskUsers first{registry}, second{registry};
    const auto id = first.acquire(macs, false);
    EXPECT_EQ(first.acquire(macs, false), id);
    EXPECT_EQ(second.acquire(macs, false), id);
    first.release(*id);
    first.release(*id);
    EXPECT_THAT(narrow(), ElementsAre(*id));
    second.release(*id);
    EXPECT_TRUE(narrow().empty());
}

TEST_F(MaskRegistryTest, AFreedIdRests) {
    registry.release(*registry.acquire(macs, false));
    EXPECT_NE(registry.acquire(addresses, false), 0);
    clock.advance(100ms);
    EXPECT_EQ(registry.acquire(tunnels, false), 0);
}

TEST_F(MaskRegistryTest, TheMostHitComesFirst) {
    registry.acquire(macs, false);
    registry.acquire(addresses, false);
    std::array<std::uint64_t, MN_MAX_MASKS> hits{};
    hits[1] = 10;
    registry.reorder(hits);
    EXPECT_THAT(narrow(), ElementsAre(1, 0));
    hits[1] = 0;
    hits[0] = 6;
    registry.reorder(hits);
    EXPECT_THAT(narrow(), ElementsAre(0, 1)) << "6 against half of 10";
}

TEST_F(MaskRegistryTest, FullListsRefuse) {
    for (unsigned bits = 1; bits <= MN_MASK_LIST; ++bits) {
        flow::FlowMask mask;
        mask.seePrefix(Field::IpSource, bits);
        mask.close();
        ASSERT_TRUE(registry.acquire(mask, false)) << bits;
    }
    EXPECT_FALSE(registry.acquire(macs, false));
    EXPECT_TRUE(registry.acquire(tunnels, false)) << "has a list of its own";
}

TEST_F(MaskRegistryTest, AdoptedMasksStayUntilReleased) {
    registry.acquire(addresses, true);
    MaskRegistry next{*config, clock};
    next.adopt(0);
    EXPECT_EQ(next.acquire(addresses, true), 0);
    EXPECT_THAT(wide(), ElementsAre(0));
    next.release(0);
    next.release(0);
    EXPECT_TRUE(wide().empty());
}

}  // namespace
}  // namespace midonet::datapath::ebpf
