#include "cli/session.h"

#include <algorithm>

#include "base/assert.h"
#include "base/uuid.h"
#include "cli/hints.h"
#include "cli/tokens.h"
#include "cli/values.h"

namespace midonet::cli {

namespace json = boost::json;

namespace {

constexpr std::string_view kTenantField = "tenant";
constexpr std::size_t kProjectIdLength = 32;

bool isProjectId(std::string_view text) {
    return text.size() == kProjectIdLength && text.find_first_not_of("0123456789abcdefABCDEF") == text.npos;
}

bool fitsAll(const Object& object, const std::vector<Assignment>& filter, const IdOf& idOf) {
    return std::all_of(filter.begin(), filter.end(),
                       [&](const Assignment& asked) { return matches(*asked.field, object.body, asked.value, idOf); });
}

}  // namespace

Session::Session(Api& api, SessionOptions options, std::ostream& out, std::ostream& err)
    : api_(api),
      options_(std::move(options)),
      out_(out),
      err_(err),
      objects_(api),
      names_(objects_, options_.aliases),
      output_(out, names_, options_.style) {
    setDebug(options_.debug);
}

Result<void> Session::probe() {
    TRY(root, objects_.root());
    for (const auto& child : objects_.model().root().children) {
        if (!objects_.model().type(child.type).single) continue;
        TRY(state, objects_.single(root, child));
        if (const auto information = state->text("information"); !information.empty()) err_ << information << '\n';
    }
    objects_.forget();
    return {};
}

Session::Outcome Session::run(std::string_view line) {
    const auto words = tokenise(line);
    if (!words) {
        output_.line("Syntax error: unmatched quote");
        return Outcome::Failed;
    }
    if (words->empty()) return Outcome::Nothing;
    objects_.forget();
    Matcher matcher(objects_, names_, *words, options_.tenant);
    const auto command = matcher.match();
    return command ? execute(*command) : notUnderstood(matcher, *words);
}

std::optional<Subject> Session::subjectOf(std::string_view line) {
    const auto words = tokenise(line);
    const auto command = words ? Matcher(objects_, names_, *words, options_.tenant).match() : std::nullopt;
    if (!command) return std::nullopt;
    Subject out{.verb = command->verb->verb};
    const auto add = [&out](const Type& type) {
        for (const auto name : splitAt(type.changes, ','))
            if (!name.empty()) out.classes.emplace(name);
        out.isLive = out.isLive || type.live;
    };
    // What it lies in may go or be called otherwise.
    for (auto object = command->object; object && !object->isRoot(); object = object->owner) add(*object->type);
    if (command->collection) add(objects_.model().type(command->collection->type));
    for (const auto* field : command->fields)
        if (field->kind == Kind::Reference) add(objects_.model().type(field->target));
    return out;
}

std::vector<std::string> Session::complete(std::string_view line) {
    const auto typed = tokeniseTyped(line);
    objects_.forget();
    Matcher matcher(objects_, names_, typed.words, options_.tenant);
    matcher.explore();
    std::vector<std::string> out;
    if (matcher.furthest() < typed.words.size()) return out;
    for (const auto& word : matcher.expected())
        if (!word.starts_with('<') && word.starts_with(typed.prefix)) out.push_back(word);
    return out;
}

Session::Outcome Session::execute(const Command& command) {
    if (command.verb->verb == Verb::Exit) return Outcome::Ended;
    if (const auto done = perform(command); !done) return failed(done.error());
    return command.verb->verb == Verb::Help ? Outcome::Nothing : Outcome::Succeeded;
}

Result<void> Session::perform(const Command& command) {
    switch (command.verb->verb) {
        case Verb::Show: return show(command);
        case Verb::List: return list(command);
        case Verb::Create: return create(command);
        case Verb::Delete: return objects_.remove(*command.object);
        case Verb::Set: return set(command);
        case Verb::Clear: return clearFields(command);
        case Verb::Describe: return describe(command);
        case Verb::Trace: return trace(command);
        case Verb::Debug: setDebug(command.word == "on"); output_.line(fmt::format("turned {} debug mode", command.word)); return {};
        case Verb::SetTenant: setTenant(command.word); return {};
        case Verb::ClearTenant: options_.tenant.clear(); output_.line("tenant_id: None"); return {};
        case Verb::Help: return help(command);
        case Verb::Exit: return {};
    }
    MIDONET_UNREACHABLE();
}

Result<void> Session::list(const Command& command) {
    TRY(elements, objects_.list(command.object, *command.collection, options_.tenant));
    std::erase_if(elements, [&](const ObjectPtr& element) { return !fitsAll(*element, command.assignments, names_.reader()); });
    output_.list(elements);
    return {};
}

Result<void> Session::show(const Command& command) {
    if (command.fields.empty()) {
        output_.object(*command.object);
        return {};
    }
    const auto& field = *command.fields.front();
    const auto ids = referredIds(field, command.object->body);
    if (field.kind != Kind::Reference || field.many || ids.empty()) {
        output_.field(*command.object, field);
        return {};
    }
    TRY(referred, objects_.byId(field.target, ids.front()));
    output_.object(*referred);
    return {};
}

Result<void> Session::create(const Command& command) {
    if (!command.collection->creatable) return fail(ErrorCode::Unsupported, "Creating elements of this type is not possible");
    const auto& type = objects_.model().type(command.collection->type);
    json::object body;
    for (const auto& preset : type.presets) body[preset.json] = preset.value;
    if (type.makesId) body["id"] = Uuid::random().toString();
    if (const auto* tenant = findField(objects_.model(), type, kTenantField)) body[tenant->json] = options_.tenant;
    for (const auto& [field, value] : command.assignments) TRY_VOID(assign(*field, body, value, names_.reader()));
    TRY(made, objects_.create(command.object, *command.collection, std::move(body)));
    output_.created(*made);
    return {};
}

/// Everything is checked before anything is sent.
Result<void> Session::set(const Command& command) {
    auto object = command.object;
    auto body = object->body;
    for (const auto& [field, value] : command.assignments) TRY_VOID(assign(*field, body, value, names_.reader()));
    bool linked = false;
    for (const auto& [field, value] : command.assignments) {
        if (field->link.empty()) continue;
        TRY(after, objects_.link(object, field->link, body));
        object = std::move(after);
        linked = true;
    }
    if (linked) {
        body = object->body;
        for (const auto& [field, value] : command.assignments)
            if (field->link.empty()) TRY_VOID(assign(*field, body, value, names_.reader()));
    }
    return objects_.update(*object, body);
}

Result<void> Session::clearFields(const Command& command) {
    auto object = command.object;
    auto body = object->body;
    for (const auto* field : command.fields) TRY_VOID(clear(*field, body));
    bool unlinked = false;
    for (const auto* field : command.fields) {
        if (field->link.empty()) continue;
        TRY(after, objects_.unlink(object, field->link));
        object = std::move(after);
        unlinked = true;
    }
    if (unlinked) {
        body = object->body;
        for (const auto* field : command.fields)
            if (field->link.empty()) TRY_VOID(clear(*field, body));
    }
    return objects_.update(*object, body);
}

Result<void> Session::describe(const Command& command) {
    const auto& type = command.collection ? objects_.model().type(command.collection->type) : *command.object->type;
    output_.type(objects_.model(), type);
    return {};
}

Result<void> Session::trace(const Command& command) {
    if (command.object->type->word != "port") return fail(ErrorCode::Invalid, "packets come in through ports: name one");
    json::object question{{"portId", command.object->id()}};
    for (const auto& [field, value] : command.assignments) TRY_VOID(assign(*field, question, value, names_.reader()));
    TRY(root, objects_.root());
    TRY(answer, api_.question(root->text("uri") + "packet_traces", question));
    output_.packetTrace(answer);
    return {};
}

Result<void> Session::help(const Command& command) {
    for (const auto& verb : grammar()) {
        const auto names = fmt::format("{}", fmt::join(verb.spellings, ", "));
        if (command.word.empty()) {
            output_.line(fmt::format("{:<12} {}", names, verb.purpose));
        } else if (verb.isSpelled(command.word)) {
            output_.line(verb.purpose);
            for (const auto form : verb.forms) {
                std::string usage{form};
                output_.line("  " + usage.replace(usage.find("VERB"), 4, verb.spellings.front()));
            }
        }
    }
    if (!command.word.empty() && std::none_of(grammar().begin(), grammar().end(), [&](const auto& v) { return v.isSpelled(command.word); }))
        return fail(ErrorCode::NotFound, "no such command: {}", command.word);
    if (command.word.empty())
        output_.line("A PATH is COLLECTION ID {COLLECTION ID}, a SELECT is COLLECTION FIELD VALUE {FIELD VALUE}.\n"
                     "'help COMMAND' shows the forms of one, 'describe PATH' what there is.");
    return {};
}

void Session::setTenant(const std::string& tenant) {
    if (!options_.oneCommand && !isProjectId(tenant))
        output_.line(fmt::format("WARNING!: tenant_id={} is not a 32-char hex string, which is used in Keystone for project id format", tenant));
    options_.tenant = tenant;
    output_.line(fmt::format("tenant_id: {}", tenant));
}

void Session::setDebug(bool on) {
    api_.traceTo(on ? [this](std::string_view text) { err_ << "DEBUG " << text << '\n'; } : std::function<void(std::string_view)>{});
}

Session::Outcome Session::notUnderstood(const Matcher& matcher, const std::vector<std::string>& words) {
    if (const auto& trouble = matcher.trouble()) return failed(*trouble);
    const bool incomplete = matcher.furthest() >= words.size();
    if (incomplete)
        output_.line("Missing arguments, incomplete command");
    else
        output_.line("Syntax error at: ..." + join(words, matcher.furthest()));
    const auto advice = hint(incomplete ? "" : words[matcher.furthest()], matcher.expected());
    if (!advice.empty()) err_ << advice << '\n';
    return Outcome::Failed;
}

Session::Outcome Session::failed(const Error& error) {
    if (api_.lost() != Lost::No) return lost();
    if (error.code == ErrorCode::PermissionDenied)
        output_.line(fmt::format("User error: '{}'", error.message));
    else
        output_.line("Internal error: " + error.message);
    return Outcome::Failed;
}

Session::Outcome Session::lost() {
    output_.line(api_.lost() == Lost::Credentials ? "Invalid credential. Wrong username/password."
                                                  : "Connection to MidoNet API server refused.");
    output_.line("Bye.");
    return Outcome::Lost;
}

}  // namespace midonet::cli
