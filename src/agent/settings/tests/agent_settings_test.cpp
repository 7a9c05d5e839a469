#include "agent/settings/agent_settings.h"

#include <gtest/gtest.h>

namespace midonet::agent {
namespace {

Result<void> apply(const std::string& listen) {
    config::Settings settings;
    const AgentSettings agent(settings);
    return settings.apply({.file = {}, .fileRequired = false, .environment = {}, .set = {{"agent.listen", listen}}});
}

/// It asks nobody who they are.
TEST(AgentSettings, TheStatusPageIsForThisMachineOnly) {
    for (const char* good : {"", "127.0.0.1:7300", "[::1]:0", "unix:/run/midonet/agent.sock"}) EXPECT_TRUE(apply(good)) << good;
    for (const char* bad : {"0.0.0.0:7300", "[::]:7300", "192.0.2.1:7300", "127.0.0.1:7300,0.0.0.0:7300", "nonsense"}) EXPECT_FALSE(apply(bad)) << bad;
}

}  // namespace
}  // namespace midonet::agent
