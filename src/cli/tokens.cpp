#include "cli/tokens.h"

namespace midonet::cli {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

/// Reads a line character by character. `word` is there as soon as a word has begun, also an empty one in quotes.
class Tokeniser {
public:
    explicit Tokeniser(std::string_view line) : line_(line) {}

    /// True when the line ended outside of quotes.
    bool run() {
        while (at_ < line_.size()) {
            const char c = line_[at_++];
            if (kBlanks.find(c) != kBlanks.npos) {
                endWord();
            } else if (c == '\'' || c == '"') {
                begin();
                if (!quoted(c)) return false;
            } else {
                begin();
                if (c == '\\' && at_ == line_.size()) return false;
                *word += c == '\\' ? line_[at_++] : c;
            }
        }
        return true;
    }

    void endWord() {
        if (word) words.push_back(std::move(*word));
        word.reset();
    }

    std::vector<std::string> words;
    std::optional<std::string> word;

private:
    void begin() {
        if (!word) word.emplace();
    }

    bool quoted(char quote) {
        while (at_ < line_.size()) {
            char c = line_[at_++];
            if (c == quote) return true;
            const bool escapes = quote == '"' && c == '\\' && at_ < line_.size() && (line_[at_] == '"' || line_[at_] == '\\');
            if (escapes) c = line_[at_++];
            *word += c;
        }
        return false;
    }

    std::string_view line_;
    std::size_t at_ = 0;
};

}  // namespace

std::optional<std::vector<std::string>> tokenise(std::string_view line) {
    Tokeniser tokeniser(line);
    if (!tokeniser.run()) return std::nullopt;
    tokeniser.endWord();
    return std::move(tokeniser.words);
}

Typed tokeniseTyped(std::string_view line) {
    Tokeniser tokeniser(line);
    tokeniser.run();
    return {std::move(tokeniser.words), tokeniser.word.value_or("")};
}

std::string join(const std::vector<std::string>& words, std::size_t first) {
    std::string out;
    for (std::size_t i = first; i < words.size(); ++i) out += (i == first ? "" : " ") + words[i];
    return out;
}

}  // namespace midonet::cli
