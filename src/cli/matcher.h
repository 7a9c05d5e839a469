#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cli/grammar.h"
#include "cli/names.h"
#include "cli/objects.h"

namespace midonet::cli {

/// FIELD VALUE
struct Assignment {
    const Field* field;
    std::string value;
};

/// What a line says, as far as it has been read.
struct Command {
    const VerbForms* verb = nullptr;
    ObjectPtr object;                        ///< Where the paths and selections have led; the root at first.
    const Collection* collection = nullptr;  ///< Of that object.
    std::vector<Assignment> assignments;     ///< Of a filter, or values to be set.
    std::vector<const Field*> fields;
    std::string word;
    std::size_t at = 0;  ///< The first word that is not read yet.
};

/// Reads the words of one line by the forms of the grammar: all are tried, the first that fits entirely wins. Objects on the
/// way are asked for; one that does not exist makes the form not fit.
class Matcher {
public:
    Matcher(Objects& objects, const Names& names, std::vector<std::string> words, std::string tenant = {});

    /// nullopt: no form fits; see the rest.
    std::optional<Command> match();
    /// Tries every form to its end, to learn what could follow the words.
    void explore();

    /// The first word that no form could read; the number of words where something is missing.
    std::size_t furthest() const { return furthest_; }
    /// What could stand there. Words in "<>" say what kind of thing it is.
    const std::set<std::string>& expected() const { return expected_; }
    /// Why the objects on the way could not be asked for.
    const std::optional<Error>& trouble() const { return trouble_; }

private:
    using Next = std::function<bool(Command)>;

    bool run(const std::vector<Place>& places, std::size_t place, Command command);
    bool read(Part part, Command command, const Next& next);
    bool readVerb(Command command, const Next& next);
    bool readPath(Command command, bool follows, const Next& next);
    bool readStep(const Command& command, const Next& next);
    bool readReference(const Command& command, const Next& next);
    bool readSelect(Command command, const Next& next);
    bool readCollection(Command command, const Next& next);
    bool readPairs(const Command& command, bool assigned, const Next& next);
    bool readValue(const Command& command, const Field& field, const Next& next);
    bool readFields(const Command& command, const Next& next);
    bool readField(const Command& command, const Next& next);
    bool readSingle(Command command, const Next& next);
    bool readWord(Command command, const std::vector<std::string>& choices, const Next& next);

    bool selectOne(Command command, const Next& next);
    /// The collection whose name stands there; null: none.
    const Collection* collectionAt(const Command& command);
    /// The type whose fields stand at that point.
    const Type& typeAt(const Command& command) const;
    /// Says what is read at `at`; the word there, or null behind the end.
    template <class Choices>
    const std::string* wordAt(std::size_t at, const Choices& choices);
    /// The value, or null with the trouble kept.
    template <class T>
    std::optional<T> kept(Result<T> result);

    Objects& objects_;
    const Names& names_;
    std::vector<std::string> words_;
    std::string tenant_;
    std::size_t furthest_ = 0;
    std::set<std::string> expected_;
    std::optional<Error> trouble_;
    std::optional<Command> found_;
    bool exploring_ = false;
};

}  // namespace midonet::cli
