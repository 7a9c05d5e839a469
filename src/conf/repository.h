#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "config/settings.h"
#include "nsdb/store.h"

namespace midonet::conf {

/// By key ("log.level"), each as behind `--set key=`.
using Values = std::map<std::string, std::string, std::less<>>;

struct TemplateName {
    std::string text;
    friend auto operator<=>(const TemplateName&, const TemplateName&) = default;
};
/// The template that applies to all hosts. Always there, if empty.
inline constexpr std::string_view kDefaultTemplate = "default";

/// Whose values: those of one host, or of a template.
using Holder = std::variant<HostId, TemplateName>;

/// Where the values of a holder are: key -> value, persistent entries.
std::string configTableName(const Holder& holder);
std::string configTableOfTemplate(const Uuid& id);

/// What the NSDB holds of a host's configuration.
struct ConfiguredHost {
    HostId host;
    bool custom = false;  ///< Has values of its own.
    std::optional<std::string> templateName;
};

/// The configuration that is kept in the NSDB: values of hosts and of templates, and which host uses which
/// template. A value is a record of its own, so two who set different keys do not undo each other.
///
/// Knows no setting: what a key means is the Catalogue's. Any thread; blocks as the store does. Cheap to make.
class Repository {
public:
    explicit Repository(nsdb::Store& store) : store_(store) {}

    /// Empty for a holder nothing was ever set of.
    Result<Values> values(const Holder& holder) const;
    /// Other values stay. Invalid when a key, a value or the name of a template cannot be one.
    Result<void> set(const Holder& holder, const Values& values) const;
    /// Nothing but these.
    Result<void> replace(const Holder& holder, const Values& values) const;
    /// No error when it was not set.
    Result<void> unset(const Holder& holder, const std::string& key) const;

    /// Ordered, `default` among them.
    Result<std::vector<std::string>> templates() const;
    /// Conflict, with the hosts, when some use it; NotFound.
    Result<void> removeTemplate(const std::string& name) const;
    /// NotFound when there is no such template.
    Result<void> useTemplate(const HostId& host, const std::string& name) const;
    /// Back to `default` alone.
    Result<void> useNoTemplate(const HostId& host) const;
    /// All that are configured, ordered by id.
    Result<std::vector<ConfiguredHost>> hosts() const;
    Result<std::optional<std::string>> templateOf(const HostId& host) const;

    /// What counts for a host, weakest first: template `default`, its template, its own values. Of no host: `default`.
    Result<std::vector<config::Layer>> layers(const std::optional<HostId>& host) const;

private:
    Result<void> write(const Holder& holder, const Values& values, const Values& superfluous) const;

    nsdb::Store& store_;
};

/// Values and template of a host that is deleted.
Result<void> removeHost(nsdb::Transaction& transaction, const HostId& host);

}  // namespace midonet::conf
