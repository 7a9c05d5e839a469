#include "conf/tool.h"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "cloud.h"
#include "conf/shipped.h"

namespace midonet::conf {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The tool on a store in memory, that several runs share.
class ToolTest : public Cloud {
protected:
    ExitCode run(const std::vector<std::string>& words, const std::string& input = {}) {
        std::istringstream in(input);
        std::ostringstream out, err;
        const auto open = [this]() -> Result<std::unique_ptr<nsdb::Store>> {
            if (storeError_) return Unexpected{*storeError_};
            return nsdb::openMemory(shared_);
        };
        const auto localHost = [this]() -> Result<HostId> {
            if (hostError_) return Unexpected{*hostError_};
            return host_;
        };
        const auto code = runTool({"mm-conf", open, open, localHost, catalogue_, in, out, err}, words);
        out_ = out.str();
        err_ = err.str();
        return code;
    }
    std::string outputOf(const std::vector<std::string>& words) {
        EXPECT_EQ(run(words), ExitCode::Fine) << err_;
        return out_;
    }

    std::optional<Error> storeError_, hostError_;
    std::string out_, err_;
};

TEST_F(ToolTest, SetsAndGets) {
    EXPECT_EQ(run({"set", "log.level = \"debug\"", "agent.workers = 2"}), ExitCode::Fine) << err_;
    EXPECT_EQ(outputOf({"get", "log.level"}), "log.level = \"debug\"\n");
    EXPECT_EQ(outputOf({"get", "-h", "local", "agent.workers"}), "agent.workers = 2\n");
    EXPECT_EQ(outputOf({"get", "-h", other_.toString(), "agent.workers"}), "agent.workers = 1\n");
    EXPECT_EQ(outputOf({"get", "-j", "agent.workers"}), "{\"agent\":{\"workers\":2}}\n");
    EXPECT_EQ(outputOf({"get", "agent.workers", "--json"}), out_);
    EXPECT_EQ(run({"get", "agent.wrkers"}), ExitCode::NoSuchKey);
    EXPECT_EQ(out_ + err_, "");
    EXPECT_EQ(run({"get", "-H", "agent.fast"}), ExitCode::NoSuchKey);
    EXPECT_EQ(run({"unset", "log.level"}), ExitCode::Fine);
    EXPECT_EQ(outputOf({"get", "log.level"}), "log.level = \"info\"\n");
    EXPECT_EQ(outputOf({"dump", "-H"}), "agent.workers = 2\n");
    EXPECT_EQ(run({"set", "-c"}, "{\"agent\": {\"fast\": true}}"), ExitCode::Fine);
    EXPECT_EQ(outputOf({"dump", "-H"}), "agent.fast = true\n");
    EXPECT_THAT(outputOf({"dump", "-c"}), HasSubstr("# true | false; from: NSDB host\nagent.fast = true\n"));
}

TEST_F(ToolTest, HostBeatsItsTemplateBeatsDefault) {
    const auto level = [this] { return outputOf({"get", "log.level"}); };
    run({"set", "-t", "default", "log.level = \"warn\""});
    EXPECT_EQ(level(), "log.level = \"warn\"\n");
    run({"set", "-t", "large", "log.level = \"debug\""});
    EXPECT_EQ(outputOf({"template-get"}), host_.toString() + "  default\n");
    EXPECT_EQ(run({"template-set", "-h", "local", "-t", "large"}), ExitCode::Fine);
    EXPECT_EQ(level(), "log.level = \"debug\"\n");
    EXPECT_EQ(outputOf({"get", "-t", "default", "log.level"}), "log.level = \"warn\"\n");
    EXPECT_EQ(run({"get", "-t", "large", "agent.workers"}), ExitCode::NoSuchKey);
    run({"set", "log.level = \"info\""});
    EXPECT_EQ(level(), "log.level = \"info\"\n");

    EXPECT_EQ(outputOf({"template-get", "-a"}), host_.toString() + "  large\n");
    EXPECT_EQ(outputOf({"template-list"}), "default\nlarge\n    " + host_.toString() + "\n");
    EXPECT_EQ(outputOf({"hosts"}), host_.toString() + " -> custom : template(large) : template(default) : schema\n");
    EXPECT_EQ(run({"template-delete", "-t", "large"}), ExitCode::Failed);
    EXPECT_THAT(err_, HasSubstr(host_.toString()));
    run({"template-clear"});
    EXPECT_EQ(outputOf({"hosts"}), host_.toString() + " -> custom : template(default) : schema\n");
    EXPECT_EQ(run({"template-delete", "-t", "large"}), ExitCode::Fine);
    EXPECT_EQ(run({"template-set", "-t", "large"}), ExitCode::Failed);
}

TEST_F(ToolTest, RefusesWhatCannotBeAndTakesWhatItDoesNotKnow) {
    EXPECT_EQ(run({"set", "log.level = \"loud\""}), ExitCode::Failed);
    EXPECT_THAT(err_, AllOf(HasSubstr("[mm-conf] Failed: "), HasSubstr("'loud' is not one of")));
    EXPECT_EQ(run({"set", "nsdb.path = \"/tmp\""}), ExitCode::Failed);
    EXPECT_THAT(err_, HasSubstr("nsdb.path: belongs into the settings of each machine"));
    EXPECT_EQ(outputOf({"set", "new.thing = true"}), "Installing config key that was not found in the schema: new.thing\n");
    EXPECT_EQ(outputOf({"get", "new.thing"}), "new.thing = \"true\"\n");
    run({"set", "new.password = \"secret\""});
    EXPECT_THAT(outputOf({"dump"}), AllOf(HasSubstr("new.password = \"sha256:2bb80d537b1d\""), Not(HasSubstr("secret"))));
}

TEST_F(ToolTest, ExplainsSettingsWithoutAStore) {
    storeError_ = Error{ErrorCode::Unavailable, "away"};
    hostError_ = storeError_;
    EXPECT_EQ(outputOf({"doc", "agent.workers"}),
              "Key: agent.workers\nType: integer 1..16\nDefault value: 1\nDocumentation: Threads.\n"
              "Takes effect at the next start of the program.\n");
    EXPECT_THAT(outputOf({"doc"}), AllOf(HasSubstr("Key: log.level\n"), HasSubstr("Key: nsdb.path\n")));
    EXPECT_EQ(run({"doc", "no.such"}), ExitCode::NoSuchKey);
    EXPECT_EQ(outputOf({"dump-bundled-config"}), outputOf({"dump", "-s"}));
    EXPECT_THAT(out_, HasSubstr("# integer 1..16; from: default\nagent.workers = 1\n"));
}

TEST_F(ToolTest, ImportsFiles) {
    char path[] = "/tmp/midonet-conf-XXXXXX";
    ::close(::mkstemp(path));
    std::ofstream(path) << "nsdb.path = \"/tmp\"\nagent.workers = 1\n[log]\nlevel = \"warn\"\n";
    EXPECT_THAT(outputOf({"import", "-t", "default", "-f", path}),
                AllOf(HasSubstr("nsdb.path stays in the file"), HasSubstr("1 settings imported")));
    EXPECT_EQ(outputOf({"dump", "-t", "default"}), "log.level = \"warn\"\n");
    EXPECT_EQ(run({"import", "-a", "-f", path}), ExitCode::Fine);
    EXPECT_EQ(outputOf({"dump", "-H"}), "agent.workers = 1\nlog.level = \"warn\"\n");
    ::unlink(path);
    EXPECT_EQ(run({"import", "-f", path}), ExitCode::Failed);
    EXPECT_EQ(run({"import"}), ExitCode::Failed);
}

TEST_F(ToolTest, DeploysTemplatesAndLeavesThoseThatAreThere) {
    const std::string first(shippedTemplates().front().name);
    run({"set", "-t", first, "agent.workers = 16"});
    EXPECT_THAT(outputOf({"deploy"}), AllOf(HasSubstr("template agent-gateway-large\n"), Not(HasSubstr(first))));
    EXPECT_EQ(outputOf({"get", "-t", first, "agent.workers"}), "agent.workers = 16\n");
    EXPECT_EQ(outputOf({"get", "-t", "agent-gateway-large", "agent.workers"}), "agent.workers = 4\n");
    EXPECT_EQ(outputOf({"deploy"}), "");
}

TEST_F(ToolTest, ExitCodesAreThoseScriptsKnow) {
    EXPECT_EQ(run({}), ExitCode::NoCommand);
    EXPECT_THAT(err_, HasSubstr("template-set [-h HOST|local] [-t TEMPLATE]"));
    EXPECT_EQ(run({"sett"}), ExitCode::NoCommand);
    const std::vector<std::vector<std::string>> wrong{{"get"},
                                                      {"get", "a.b", "c.d"},
                                                      {"get", "-x", "a.b"},
                                                      {"get", "-h"},
                                                      {"get", "-h", "host1", "a.b"},
                                                      {"dump", "-h", "local", "-t", "default"},
                                                      {"hosts", "-j"},
                                                      {"set", "--comments"},
                                                      {"template-delete"}};
    for (const auto& words : wrong)
        EXPECT_EQ(run(words), ExitCode::Failed) << words[0];
    storeError_ = Error{ErrorCode::NotFound, "there is no store"};
    EXPECT_EQ(run({"dump", "-t", "default"}), ExitCode::NoStore);
    EXPECT_THAT(err_, HasSubstr("there is no store"));
    hostError_ = Error{ErrorCode::Unavailable, "cannot be written"};
    EXPECT_EQ(run({"dump"}), ExitCode::NoHostId);
    EXPECT_EQ(run({"dump", "-t", "default"}), ExitCode::NoStore) << "needs no host";
}

}  // namespace
}  // namespace midonet::conf
