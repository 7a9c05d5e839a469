#include "conf/repository.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/overloaded.h"
#include "conf/internal/layers.h"
#include "model/ids.h"
#include "model/topology.pb.h"

namespace midonet::conf {
namespace {

using model::ConfigTemplate;
using model::HostConfig;

constexpr std::size_t kLongestName = 200;
constexpr std::size_t kLongestValue = 4096;

bool isName(std::string_view text) {
    return !text.empty() && text.size() <= kLongestName && text.front() != '.' && text.back() != '.' &&
           text.find("..") == text.npos && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
           });
}

Result<void> checkName(std::string_view what, std::string_view text) {
    if (isName(text)) return {};
    return fail(ErrorCode::Invalid, "'{}' cannot be the name of a {}: letters, digits and ._- can, at most {}", text, what, kLongestName);
}

/// The object that the values belong to, made when it is not there.
Result<void> ensure(nsdb::Transaction& transaction, const nsdb::Message& object, const Uuid& id) {
    const auto existing = transaction.get(object.GetDescriptor(), id);
    if (existing) return {};
    if (existing.error().code != ErrorCode::NotFound) return Unexpected{existing.error()};
    return transaction.create(object);
}

Result<void> ensure(nsdb::Transaction& transaction, const Holder& holder) {
    return std::visit(Overloaded{[&](const HostId& host) {
                                     HostConfig object;
                                     object.set_id(model::bytesOf(host.uuid()));
                                     return ensure(transaction, object, host.uuid());
                                 },
                                 [&](const TemplateName& name) {
                                     const auto id = model::configTemplateId(name.text);
                                     ConfigTemplate object;
                                     object.set_id(model::bytesOf(id));
                                     object.set_name(name.text);
                                     return ensure(transaction, object, id);
                                 }},
                      holder);
}

Result<void> requireTemplate(nsdb::Transaction& transaction, const std::string& name) {
    const auto existing = transaction.get<ConfigTemplate>(model::configTemplateId(name));
    if (existing) return {};
    if (existing.error().code != ErrorCode::NotFound) return Unexpected{existing.error()};
    return fail(ErrorCode::NotFound, "there is no template {}: it comes into being with its first value, or is deployed", name);
}

/// nullopt when nothing is kept of the host.
Result<std::optional<HostConfig>> hostConfig(nsdb::View& view, const HostId& host) {
    const auto found = view.get<HostConfig>(host.uuid());
    if (found) return std::optional{*found->object};
    if (found.error().code == ErrorCode::NotFound) return std::optional<HostConfig>{};
    return Unexpected{found.error()};
}

/// An update that does nothing to a host of which nothing is kept.
Result<void> setTemplate(nsdb::Transaction& transaction, const HostId& host, const std::string& id) {
    TRY(config, hostConfig(transaction, host));
    if (!config || config->template_id() == id) return {};
    config->set_template_id(id);
    return transaction.update(*config);
}

Result<std::optional<std::string>> templateNameOf(nsdb::View& view, const HostConfig& config) {
    if (config.template_id().empty()) return std::optional<std::string>{};
    TRY(found, view.get<ConfigTemplate>(model::uuidOf(config.template_id())));
    return std::optional{found.object->name()};
}

Result<void> done(const Result<nsdb::Revision>& result) {
    if (result) return {};
    return Unexpected{result.error()};
}

}  // namespace

std::string configTableName(const Holder& holder) {
    return std::visit(Overloaded{[](const HostId& host) { return fmt::format("HostConfig/{}/values", host); },
                                 [](const TemplateName& name) { return configTableOfTemplate(model::configTemplateId(name.text)); }},
                      holder);
}

std::string configTableOfTemplate(const Uuid& id) { return fmt::format("ConfigTemplate/{}/values", id); }

Result<Values> Repository::values(const Holder& holder) const {
    TRY(entries, store_.readTable(configTableName(holder)));
    Values out;
    for (auto& entry : entries) out.emplace(std::move(entry.key), std::move(entry.value));
    return out;
}

Result<void> Repository::set(const Holder& holder, const Values& values) const { return write(holder, values, {}); }

/// What others set meanwhile is as if it came before or after.
Result<void> Repository::replace(const Holder& holder, const Values& values) const {
    TRY(superfluous, this->values(holder));
    for (const auto& [key, value] : values) superfluous.erase(key);
    return write(holder, values, superfluous);
}

Result<void> Repository::write(const Holder& holder, const Values& values, const Values& superfluous) const {
    if (const auto* name = std::get_if<TemplateName>(&holder)) TRY_VOID(checkName("template", name->text));
    for (const auto& [key, value] : values) {
        TRY_VOID(checkName("setting", key));
        if (value.size() > kLongestValue) return fail(ErrorCode::Invalid, "{}: a value of more than {} bytes", key, kLongestValue);
    }
    const auto table = configTableName(holder);
    return done(store_.transact([&](nsdb::Transaction& transaction) -> Result<void> {
        TRY_VOID(ensure(transaction, holder));
        for (const auto& [key, value] : superfluous) TRY_VOID(transaction.removePersistent(table, key));
        for (const auto& [key, value] : values) TRY_VOID(transaction.putPersistent(table, key, value));
        return {};
    }));
}

Result<void> Repository::unset(const Holder& holder, const std::string& key) const {
    return done(store_.transact([&](nsdb::Transaction& t) { return t.removePersistent(configTableName(holder), key); }));
}

Result<std::vector<std::string>> Repository::templates() const {
    TRY(view, store_.view());
    TRY(found, view->list<ConfigTemplate>());
    std::vector<std::string> out{std::string(kDefaultTemplate)};
    for (const auto& one : found)
        if (one.object->name() != kDefaultTemplate) out.push_back(one.object->name());
    std::sort(out.begin(), out.end());
    return out;
}

Result<void> Repository::removeTemplate(const std::string& name) const {
    const auto id = model::configTemplateId(name);
    return done(store_.transact([&](nsdb::Transaction& transaction) -> Result<void> {
        TRY_VOID(requireTemplate(transaction, name));
        TRY(hosts, transaction.referrers<HostConfig>("template_id", id));
        if (!hosts.empty())
            return fail(ErrorCode::Conflict, "template {} is used by {}: give them another one first", name, fmt::join(hosts, ", "));
        return transaction.remove(ConfigTemplate::descriptor(), id);
    }));
}

Result<void> Repository::useTemplate(const HostId& host, const std::string& name) const {
    return done(store_.transact([&](nsdb::Transaction& transaction) -> Result<void> {
        if (name == kDefaultTemplate) TRY_VOID(ensure(transaction, TemplateName{name}));
        TRY_VOID(requireTemplate(transaction, name));
        TRY_VOID(ensure(transaction, Holder{host}));
        return setTemplate(transaction, host, model::bytesOf(model::configTemplateId(name)));
    }));
}

Result<void> Repository::useNoTemplate(const HostId& host) const {
    return done(store_.transact([&](nsdb::Transaction& transaction) { return setTemplate(transaction, host, {}); }));
}

Result<std::optional<std::string>> Repository::templateOf(const HostId& host) const {
    TRY(view, store_.view());
    TRY(config, hostConfig(*view, host));
    return templateNameOf(*view, config.value_or(HostConfig{}));
}

Result<std::vector<ConfiguredHost>> Repository::hosts() const {
    TRY(view, store_.view());
    TRY(found, view->list<HostConfig>());
    std::vector<ConfiguredHost> out;
    for (const auto& one : found) {
        const HostId host{model::uuidOf(one.object->id())};
        TRY(own, values(host));
        TRY(name, templateNameOf(*view, *one.object));
        if (!own.empty() || name) out.push_back({host, !own.empty(), std::move(name)});
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.host < b.host; });
    return out;
}

Result<std::vector<config::Layer>> Repository::layers(const std::optional<HostId>& host) const {
    HostValues out;
    TRY(ofDefault, values(TemplateName{std::string(kDefaultTemplate)}));
    out.ofDefault = std::move(ofDefault);
    if (host) {
        TRY(own, values(*host));
        out.own = std::move(own);
        TRY(name, templateOf(*host));
        if (name) {
            TRY(ofTemplate, values(TemplateName{*name}));
            out.ofTemplate = std::move(ofTemplate);
        }
    }
    return layersOf(std::move(out));
}

Result<void> removeHost(nsdb::Transaction& transaction, const HostId& host) {
    TRY(config, hostConfig(transaction, host));
    return config ? transaction.remove(HostConfig::descriptor(), host.uuid()) : Result<void>{};
}

}  // namespace midonet::conf
