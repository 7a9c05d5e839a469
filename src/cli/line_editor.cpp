#include "cli/line_editor.h"

#include <dlfcn.h>
// Types only: nothing of the library is linked.
#include <editline/readline.h>

#include <cstdlib>
#include <cstring>

namespace midonet::cli {
namespace {

constexpr const char* kLibrary = "libedit.so.2";

/// The library calls plain functions: what they need of the one editor there is.
struct Current {
    Completer completer;
    std::vector<std::string> candidates;
    std::size_t next = 0;
    decltype(&::rl_completion_matches) matches = nullptr;
    decltype(&::rl_line_buffer) line = nullptr;
    decltype(&::rl_attempted_completion_over) over = nullptr;
};
Current current;

/// Called until it gives null; each candidate is given away.
char* nextCandidate(const char* /*text*/, int state) {
    if (state == 0) current.next = 0;
    return current.next < current.candidates.size() ? ::strdup(current.candidates[current.next++].c_str()) : nullptr;
}

char** complete(const char* text, int /*start*/, int end) {
    *current.over = 1;  // no file names instead
    current.candidates = current.completer(std::string(*current.line, static_cast<std::size_t>(end)));
    return current.candidates.empty() ? nullptr : current.matches(text, nextCandidate);
}

template <class Symbol>
bool find(void* library, const char* name, Symbol& symbol) {
    symbol = reinterpret_cast<Symbol>(::dlsym(library, name));
    return symbol != nullptr;
}

}  // namespace

struct LineEditor::Library {
    ~Library() {
        current = {};
        ::dlclose(handle);
    }

    bool findAll() {
        return find(handle, "readline", readline) && find(handle, "add_history", addHistory) &&
               find(handle, "rl_attempted_completion_function", completion) && find(handle, "rl_completion_matches", current.matches) &&
               find(handle, "rl_line_buffer", current.line) && find(handle, "rl_attempted_completion_over", current.over);
    }

    void* handle = nullptr;
    decltype(&::readline) readline = nullptr;
    decltype(&::add_history) addHistory = nullptr;
    decltype(&::rl_attempted_completion_function) completion = nullptr;
};

LineEditor::LineEditor(std::unique_ptr<Library> library) : library_(std::move(library)) {}
LineEditor::~LineEditor() = default;

Result<std::unique_ptr<LineEditor>> LineEditor::load(Completer completer) {
    void* handle = ::dlopen(kLibrary, RTLD_NOW);
    if (handle == nullptr) return fail(ErrorCode::Unsupported, "no line editing: install the package libedit2");
    auto library = std::make_unique<Library>();
    library->handle = handle;
    if (!library->findAll()) return fail(ErrorCode::Unsupported, "no line editing: {} is another version", kLibrary);
    current.completer = std::move(completer);
    *library->completion = complete;
    return std::unique_ptr<LineEditor>(new LineEditor(std::move(library)));
}

std::optional<std::string> LineEditor::read(const char* prompt) {
    const std::unique_ptr<char, decltype(&std::free)> line(library_->readline(prompt), &std::free);
    if (!line) return std::nullopt;
    if (*line) library_->addHistory(line.get());
    return std::string(line.get());
}

}  // namespace midonet::cli
