#include "cli/grammar.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "cli/values.h"

namespace midonet::cli {
namespace {

struct PartName {
    std::string_view name;
    Part part;
};

constexpr std::array<PartName, 12> kParts{{{"VERB", Part::Verb},
                                           {"PATH", Part::Path},
                                           {"SELECT", Part::Select},
                                           {"COLLECTION", Part::Collection},
                                           {"FILTER", Part::Filter},
                                           {"VALUES", Part::Values},
                                           {"PACKET", Part::Packet},
                                           {"FIELD", Part::Field},
                                           {"FIELDS", Part::Fields},
                                           {"SINGLE", Part::Single},
                                           {"WORD", Part::Word},
                                           {"on|off", Part::Switch}}};

}  // namespace

bool VerbForms::isSpelled(std::string_view word) const {
    if (std::find(spellings.begin(), spellings.end(), word) != spellings.end()) return true;
    return least > 0 && word.size() >= least && spellings.front().starts_with(word);
}

const std::vector<VerbForms>& grammar() {
    static const std::vector<VerbForms> verbs{
        {Verb::Show, {"show"}, 1, true, "Prints an object, or one of its fields.",
         {"VERB PATH {SELECT} [FIELD]", "PATH {SELECT} VERB {SELECT} [FIELD]", "PATH {SELECT} [FIELD] VERB", "SELECT {SELECT} VERB FIELD",
          "VERB SINGLE [FIELD]", "SINGLE VERB [FIELD]", "SINGLE FIELD VERB"}},
        {Verb::List, {"list"}, 1, true, "Prints the objects of a collection, or those of them that match a filter.",
         {"VERB [PATH] {SELECT} COLLECTION [FILTER]", "[PATH] {SELECT} VERB {SELECT} COLLECTION [FILTER]",
          "[PATH] {SELECT} COLLECTION VERB [FILTER]"}},
        {Verb::Create, {"create", "add"}, 0, true, "Makes an object and prints its name.",
         {"VERB [PATH] {SELECT} COLLECTION [VALUES]", "[PATH] {SELECT} VERB COLLECTION [VALUES]",
          "[PATH] {SELECT} COLLECTION VERB [VALUES]"}},
        {Verb::Delete, {"delete"}, 3, false, "Removes an object.",
         {"VERB PATH {SELECT}", "VERB SELECT {SELECT}", "PATH VERB [PATH] {SELECT}", "PATH {SELECT} VERB {SELECT}",
          "SELECT {SELECT} VERB {SELECT}"}},
        {Verb::Set, {"set"}, 0, false, "Changes fields of an object.",
         {"VERB PATH {SELECT} VALUES", "PATH {SELECT} VERB VALUES", "SELECT {SELECT} VERB VALUES", "VERB SINGLE VALUES",
          "SINGLE VERB VALUES"}},
        {Verb::Clear, {"clear"}, 0, false, "Unsets fields of an object.",
         {"VERB PATH {SELECT} FIELDS", "PATH {SELECT} VERB FIELDS", "SELECT {SELECT} VERB FIELDS"}},
        {Verb::Describe, {"describe"}, 4, true, "Names the collections and fields that an object has.",
         {"VERB [PATH] {SELECT} [COLLECTION]", "[PATH] {SELECT} VERB [COLLECTION]"}},
        {Verb::Trace, {"trace"}, 0, true, "Tells what would happen to a packet that comes in through a port; nothing is sent.",
         {"VERB PATH {SELECT} [PACKET]", "PATH {SELECT} VERB [PACKET]"}},
        {Verb::Debug, {"debug"}, 0, false, "Shows the requests to the server, on stderr.", {"VERB on|off"}},
        {Verb::SetTenant, {"sett"}, 0, false, "Makes a tenant the current one, for lists and new objects.", {"VERB WORD"}},
        {Verb::ClearTenant, {"cleart"}, 0, false, "No tenant is the current one.", {"VERB"}},
        {Verb::Help, {"help"}, 0, false, "Lists the commands, or the forms of one.", {"VERB [WORD]"}},
        {Verb::Exit, {"exit", "quit"}, 0, false, "Ends the session.", {"VERB"}},
    };
    return verbs;
}

std::vector<Place> placesOf(std::string_view form) {
    std::vector<Place> out;
    for (auto text : splitAt(form, ' ')) {
        const bool optional = text.starts_with('[');
        const bool repeated = text.starts_with('{');
        if (optional || repeated) text = text.substr(1, text.size() - 2);
        const auto found = std::find_if(kParts.begin(), kParts.end(), [&](const PartName& name) { return name.name == text; });
        MIDONET_ASSERT(found != kParts.end(), "the forms of the grammar are made of these parts");
        out.push_back({found->part, optional, repeated});
    }
    return out;
}

}  // namespace midonet::cli
