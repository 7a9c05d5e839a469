#include "cli/object_model.h"

#include <gtest/gtest.h>

#include <set>

#include "cli/grammar.h"
#include "cli/values.h"

namespace midonet::cli {
namespace {

const ObjectModel& model() { return ObjectModel::instance(); }

TEST(ObjectModelTest, EveryNameThatIsUsedIsAType) {
    for (const auto& type : model().types()) {
        for (const auto& child : type.children) EXPECT_EQ(model().type(child.type).name, child.type);
        for (const auto& [value, name] : type.variants) EXPECT_EQ(model().type(name).name, name) << value;
        for (const auto& field : type.fields) {
            const bool isFound = field.kind != Kind::Reference || !model().type(field.target).item.empty();
            EXPECT_TRUE(isFound) << field.target << " has to be found by its id";
        }
        const bool isOwned = type.ownerType.empty() || findChild(model(), model().type(type.ownerType), type.word);
        EXPECT_TRUE(isOwned) << type.name;
    }
}

TEST(ObjectModelTest, FieldsAreWhole) {
    for (const auto& type : model().types()) {
        std::set<std::string_view> names;
        EXPECT_EQ(findField(model(), type, "id") != nullptr, type.hasId) << type.name;
        for (const auto& field : type.fields) {
            EXPECT_TRUE(names.insert(field.name).second) << type.name << ": " << field.name << " twice";
            EXPECT_FALSE(field.json.empty());
            const bool hasWords = field.kind == Kind::Word || field.kind == Kind::Switch || field.kind == Kind::Either;
            EXPECT_EQ(!field.words.empty(), hasWords) << field.name;
            const bool ofTwo = field.kind == Kind::Switch || field.kind == Kind::Either;
            EXPECT_TRUE(!ofTwo || wordsOf(field).size() == 2) << field.name;
            const bool ofTwoKeys = field.kind == Kind::Cidr || field.kind == Kind::Either;
            EXPECT_TRUE(!ofTwoKeys || !field.companion.empty()) << field.name;
        }
    }
}

TEST(ObjectModelTest, PortsOfAllDevicesTogether) {
    const auto& port = model().type("port");
    EXPECT_TRUE(findField(model(), port, "vlan"));
    EXPECT_TRUE(findField(model(), port, "addresses"));
    EXPECT_TRUE(findChild(model(), port, "remote-peers"));
    EXPECT_FALSE(findField(model(), model().type("vxlan-port"), "vlan"));
    EXPECT_FALSE(findField(model(), port, "bogus"));
}

TEST(GrammarTest, EveryFormHasItsVerbOnce) {
    for (const auto& verb : grammar())
        for (const auto form : verb.forms) {
            std::size_t verbs = 0;
            for (const auto& place : placesOf(form)) verbs += place.part == Part::Verb ? 1 : 0;
            EXPECT_EQ(verbs, 1U) << form;
        }
}

TEST(GrammarTest, Abbreviations) {
    const auto spelled = [](Verb verb, std::string_view word) {
        for (const auto& forms : grammar())
            if (forms.verb == verb) return forms.isSpelled(word);
        return false;
    };
    for (const auto* word : {"s", "sh", "sho", "show"}) EXPECT_TRUE(spelled(Verb::Show, word));
    EXPECT_TRUE(spelled(Verb::List, "l"));
    EXPECT_TRUE(spelled(Verb::Delete, "del"));
    EXPECT_FALSE(spelled(Verb::Delete, "de"));
    EXPECT_TRUE(spelled(Verb::Create, "add"));
    EXPECT_FALSE(spelled(Verb::Create, "creat"));
    EXPECT_FALSE(spelled(Verb::Set, "se"));
    EXPECT_FALSE(spelled(Verb::Show, "shows"));
}

}  // namespace
}  // namespace midonet::cli
