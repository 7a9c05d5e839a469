#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <istream>
#include <iterator>
#include <ostream>

#include "conf/internal/commands.h"
#include "conf/shipped.h"

namespace midonet::conf {
namespace {

void print(const Call& call, const std::vector<Entry>& entries) {
    const auto comments = call.arguments.has('c') || call.arguments.has('s') ? Comments::With : Comments::Without;
    call.world.out << (call.arguments.has('j') ? toJson(entries, comments) : toToml(entries, comments));
}

/// What -s, -t, -h and -H choose.
Result<std::vector<Entry>> chosen(const Call& call) {
    const auto& catalogue = call.world.catalogue;
    if (call.arguments.has('s')) return catalogue.defaults();
    if (call.arguments.has('t') || call.arguments.has('H')) {
        TRY(values, call.repository().values(call.holder()));
        return catalogue.entries(values, "NSDB");
    }
    TRY(layers, call.repository().layers(call.host));
    return catalogue.effective(layers);
}

Result<ExitCode> runDump(const Call& call) {
    TRY(entries, chosen(call));
    print(call, entries);
    return ExitCode::Fine;
}

Result<ExitCode> runGet(const Call& call) {
    TRY(entries, chosen(call));
    std::erase_if(entries, [&](const Entry& entry) { return entry.key != call.arguments.words[0]; });
    if (entries.empty()) return ExitCode::NoSuchKey;
    print(call, entries);
    return ExitCode::Fine;
}

std::string readAll(std::istream& in) { return {std::istreambuf_iterator<char>(in), {}}; }

void warnOfUnknown(const Call& call, const Catalogue::Accepted& accepted) {
    for (const auto& key : accepted.unknown)
        call.world.out << "Installing config key that was not found in the schema: " << key << '\n';
}

Result<ExitCode> runSet(const Call& call) {
    const auto& words = call.arguments.words;
    const auto text = words.empty() ? readAll(call.world.in) : fmt::format("{}", fmt::join(words, "\n"));
    TRY(accepted, call.world.catalogue.accept(text, words.empty() ? "stdin" : "the text"));
    warnOfUnknown(call, accepted);
    const auto repository = call.repository();
    TRY_VOID(call.arguments.has('c') ? repository.replace(call.holder(), accepted.values) : repository.set(call.holder(), accepted.values));
    return ExitCode::Fine;
}

Result<ExitCode> runUnset(const Call& call) {
    TRY_VOID(call.repository().unset(call.holder(), call.arguments.words[0]));
    return ExitCode::Fine;
}

Result<std::string> required(const Call& call, char option, std::string_view question) {
    if (const auto* const value = call.arguments.value(option)) return *value;
    return fail(ErrorCode::Invalid, "{}", question);
}

/// Without -a, only what is not as it would be anyway.
Result<ExitCode> runImport(const Call& call) {
    TRY(file, required(call, 'f', "import of which file? -f FILE"));
    TRY(text, config::readFile(file));
    const auto& catalogue = call.world.catalogue;
    TRY(accepted, catalogue.accept(text, file, Catalogue::Local::LeaveOut));
    if (!call.arguments.has('a'))
        std::erase_if(accepted.values, [&](const auto& value) {
            const auto* const info = catalogue.find(value.first);
            return info != nullptr && info->defaultText == value.second;
        });
    warnOfUnknown(call, accepted);
    for (const auto& key : accepted.local) call.world.out << key << " stays in the file: it belongs to this machine\n";
    TRY_VOID(call.repository().set(call.holder(), accepted.values));
    call.world.out << fmt::format("{} settings imported\n", accepted.values.size());
    return ExitCode::Fine;
}

void printTemplate(const Call& call, const HostId& host, const std::optional<std::string>& name) {
    call.world.out << fmt::format("{}  {}\n", host, name.value_or(std::string(kDefaultTemplate)));
}

Result<ExitCode> runTemplateGet(const Call& call) {
    if (!call.arguments.has('a')) {
        TRY(name, call.repository().templateOf(*call.host));
        printTemplate(call, *call.host, name);
        return ExitCode::Fine;
    }
    TRY(hosts, call.repository().hosts());
    for (const auto& host : hosts)
        if (host.templateName) printTemplate(call, host.host, host.templateName);
    return ExitCode::Fine;
}

Result<ExitCode> runTemplateSet(const Call& call) {
    TRY(name, required(call, 't', "which template? -t TEMPLATE"));
    TRY_VOID(call.repository().useTemplate(*call.host, name));
    return ExitCode::Fine;
}

Result<ExitCode> runTemplateClear(const Call& call) {
    TRY_VOID(call.repository().useNoTemplate(*call.host));
    return ExitCode::Fine;
}

Result<ExitCode> runTemplateList(const Call& call) {
    TRY(templates, call.repository().templates());
    TRY(hosts, call.repository().hosts());
    for (const auto& name : templates) {
        call.world.out << name << '\n';
        for (const auto& host : hosts)
            if (host.templateName == name) call.world.out << fmt::format("    {}\n", host.host);
    }
    return ExitCode::Fine;
}

Result<ExitCode> runTemplateDelete(const Call& call) {
    TRY(name, required(call, 't', "which template? -t TEMPLATE"));
    TRY_VOID(call.repository().removeTemplate(name));
    return ExitCode::Fine;
}

Result<ExitCode> runHosts(const Call& call) {
    TRY(hosts, call.repository().hosts());
    for (const auto& host : hosts) {
        std::string line = fmt::format("{} -> ", host.host);
        if (host.custom) line += "custom : ";
        if (host.templateName && *host.templateName != kDefaultTemplate) line += fmt::format("template({}) : ", *host.templateName);
        call.world.out << line << fmt::format("template({}) : schema\n", kDefaultTemplate);
    }
    return ExitCode::Fine;
}

Result<ExitCode> runDoc(const Call& call) {
    const auto& words = call.arguments.words;
    bool found = false;
    for (const auto& info : call.world.catalogue.settings()) {
        if (!words.empty() && words[0] != info.key) continue;
        call.world.out << fmt::format("{}Key: {}\nType: {}\nDefault value: {}\nDocumentation: {}\n", found ? "\n" : "", info.key, info.kind,
                                      info.secret ? "" : info.defaultText, info.doc);
        if (info.local) call.world.out << "Set it in the file, the environment or by --set of each machine, not here.\n";
        if (!info.local && !info.live) call.world.out << "Takes effect at the next start of the program.\n";
        found = true;
    }
    return found || words.empty() ? ExitCode::Fine : ExitCode::NoSuchKey;
}

/// A template that is there stays as the operator made it.
Result<ExitCode> runDeploy(const Call& call) {
    TRY(existing, call.repository().templates());
    for (const auto& shipped : shippedTemplates()) {
        if (std::find(existing.begin(), existing.end(), shipped.name) != existing.end()) continue;
        TRY(accepted, call.world.catalogue.accept(shipped.text, shipped.name));
        TRY_VOID(call.repository().set(TemplateName{std::string(shipped.name)}, accepted.values));
        call.world.out << "template " << shipped.name << '\n';
    }
    return ExitCode::Fine;
}

Result<ExitCode> runDumpBundled(const Call& call) {
    call.world.out << toToml(call.world.catalogue.defaults(), Comments::With);
    return ExitCode::Fine;
}

constexpr std::size_t kAnyNumber = 1000;

}  // namespace

std::span<const Command> commands() {
    static const std::array<Command, 14> kCommands{{
        {"dump", "htsHjc", "st", "", 0, 0, "prints what counts for a host; -t: a template's own values, -H: the host's own, -s: the defaults",
         Uses::Store, runDump},
        {"get", "htsHjc", "st", "KEY", 1, 1, "the same of one setting; exit code 11 when there is none", Uses::Store, runGet},
        {"set", "htc", "t", "[TEXT]...", 0, kAnyNumber, "takes values, as 'log.level = \"debug\"', or from stdin; -c: and removes all others",
         Uses::Store, runSet},
        {"unset", "ht", "t", "KEY", 1, 1, "removes a value", Uses::Store, runUnset},
        {"import", "htaf", "t", "", 0, 0, "takes the values of a file that differ from the defaults; -a: all", Uses::Store, runImport},
        {"template-get", "ha", "a", "", 0, 0, "prints the template of a host; -a: of all hosts that have one", Uses::Store, runTemplateGet},
        {"template-set", "ht", "", "", 0, 0, "gives a host a template", Uses::Store, runTemplateSet},
        {"template-clear", "h", "", "", 0, 0, "takes it away", Uses::Store, runTemplateClear},
        {"template-list", "", {}, "", 0, 0, "prints the templates and the hosts of each", Uses::Store, runTemplateList},
        {"template-delete", "t", {}, "", 0, 0, "deletes a template that no host uses", Uses::Store, runTemplateDelete},
        {"hosts", "", {}, "", 0, 0, "prints where the values of each host come from", Uses::Store, runHosts},
        {"doc", "", {}, "[KEY]", 0, 1, "explains a setting, or all", Uses::Nothing, runDoc},
        {"deploy", "", {}, "", 0, 0, "makes the templates that come with MidoNet, and the NSDB when there is none",
         Uses::NewStore, runDeploy},
        {"dump-bundled-config", "", {}, "", 0, 0, "prints the settings that this version knows", Uses::Nothing, runDumpBundled},
    }};
    return kCommands;
}

}  // namespace midonet::conf
