#include "simulation/mac_tables.h"

#include <gtest/gtest.h>

namespace midonet::simulation {
namespace {

const BridgeId kA{Uuid{1, 1}};
const BridgeId kB{Uuid{1, 2}};
const PortId kOne{Uuid{2, 1}};
const PortId kTwo{Uuid{2, 2}};
const net::Mac kMac{0x020000000001ULL};

TEST(MacTablesTest, SetSaysWhatWasBefore) {
    MacTables tables;
    EXPECT_EQ(tables.set(kA, {}, kMac, kOne), std::nullopt);
    EXPECT_EQ(tables.set(kA, {}, kMac, kTwo), kOne);
    EXPECT_EQ(tables.set(kA, {}, kMac, kTwo), kTwo);
    EXPECT_EQ(tables.macPort(kA, {}, kMac), kTwo);
    EXPECT_EQ(tables.size(), 1U);
}

TEST(MacTablesTest, RemoveSaysWhatWasThere) {
    MacTables tables;
    EXPECT_EQ(tables.remove(kA, {}, kMac), std::nullopt);
    tables.set(kA, {}, kMac, kOne);
    EXPECT_EQ(tables.remove(kA, {}, kMac), kOne);
    EXPECT_EQ(tables.macPort(kA, {}, kMac), std::nullopt);
    EXPECT_EQ(tables.size(), 0U);
}

TEST(MacTablesTest, BridgeVlanAndMacAllCount) {
    MacTables tables;
    tables.set(kA, net::VlanId{0}, kMac, kOne);
    tables.set(kA, net::VlanId{5}, kMac, kTwo);
    EXPECT_EQ(tables.macPort(kA, net::VlanId{0}, kMac), kOne);
    EXPECT_EQ(tables.macPort(kA, net::VlanId{5}, kMac), kTwo);
    EXPECT_EQ(tables.macPort(kB, net::VlanId{0}, kMac), std::nullopt);
    EXPECT_EQ(tables.macPort(kA, net::VlanId{0}, net::Mac{kMac.value() + 1}), std::nullopt);
}

}  // namespace
}  // namespace midonet::simulation
