#include "host/registration.h"

#include <chrono>

#include "base/assert.h"
#include "base/log.h"
#include "model/ids.h"
#include "model/state.pb.h"
#include "model/topology.pb.h"

namespace midonet::host {
namespace {

const Logger kLog{"host"};

model::HostState::InterfaceType toModel(InterfaceType type) {
    switch (type) {
        case InterfaceType::Physical: return model::HostState::PHYSICAL;
        case InterfaceType::Virtual: return model::HostState::VIRTUAL;
        case InterfaceType::Tunnel: return model::HostState::TUNNEL;
        case InterfaceType::Unknown: return model::HostState::TYPE_UNKNOWN;
    }
    MIDONET_UNREACHABLE();
}

model::HostState::Endpoint toModel(Endpoint endpoint) {
    switch (endpoint) {
        case Endpoint::Datapath: return model::HostState::ENDPOINT_DATAPATH;
        case Endpoint::Physical: return model::HostState::ENDPOINT_PHYSICAL;
        case Endpoint::Vm: return model::HostState::ENDPOINT_VM;
        case Endpoint::Gre: return model::HostState::ENDPOINT_GRE;
        case Endpoint::Capwap: return model::HostState::ENDPOINT_CAPWAP;
        case Endpoint::Localhost: return model::HostState::ENDPOINT_LOCALHOST;
        case Endpoint::TunTap: return model::HostState::ENDPOINT_TUNTAP;
        case Endpoint::Unknown: return model::HostState::ENDPOINT_UNKNOWN;
    }
    MIDONET_UNREACHABLE();
}

std::uint64_t unixMilliseconds() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

Registration::Registration(event::Loop& loop, event::BlockingPool& pool, nsdb::Store& store, nsdb::Session& session,
                           Identity identity, std::function<void(Time)> onRegistered)
    : loop_(loop), pool_(pool), store_(store), session_(session), identity_(std::move(identity)),
      onRegistered_(std::move(onRegistered)), self_(std::make_shared<Registration*>(this)) {
    problem_ = "waiting for the NSDB";
    writeHost(Write::IfAbsent);
}

Registration::~Registration() { *self_ = nullptr; }

void Registration::claim() {
    model::HostAlive alive;
    alive.set_session_id(session_.id().toBytes());
    alive.set_since_unix_ms(unixMilliseconds());
    session_.claimState(model::Host::descriptor(), identity_.id.uuid(), "alive", alive.SerializeAsString(),
                        [self = self_](Result<void> answer) {
                            if (*self != nullptr) (*self)->onClaim(answer);
                        });
}

void Registration::onClaim(const Result<void>& answer) {
    if (!answer && answer.error().code == ErrorCode::Conflict) {
        setProblem(fmt::format("another agent is alive with host id {}: wait for nsdb.session_timeout if it was killed just now; "
                               "else give one of the two hosts an id of its own (remove its host id file and restart it)",
                               identity_.id));
        if (!std::exchange(conflictReported_, true))
            session_.putState(model::Host::descriptor(), identity_.id.uuid(), "conflict",
                              fmt::format("an agent on a host named '{}' has the same host id", identity_.name));
        return retry([this] { claim(); });
    }
    if (!answer) {
        setProblem(fmt::format("the host cannot be registered: {}", answer.error().message));
        return retry([this] { writeHost(Write::IfAbsent); });
    }
    if (std::exchange(conflictReported_, false))
        session_.removeState(model::Host::descriptor(), identity_.id.uuid(), "conflict");
    writeHost(Write::Name);
}

/// The object has to be there before its state can be claimed; its name is the claimer's.
void Registration::writeHost(Write what) {
    auto written = std::make_shared<Result<nsdb::Revision>>(fail(ErrorCode::Unavailable, "not tried"));
    const auto write = [&store = store_, identity = identity_, what, written] {
        *written = store.transact([&](nsdb::Transaction& transaction) -> Result<void> {
            const auto existing = transaction.get<model::Host>(identity.id.uuid());
            if (!existing && existing.error().code != ErrorCode::NotFound) return Unexpected{existing.error()};
            if (existing && (what == Write::IfAbsent || existing->object->name() == identity.name)) return {};
            model::Host host;
            if (existing) {
                host = *existing->object;
            } else {
                host.set_id(model::bytesOf(identity.id.uuid()));
                host.set_flooding_proxy_weight(1);
                host.set_container_weight(1);
                host.set_container_limit(-1);
            }
            host.set_name(identity.name);
            return existing ? transaction.update(host) : transaction.create(host);
        });
    };
    const bool queued = pool_.submit(write, loop_, [self = self_, what, written] {
        if (*self != nullptr) (*self)->onHostWritten(what, *written);
    });
    if (!queued) retry([this, what] { writeHost(what); });
}

void Registration::onHostWritten(Write what, const Result<nsdb::Revision>& written) {
    if (!written) {
        setProblem(fmt::format("the host cannot be registered: {}", written.error().message));
        return retry([this, what] { writeHost(what); });
    }
    if (what == Write::IfAbsent) return claim();
    const auto time = std::exchange(registered_, true) ? Time::Again : Time::First;
    if (time == Time::Again && problem_.empty()) return;  // our own session was lost, which writes again what it owned
    setProblem("");
    kLog.info("host registered", {kv("host", identity_.id), kv("name", identity_.name)});
    reportedState_.clear();
    onRegistered_(time);
}

void Registration::retry(std::function<void()> step) { retry_ = loop_.after(kRetryPeriod, std::move(step)); }

void Registration::setProblem(std::string problem) {
    if (problem == problem_) return;
    problem_ = std::move(problem);
    if (!problem_.empty()) kLog.warn("host not registered", {kv("host", identity_.id), kv("problem", problem_)});
}

void Registration::setInterfaces(const std::vector<Interface>& interfaces) {
    model::HostState state;
    state.set_version(identity_.version);
    for (const auto& interface : interfaces) {
        auto& out = *state.add_interfaces();
        out.set_name(interface.name);
        out.set_type(toModel(interface.type));
        out.set_mac(interface.mac.toString());
        for (const auto& address : interface.addresses) out.add_addresses(address.toString());
        out.set_up(interface.up);
        out.set_has_link(interface.hasLink);
        out.set_mtu(interface.mtu);
        out.set_endpoint(toModel(interface.endpoint));
        out.set_ifindex(interface.ifindex);
    }
    auto bytes = state.SerializeAsString();
    if (bytes == reportedState_) return;
    reportedState_ = bytes;
    session_.putState(model::Host::descriptor(), identity_.id.uuid(), "state", std::move(bytes));
}

}  // namespace midonet::host
