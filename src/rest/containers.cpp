#include <memory>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "rest/binding.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::Port;
using model::ServiceContainer;
using model::ServiceContainerGroup;

/// The port of the container; nullptr when it has none.
Outcome<std::shared_ptr<const Port>> portOf(nsdb::View& view, const ServiceContainer& container) {
    if (container.port_id().empty()) return std::shared_ptr<const Port>{};
    GET_OR_REFUSE(port, view.get<Port>(model::uuidOf(container.port_id())));
    return std::move(port.object);
}

/// As long as no agent runs containers, none of them runs.
Outcome<void> showStatus(const Show& out, const ServiceContainer& container) {
    GET_OR_REFUSE(port, portOf(out.view, container));
    const bool placed = port && !port->host_id().empty();
    out.json.key("hostId").stringOrNull(placed ? model::uuidOf(port->host_id()).toString() : "");
    out.json.key("statusCode").stringOrNull(port ? "STOPPED" : "");
    for (const auto* key : {"statusMessage", "namespaceName", "interfaceName"}) out.json.key(key).null();
    const auto group = model::uuidOf(container.service_group_id());
    out.json.key("serviceContainerGroup");
    out.json.stringOrNull(group.isNil() ? "" : fmt::format("{}/service_container_groups/{}", out.base, group));
    return {};
}

/// A PUT moves the container: the host is that of its port.
Outcome<void> move(const Change& change, const ServiceContainer& stored, ServiceContainer&) {
    GET_OR_REFUSE(port, portOf(change.transaction, stored));
    if (!port) return refuse(406, "container {} has no port: it cannot be moved", model::idOf(stored));
    const auto host = change.body.uuid("hostId");
    if (!host) return refuseProperty("hostId", "must be the UUID of a host");
    Port next = *port;
    next.set_host_id(model::bytesOf(host->value_or(Uuid{})));
    followBinding(*port, next);
    DO_OR_REFUSE(change.transaction.update(next));
    return {};
}

}  // namespace

void addContainers(ObjectApi& api) {
    auto group = resource<ServiceContainerGroup>();
    group.links = {{"serviceContainers", "/service_containers"}};
    group.unserved = {{"hostGroupId", "host group"}};
    api.add(std::move(group));

    auto container = resource<ServiceContainer>({.show = showStatus, .beforeUpdate = move});
    container.more = {{.name = "hostId", .type = ValueType::Uuid, .nullable = true, .readOnly = false, .of = "Host", .doc = "Taken from PUT: moves the container."},
                      {.name = "statusCode", .nullable = true},
                      {.name = "statusMessage", .type = ValueType::Null},
                      {.name = "namespaceName", .type = ValueType::Null},
                      {.name = "interfaceName", .type = ValueType::Null},
                      {.name = "serviceContainerGroup", .type = ValueType::Uri, .nullable = true}};
    api.add(std::move(container));
    api.addChildren<ServiceContainerGroup, ServiceContainer>("service_containers", "service_group_id");
}

}  // namespace midonet::rest
