#include "cli/matcher.h"

#include <algorithm>

#include "base/assert.h"

namespace midonet::cli {
namespace {

using Choices = std::vector<std::string>;

template <class T>
Choices namesOf(const std::vector<const T*>& items) {
    Choices out;
    for (const auto* item : items) out.emplace_back(item->name);
    return out;
}

/// The children of an object that are collections, or those that are not.
/// What is told of a packet is read as the fields of an object are.
constexpr Collection kPacket{"packet", "packet"};

Choices childNames(const ObjectModel& model, const Object& object, bool single) {
    auto children = allChildren(model, *object.type);
    std::erase_if(children, [&](const Collection* child) { return model.type(child->type).single != single; });
    return namesOf(children);
}

bool isAmong(const Choices& choices, std::string_view word) { return std::find(choices.begin(), choices.end(), word) != choices.end(); }

/// What a value may be; of kinds without words, what it is.
Choices valueChoices(const Field& field) {
    Choices out;
    for (const auto word : wordsOf(field)) out.emplace_back(word);
    if (out.empty()) out.push_back(fmt::format("<{}>", field.kind == Kind::Reference ? field.target : field.name));
    return out;
}

}  // namespace

Matcher::Matcher(Objects& objects, const Names& names, std::vector<std::string> words, std::string tenant)
    : objects_(objects), names_(names), words_(std::move(words)), tenant_(std::move(tenant)) {}

std::optional<Command> Matcher::match() {
    const auto root = kept(objects_.root());
    if (!root) return std::nullopt;
    for (const auto& verb : grammar())
        for (const auto form : verb.forms) {
            Command command;
            command.verb = &verb;
            command.object = *root;
            if (run(placesOf(form), 0, std::move(command))) return found_;
        }
    return std::nullopt;
}

void Matcher::explore() {
    exploring_ = true;
    match();
}

/// Optional parts are first taken as absent: what needs no question to the server is tried before what does.
bool Matcher::run(const std::vector<Place>& places, std::size_t place, Command command) {
    if (place == places.size()) {
        if (wordAt(command.at, Choices{}) || exploring_) return false;
        found_ = std::move(command);
        return true;
    }
    const auto& [part, optional, repeated] = places[place];
    const Next rest = [&](Command next) { return run(places, place + 1, std::move(next)); };
    const Next again = [&](Command next) { return run(places, place, std::move(next)); };
    if ((optional || repeated) && rest(command)) return true;
    return read(part, std::move(command), repeated ? again : rest);
}

bool Matcher::read(Part part, Command command, const Next& next) {
    if (trouble_ && trouble_->code != ErrorCode::Unsupported) return false;
    switch (part) {
        case Part::Verb: return readVerb(std::move(command), next);
        case Part::Path: {
            const bool follows = command.verb->follows;
            return readPath(std::move(command), follows, next);
        }
        case Part::Select: return readSelect(std::move(command), next);
        case Part::Collection: return readCollection(std::move(command), next);
        case Part::Filter: return readPairs(command, false, next);
        case Part::Values: return readPairs(command, true, next);
        case Part::Packet: command.collection = &kPacket; return readPairs(command, true, next);
        case Part::Field: return readField(command, next);
        case Part::Fields: return readFields(command, next);
        case Part::Single: return readSingle(std::move(command), next);
        case Part::Word: return readWord(std::move(command), {}, next);
        case Part::Switch: return readWord(std::move(command), {"on", "off"}, next);
    }
    MIDONET_UNREACHABLE();
}

bool Matcher::readVerb(Command command, const Next& next) {
    const auto* word = wordAt(command.at, command.verb->spellings);
    if (!word || !command.verb->isSpelled(*word)) return false;
    ++command.at;
    return next(std::move(command));
}

/// The longest path first.
bool Matcher::readPath(Command command, bool follows, const Next& next) {
    const Next longer = [&](Command there) { return readPath(there, follows, next) || next(std::move(there)); };
    return readStep(command, longer) || (follows && readReference(command, longer));
}

bool Matcher::readStep(const Command& command, const Next& next) {
    const auto* collection = collectionAt(command);
    if (!collection || !objects_.model().type(collection->type).hasId) return false;
    const auto* word = wordAt(command.at + 1, names_.known(*command.object, *collection));
    const auto id = word ? names_.idAmong(*command.object, *word) : std::nullopt;
    const auto object = id ? kept(objects_.find(command.object, *collection, *id)) : std::nullopt;
    if (!object) return false;
    auto there = command;
    there.object = *object;
    there.at += 2;
    return next(std::move(there));
}

bool Matcher::readReference(const Command& command, const Next& next) {
    Choices references;
    for (const auto* field : allFields(objects_.model(), *command.object->type))
        if (field->kind == Kind::Reference && !field->many) references.emplace_back(field->name);
    const auto* name = wordAt(command.at, references);
    if (!name || !isAmong(references, *name)) return false;
    const auto& field = *findField(objects_.model(), *command.object->type, *name);
    const auto ids = referredIds(field, command.object->body);
    const auto object = ids.empty() ? std::nullopt : kept(objects_.byId(field.target, ids.front()));
    if (!object) return false;
    auto there = command;
    there.object = *object;
    ++there.at;
    return next(std::move(there));
}

bool Matcher::readCollection(Command command, const Next& next) {
    command.collection = collectionAt(command);
    if (!command.collection) return false;
    ++command.at;
    return next(std::move(command));
}

bool Matcher::readSelect(Command command, const Next& next) {
    return readCollection(std::move(command), [&](Command there) {
        return readPairs(there, false, [&](Command filtered) { return selectOne(std::move(filtered), next); });
    });
}

bool Matcher::selectOne(Command command, const Next& next) {
    const auto elements = kept(objects_.list(command.object, *command.collection, tenant_));
    if (!elements) return false;
    ObjectPtr only;
    for (const auto& element : *elements) {
        const bool fits = std::all_of(command.assignments.begin(), command.assignments.end(), [&](const Assignment& asked) {
            return matches(*asked.field, element->body, asked.value, names_.reader());
        });
        if (fits && only) return false;
        if (fits) only = element;
    }
    if (!only) return false;
    command.object = std::move(only);
    command.collection = nullptr;
    command.assignments.clear();
    return next(std::move(command));
}

/// As many pairs as there are first.
bool Matcher::readPairs(const Command& command, bool assigned, const Next& next) {
    return readField(command, [&](Command named) {
        const auto& field = *named.fields.back();
        named.fields.pop_back();
        const Next more = [&](Command there) { return readPairs(there, assigned, next) || next(std::move(there)); };
        return readValue(named, field, more);
    });
}

/// One word; or of a reference also a path from the root.
bool Matcher::readValue(const Command& command, const Field& field, const Next& next) {
    const auto with = [&](std::string value, std::size_t at) {
        auto there = command;
        there.assignments.push_back({&field, std::move(value)});
        there.at = at;
        return next(std::move(there));
    };
    const auto* word = wordAt(command.at, valueChoices(field));
    if (!word) return false;
    const auto root = field.kind == Kind::Reference ? kept(objects_.root()) : std::nullopt;
    if (root && findChild(objects_.model(), *(*root)->type, *word)) {
        Command path;
        path.verb = command.verb;
        path.object = *root;
        path.at = command.at;
        if (readPath(path, false, [&](const Command& there) { return with(there.object->id(), there.at); })) return true;
    }
    return with(*word, command.at + 1);
}

bool Matcher::readField(const Command& command, const Next& next) {
    const auto& type = typeAt(command);
    const auto* name = wordAt(command.at, namesOf(allFields(objects_.model(), type)));
    const auto* field = name ? findField(objects_.model(), type, *name) : nullptr;
    if (!field) return false;
    auto there = command;
    there.fields.push_back(field);
    ++there.at;
    return next(std::move(there));
}

bool Matcher::readFields(const Command& command, const Next& next) {
    return readField(command, [&](Command there) { return readFields(there, next) || next(std::move(there)); });
}

bool Matcher::readSingle(Command command, const Next& next) {
    const auto singles = childNames(objects_.model(), *command.object, true);
    const auto* name = wordAt(command.at, singles);
    if (!name || !isAmong(singles, *name)) return false;
    auto object = kept(objects_.single(command.object, *findChild(objects_.model(), *command.object->type, *name)));
    if (!object) return false;
    command.object = std::move(*object);
    ++command.at;
    return next(std::move(command));
}

bool Matcher::readWord(Command command, const std::vector<std::string>& choices, const Next& next) {
    const auto* word = wordAt(command.at, choices);
    if (!word || (!choices.empty() && !isAmong(choices, *word))) return false;
    command.word = *word;
    ++command.at;
    return next(std::move(command));
}

const Collection* Matcher::collectionAt(const Command& command) {
    const auto names = childNames(objects_.model(), *command.object, false);
    const auto* name = wordAt(command.at, names);
    return name && isAmong(names, *name) ? findChild(objects_.model(), *command.object->type, *name) : nullptr;
}

const Type& Matcher::typeAt(const Command& command) const {
    return command.collection ? objects_.model().type(command.collection->type) : *command.object->type;
}

template <class Choices>
const std::string* Matcher::wordAt(std::size_t at, const Choices& choices) {
    if (at > furthest_) {
        expected_.clear();
        furthest_ = at;
    }
    if (at == furthest_)
        for (const auto& choice : choices) expected_.emplace(choice);
    return at < words_.size() ? &words_[at] : nullptr;
}

template <class T>
std::optional<T> Matcher::kept(Result<T> result) {
    if (result) return std::move(*result);
    if (result.error().code != ErrorCode::NotFound && !trouble_) trouble_ = result.error();
    return std::nullopt;
}

}  // namespace midonet::cli
