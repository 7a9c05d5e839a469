#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace midonet::cli {

/// What the last word of a line can be.
using Completer = std::function<std::vector<std::string>(const std::string& line)>;

/// Lines from a terminal, with editing, history and completion by libedit. The library is loaded when an editor is made, and
/// only then: a script sees neither its start-up time nor its escape codes. One editor at a time.
class LineEditor {
public:
    /// Unsupported: the library is not installed.
    static Result<std::unique_ptr<LineEditor>> load(Completer completer);
    ~LineEditor();
    LineEditor(const LineEditor&) = delete;
    LineEditor& operator=(const LineEditor&) = delete;

    /// nullopt at the end of input.
    std::optional<std::string> read(const char* prompt);

private:
    struct Library;
    explicit LineEditor(std::unique_ptr<Library> library);
    std::unique_ptr<Library> library_;
};

}  // namespace midonet::cli
