#include "conf/repository.h"

#include <thread>

#include "cloud.h"
#include "model/ids.h"
#include "model/topology.pb.h"

namespace midonet::conf {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class RepositoryTest : public Cloud {
protected:
    void removeHostConfig() {
        ASSERT_TRUE(store_->transact([this](nsdb::Transaction& t) { return removeHost(t, host_); }));
    }
};

TEST_F(RepositoryTest, ValuesOfAHostAreItsOwn) {
    EXPECT_THAT(*repository_.values(host_), IsEmpty());
    ASSERT_TRUE(repository_.set(host_, {{"log.level", "debug"}, {"agent.workers", "2"}}));
    ASSERT_TRUE(repository_.set(host_, {{"agent.workers", "3"}}));
    EXPECT_THAT(*repository_.values(host_), ElementsAre(Pair("agent.workers", "3"), Pair("log.level", "debug")));
    EXPECT_THAT(*repository_.values(other_), IsEmpty());
    ASSERT_TRUE(repository_.unset(host_, "log.level"));
    ASSERT_TRUE(repository_.unset(host_, "log.level")) << "is not there any more";
    ASSERT_TRUE(repository_.unset(other_, "log.level")) << "nothing is kept of this host";
    EXPECT_THAT(*repository_.values(host_), ElementsAre(Pair("agent.workers", "3")));
    ASSERT_TRUE(repository_.replace(host_, {{"log.level", "warn"}}));
    EXPECT_THAT(*repository_.values(host_), ElementsAre(Pair("log.level", "warn")));
}

TEST_F(RepositoryTest, NamesThatCannotBeAreRefused) {
    for (const auto* key : {"", ".a", "a.", "a..b", "a b", "a/b", "ä.b"})
        EXPECT_THAT(errorOf(repository_.set(host_, {{key, "1"}})), HasSubstr("cannot be the name of a setting")) << key;
    EXPECT_THAT(errorOf(repository_.set(named("a/b"), {{"a.b", "1"}})), HasSubstr("cannot be the name of a template"));
    EXPECT_THAT(errorOf(repository_.set(host_, {{"a.b", std::string(5000, 'x')}})), HasSubstr("a.b: a value of more than 4096 bytes"));
    EXPECT_THAT(*repository_.hosts(), IsEmpty());
}

TEST_F(RepositoryTest, StrongerLayersAreLast) {
    ASSERT_TRUE(repository_.set(named("default"), {{"a.a", "default"}}));
    ASSERT_TRUE(repository_.set(named("large"), {{"a.a", "large"}}));
    ASSERT_TRUE(repository_.set(host_, {{"a.a", "own"}}));
    ASSERT_TRUE(repository_.useTemplate(host_, "large"));
    const auto valuesOf = [this](const std::optional<HostId>& host) {
        std::vector<std::string> out;
        const auto layers = repository_.layers(host);
        for (const auto& layer : *layers)
            for (const auto& [key, value] : layer.values) out.push_back(value);
        return out;
    };
    EXPECT_THAT(valuesOf(host_), ElementsAre("default", "large", "own"));
    EXPECT_THAT(valuesOf(other_), ElementsAre("default"));
    EXPECT_THAT(valuesOf(std::nullopt), ElementsAre("default"));
    ASSERT_TRUE(repository_.useNoTemplate(host_));
    EXPECT_THAT(valuesOf(host_), ElementsAre("default", "own"));
}

TEST_F(RepositoryTest, ATemplateThatHostsUseStays) {
    EXPECT_THAT(errorOf(repository_.useTemplate(host_, "large")), HasSubstr("there is no template large"));
    ASSERT_TRUE(repository_.set(named("large"), {{"a.a", "1"}}));
    ASSERT_TRUE(repository_.useTemplate(host_, "large"));
    ASSERT_TRUE(repository_.useTemplate(other_, "default")) << "is always there";
    EXPECT_THAT(*repository_.templates(), ElementsAre("default", "large"));
    EXPECT_EQ(*repository_.templateOf(host_), "large");
    EXPECT_EQ(*repository_.templateOf(HostId::random()), std::nullopt);

    const auto refused = repository_.removeTemplate("large");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Conflict);
    EXPECT_THAT(refused.error().message, HasSubstr(host_.toString()));
    ASSERT_TRUE(repository_.useNoTemplate(host_));
    ASSERT_TRUE(repository_.removeTemplate("large"));
    EXPECT_THAT(errorOf(repository_.removeTemplate("large")), HasSubstr("there is no template large"));
    EXPECT_THAT(*repository_.templates(), ElementsAre("default"));
    ASSERT_TRUE(repository_.set(named("large"), {}));
    EXPECT_THAT(*repository_.values(named("large")), IsEmpty()) << "its values went with it";
}

TEST_F(RepositoryTest, AHostThatIsDeletedLeavesNothing) {
    removeHostConfig();  // nothing is kept of it
    ASSERT_TRUE(repository_.set(named("large"), {{"a.a", "1"}}));
    ASSERT_TRUE(repository_.set(host_, {{"a.a", "1"}}));
    ASSERT_TRUE(repository_.useTemplate(host_, "large"));
    ASSERT_TRUE(repository_.set(other_, {{"a.a", "1"}}));
    ASSERT_EQ(repository_.hosts()->size(), 2U);
    removeHostConfig();
    ASSERT_EQ(repository_.hosts()->size(), 1U);
    EXPECT_EQ(repository_.hosts()->front().host, other_);
    EXPECT_THAT(*repository_.values(host_), IsEmpty());
    EXPECT_TRUE(repository_.removeTemplate("large"));
}

TEST_F(RepositoryTest, TwoWhoSetDifferentKeysDoNotUndoEachOther) {
    constexpr int kRounds = 50;
    const auto setOften = [this](const std::string& key) {
        const auto store = nsdb::openMemory(shared_);
        for (int i = 1; i <= kRounds; ++i) {
            EXPECT_TRUE(Repository{*store}.set(host_, {{key, std::to_string(i)}}));
            EXPECT_TRUE(Repository{*store}.set(named("default"), {{key, std::to_string(i)}}));
        }
    };
    std::thread first(setOften, "a.first"), second(setOften, "a.second");
    first.join();
    second.join();
    const auto last = ElementsAre(Pair("a.first", "50"), Pair("a.second", "50"));
    EXPECT_THAT(*repository_.values(host_), last);
    EXPECT_THAT(*repository_.values(named("default")), last);
}

}  // namespace
}  // namespace midonet::conf
