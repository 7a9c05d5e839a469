#include "cli/output.h"

#include <gtest/gtest.h>

#include <sstream>

#include "fake_server.h"

namespace midonet::cli {
namespace {

TEST(ColumnsTest, FromTopToBottom) {
    EXPECT_EQ(inColumns({}), "<NONE>");
    EXPECT_EQ(inColumns({"port", "dhcp"}), "port  dhcp");
    EXPECT_EQ(inColumns({"id", "tenant", "name", "state", "infilter", "outfilter", "qos-policy", "in-mirrors", "out-mirrors"}),
              "id      name   infilter   qos-policy  out-mirrors\n"
              "tenant  state  outfilter  in-mirrors");
}

class OutputTest : public ::testing::Test {
protected:
    std::string printed(OutputStyle style) {
        std::ostringstream out;
        Output(out, names_, style).object(bridge_);
        return out.str();
    }

    testing::FakeServer server_;
    Api api_{std::string{testing::FakeServer::kUrl}, std::nullopt, server_.transport()};
    Objects objects_{api_};
    Names names_{objects_, false};
    Object bridge_{.type = &ObjectModel::instance().type("bridge"), .body = {{"id", "X"}, {"name", "red"}, {"adminStateUp", true}}, .owner = {}};
};

TEST_F(OutputTest, LinesColoursAndJson) {
    EXPECT_EQ(printed({}), "bridge X name red state up\n");
    EXPECT_EQ(printed({.colours = true}), "\033[1mbridge\033[0m X \033[36mname\033[0m red \033[36mstate\033[0m up\n");
    EXPECT_EQ(printed({.json = true}), R"({"id":"X","name":"red","adminStateUp":true})" "\n");
}

}  // namespace
}  // namespace midonet::cli
