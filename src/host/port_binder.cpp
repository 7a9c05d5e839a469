#include "host/port_binder.h"

#include <algorithm>

#include "model/ids.h"
#include "model/port_binding.h"
#include "model/topology.pb.h"

namespace midonet::host {
namespace {

Result<void> checkName(const std::string& interface) {
    constexpr std::size_t kLongestName = 15;  // IFNAMSIZ without the NUL
    const bool strange = std::any_of(interface.begin(), interface.end(), [](unsigned char c) { return c <= ' ' || c == '/' || c == 0x7f; });
    if (interface.empty() || interface.size() > kLongestName || strange)
        return fail(ErrorCode::Invalid, "'{}' is not the name of an interface: 1 to {} characters, no blanks, no '/'", interface,
                    kLongestName);
    return {};
}

Result<void> bind(nsdb::Transaction& transaction, const HostId& self, const PortId& port, const std::string& interface) {
    TRY(stored, transaction.get<model::Port>(port.uuid()));
    if (!stored.object->peer_id().empty())
        return fail(ErrorCode::Conflict, "port {} is linked to port {}: only a port without a peer can be bound", port,
                    model::uuidOf(stored.object->peer_id()));
    TRY(holder, transaction.findUnique(model::Port::descriptor(), "place", model::placeOf(self.uuid(), interface)));
    if (holder && *holder != port.uuid())
        return fail(ErrorCode::Conflict, "interface {} of this host is bound to port {}: unbind that one first", interface, *holder);
    model::Port next = *stored.object;
    next.set_host_id(model::bytesOf(self.uuid()));
    next.set_interface_name(interface);
    followBinding(*stored.object, next);
    return transaction.update(next);
}

Result<void> unbind(nsdb::Transaction& transaction, const HostId& self, const PortId& port) {
    TRY(stored, transaction.get<model::Port>(port.uuid()));
    if (model::uuidOf(stored.object->host_id()) != self.uuid()) return {};
    model::Port next = *stored.object;
    next.clear_host_id();
    next.clear_interface_name();
    followBinding(*stored.object, next);
    return transaction.update(next);
}

Result<void> written(const Result<nsdb::Revision>& revision) {
    if (!revision) return Unexpected{revision.error()};
    return {};
}

}  // namespace

Result<void> bindPort(nsdb::Store& store, const HostId& self, const PortId& port, const std::string& interface) {
    TRY_VOID(checkName(interface));
    return written(store.transact([&](nsdb::Transaction& transaction) { return bind(transaction, self, port, interface); }));
}

Result<void> unbindPort(nsdb::Store& store, const HostId& self, const PortId& port) {
    return written(store.transact([&](nsdb::Transaction& transaction) { return unbind(transaction, self, port); }));
}

}  // namespace midonet::host
