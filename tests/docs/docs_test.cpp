/// The pages that list what the code has: complete, and nothing that is gone.
#include <algorithm>
#include <cctype>
#include <fstream>
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

}  // namespace
}  // namespace midonet
