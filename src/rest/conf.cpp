#include <algorithm>
#include <memory>

#include "conf/repository.h"
#include "conf/text.h"
#include "rest/entity_tag.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

constexpr std::string_view kText = "text/plain";

/// The configuration in the NSDB, as JSON in plain text; what mm-conf does, over HTTP.
class Conf {
public:
    Conf(nsdb::Store& store, conf::Catalogue catalogue) : repository_(store), catalogue_(std::move(catalogue)) {}

    Outcome<http::Response> schemas(const Call&) const { return plain(conf::toJson(catalogue_.defaults(), conf::Comments::With)); }

    Outcome<http::Response> runtime(const Call& call) const {
        GET_OR_REFUSE(host, hostOf(call));
        GET_OR_REFUSE(layers, repository_.layers(host));
        return plain(conf::toJson(catalogue_.effective(layers)));
    }

    Outcome<http::Response> showHost(const Call& call) const {
        GET_OR_REFUSE(host, hostOf(call));
        return show(host);
    }
    Outcome<http::Response> changeHost(const Call& call) const {
        GET_OR_REFUSE(host, hostOf(call));
        return merge(host, call);
    }
    Outcome<http::Response> clearHost(const Call& call) const {
        GET_OR_REFUSE(host, hostOf(call));
        DO_OR_REFUSE(check(call, showHost(call)));
        DO_OR_REFUSE(repository_.replace(host, {}));
        return Call::empty(200);
    }

    Outcome<http::Response> templates(const Call&) const {
        GET_OR_REFUSE(names, repository_.templates());
        model::JsonWriter json;
        json.beginObject().key("templates").beginArray();
        for (const auto& name : names) json.string(name);
        return plain(json.endArray().endObject().take());
    }
    Outcome<http::Response> showTemplate(const Call& call) const {
        const auto& name = call.parameters["name"];
        GET_OR_REFUSE(names, repository_.templates());
        if (std::find(names.begin(), names.end(), name) == names.end()) return refuse(404, "there is no template {}", name);
        return show(conf::TemplateName{name});
    }
    Outcome<http::Response> changeTemplate(const Call& call) const { return merge(conf::TemplateName{call.parameters["name"]}, call); }
    Outcome<http::Response> removeTemplate(const Call& call) const {
        DO_OR_REFUSE(check(call, showTemplate(call)));
        DO_OR_REFUSE(repository_.removeTemplate(call.parameters["name"]));
        return Call::empty(200);
    }

    Outcome<http::Response> mappings(const Call&) const {
        GET_OR_REFUSE(hosts, repository_.hosts());
        model::JsonWriter json;
        json.beginObject();
        for (const auto& host : hosts)
            if (host.templateName) json.key(host.host.toString()).string(*host.templateName);
        return plain(json.endObject().take());
    }
    Outcome<http::Response> map(const Call& call) const {
        GET_OR_REFUSE(host, hostOf(call));
        GET_OR_REFUSE(body, call.body());
        GET_OR_REFUSE(name, body.text(host.toString()));
        if (!name) return refuse(400, "the body must be {{\"{}\": \"TEMPLATE\"}}", host);
        DO_OR_REFUSE(repository_.useTemplate(host, *name));
        model::JsonWriter json;
        return plain(json.beginObject().key(host.toString()).string(*name).endObject().take());
    }
    Outcome<http::Response> unmap(const Call& call) const {
        GET_OR_REFUSE(host, hostOf(call));
        DO_OR_REFUSE(repository_.useNoTemplate(host));
        return Call::empty(200);
    }

private:
    static Outcome<HostId> hostOf(const Call& call) {
        GET_OR_REFUSE(id, call.id("host"));
        return HostId{id};
    }
    /// Just before the change, not in one transaction with it: the repository has its own.
    static Outcome<void> check(const Call& call, const Outcome<http::Response>& shown) {
        if (shown) return checkMatch(call.request, std::string_view{shown->body});
        constexpr int kNotThere = 404;  // as without the header: the change says so
        return shown.error().status == kNotThere ? Outcome<void>{} : Outcome<void>{tl::unexpected<Fault>{shown.error()}};
    }
    Outcome<http::Response> show(const conf::Holder& holder) const {
        GET_OR_REFUSE(values, repository_.values(holder));
        return plain(conf::toJson(catalogue_.entries(values, "NSDB")));
    }
    Outcome<http::Response> merge(const conf::Holder& holder, const Call& call) const {
        GET_OR_REFUSE(accepted, catalogue_.accept(call.request.body, "the body"));
        DO_OR_REFUSE(repository_.set(holder, accepted.values));
        return show(holder);
    }
    static http::Response plain(std::string json) { return http::Response::text(200, kText, std::move(json)); }

    conf::Repository repository_;
    conf::Catalogue catalogue_;
};

}  // namespace

void addConf(ObjectApi& api, conf::Catalogue catalogue) {
    const auto conf = std::make_shared<const Conf>(api.store(), std::move(catalogue));
    const auto add = [&](http::Method method, std::string_view path, Outcome<http::Response> (Conf::*run)(const Call&) const) {
        api.service().add({.method = method, .path = fmt::format("/conf{}", path), .produces = {}, .consumes = {}, .blocks = true,
                           .run = [conf, run](const Call& call) { return ((*conf).*run)(call); },
                           .about = {.success = 200, .answer = method == http::Method::Delete ? "" : std::string{kText}}});
    };
    using http::Method;
    add(Method::Get, "/schemas", &Conf::schemas);
    add(Method::Get, "/runtime/{host}", &Conf::runtime);
    add(Method::Get, "/nodes/{host}", &Conf::showHost);
    add(Method::Post, "/nodes/{host}", &Conf::changeHost);
    add(Method::Delete, "/nodes/{host}", &Conf::clearHost);
    add(Method::Get, "/templates", &Conf::templates);
    add(Method::Get, "/templates/{name}", &Conf::showTemplate);
    add(Method::Post, "/templates/{name}", &Conf::changeTemplate);
    add(Method::Delete, "/templates/{name}", &Conf::removeTemplate);
    add(Method::Get, "/template-mappings", &Conf::mappings);
    add(Method::Post, "/template-mappings/{host}", &Conf::map);
    add(Method::Delete, "/template-mappings/{host}", &Conf::unmap);
}

}  // namespace midonet::rest
