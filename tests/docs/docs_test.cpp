/// The pages that list what the code has: complete, and nothing that is gone.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flow/drop_reason.h"

namespace midonet {
namespace {

std::vector<std::string> linesOf(const std::string& page) {
    std::ifstream file(std::string(MIDONET_DOCS) + "/" + page);
    EXPECT_TRUE(file) << "docs/" << page << " is missing";
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

TEST(DropReasonsPage, HasOneHeadingForEachReasonInTheirOrderAndText) {
    const auto lines = linesOf("drop-reasons.md");
    std::vector<std::string> headings;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (!lines[i].starts_with("### ")) continue;
        headings.push_back(lines[i].substr(4));
        ASSERT_LT(i + 1, lines.size());
        EXPECT_GT(lines[i + 1].size(), 20U)
            << "say what " << headings.back() << " means and what to do";
    }
    std::vector<std::string> reasons;
    for (const auto reason : flow::allDropReasons()) reasons.emplace_back(flow::toString(reason));
    EXPECT_THAT(headings, ::testing::ElementsAreArray(reasons));
}

struct Entry {
    std::string word;
    std::string text;
};

/// `**word** — text`
std::vector<Entry> glossary() {
    const std::string between = "** — ";
    std::vector<Entry> entries;
    for (const auto& line : linesOf("glossary.md")) {
        if (!line.starts_with("**")) continue;
        const auto end = line.find(between);
        EXPECT_NE(end, line.npos) << "not of the form '**word** — text': " << line;
        if (end != line.npos)
            entries.push_back({line.substr(2, end - 2), line.substr(end + between.size())});
    }
    return entries;
}

TEST(Glossary, EveryWordIsExplainedOnceInAlphabeticalOrder) {
    const auto entries = glossary();
    ASSERT_FALSE(entries.empty());
    std::vector<std::string> words;
    for (const auto& [word, text] : entries) {
        EXPECT_GT(text.size(), 20U) << word;
        EXPECT_TRUE(text.ends_with(".") || text.ends_with("*(later)*")) << word << ": " << text;
        std::string lower;
        for (const unsigned char c : word) lower += static_cast<char>(std::tolower(c));
        words.push_back(lower);
    }
    for (std::size_t i = 1; i < words.size(); ++i) EXPECT_LT(words[i - 1], words[i]);
}

TEST(Glossary, HasTheWordsThatTheCodeIsMadeOf) {
    std::vector<std::string> words;
    for (const auto& entry : glossary()) words.push_back(entry.word);
    for (const char* word :
         {"binding",  "bridge",      "effect", "exterior port", "flow",   "host",  "interior port",
          "lease",    "mask",        "miss",   "owned entry",   "park",   "port",  "revision",
          "snapshot", "state table", "tag",    "tunnel zone",   "upcall", "watch", "worker"})
        EXPECT_THAT(words, ::testing::Contains(word));
}

/// "Suite.Test" and "file.py::test" of every test in the tree.
std::set<std::string> allTests() {
    static const std::regex cppTest{R"((?:TEST|TEST_F|TEST_P|RC_GTEST_PROP)\((\w+),\s*(\w+))"}, pythonTest{R"(def (test_\w+)\()"};
    std::set<std::string> found;
    for (const auto* folder : {"src", "tests"})
        for (const auto& file : std::filesystem::recursive_directory_iterator(std::filesystem::path(MIDONET_SOURCES) / folder)) {
            const auto name = file.path().filename().string();
            const bool isPython = name.starts_with("test_") && name.ends_with(".py");
            if (!isPython && !name.ends_with("_test.cpp")) continue;
            std::stringstream text;
            text << std::ifstream(file.path()).rdbuf();
            const auto content = text.str();
            if (isPython) found.insert(name);
            for (std::sregex_iterator it{content.begin(), content.end(), isPython ? pythonTest : cppTest}, end; it != end; ++it)
                found.insert(isPython ? name + "::" + (*it)[1].str() : (*it)[1].str() + "." + (*it)[2].str());
        }
    return found;
}

TEST(ScenariosPage, NamesTestsThatExistForEachOfThe120Numbers) {
    static const std::regex name{R"(`([A-Z]\w+\.[A-Z]\w+|test_\w+\.py(?:::\w+)?)`)"};
    const auto tests = allTests();
    int number = 0;
    for (const auto& line : linesOf("scenarios.md")) {
        if (line.size() < 3 || !line.starts_with("| ") || std::isdigit(static_cast<unsigned char>(line[2])) == 0) continue;
        EXPECT_TRUE(line.starts_with("| " + std::to_string(++number) + " | ")) << line;
        const std::vector<std::string> named{std::sregex_token_iterator{line.begin(), line.end(), name, 1}, {}};
        for (const auto& test : named) EXPECT_TRUE(tests.contains(test)) << test << " in scenario " << number;
        if (line.find(" | yes | ") != line.npos) {
            EXPECT_FALSE(named.empty()) << "nothing shows scenario " << number;
        }
    }
    EXPECT_EQ(number, 120);
}

}  // namespace
}  // namespace midonet
