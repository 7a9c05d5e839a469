#include "agent/management.h"

#include <boost/json.hpp>
#include <filesystem>

#include "agent/meter_names.h"
#include "base/assert.h"
#include "http/router.h"
#include "http/server.h"
#include "metrics/process.h"

namespace midonet::agent {

enum class Management::Page : http::Router::RouteId { Metrics, Status, Meters, DeviceStats, Flush, Bind, Unbind, Tracers, AddTracer, RemoveTracer, FlushTracers, FlushDeadTracers };

namespace {

namespace json = boost::json;

http::Response textPage(int status, std::string_view message) {
    return http::Response::text(status, "text/plain", std::string(message) + "\n");
}

http::Response jsonPage(const json::object& object) {
    return http::Response::text(200, "application/json", json::serialize(object) + "\n");
}

http::Response errorPage(const Error& error) {
    switch (error.code) {
        case ErrorCode::Malformed:
        case ErrorCode::Invalid: return textPage(400, error.message);
        case ErrorCode::NotFound: return textPage(404, error.message);
        case ErrorCode::AlreadyExists:
        case ErrorCode::Conflict: return textPage(409, error.message);
        case ErrorCode::Stale:
        case ErrorCode::Unavailable:
        case ErrorCode::Exhausted:
        case ErrorCode::Timeout: return textPage(503, error.message);
        case ErrorCode::PermissionDenied:
        case ErrorCode::Unsupported:
        case ErrorCode::Internal: return textPage(500, error.message);
    }
    MIDONET_UNREACHABLE();
}

http::Response emptyPage(const Result<void>& done) { return done ? http::Response::text(204, "text/plain", "") : errorPage(done.error()); }

http::Response removedPage(std::size_t count) { return jsonPage({{"removed", count}}); }

http::Response tracersPage(const PacketTracers& tracers) {
    json::array list;
    for (const auto& entry : tracers.list()) list.push_back({{"tracer", toString(entry.tracer)}, {"left", entry.left}});
    return jsonPage({{"tracers", std::move(list)}});
}

struct WantedBinding {
    PortId port;
    std::string interface;
};

Result<PortId> readPort(const std::string& text) {
    TRY(id, Uuid::parse(text));
    return PortId{id};
}

Result<WantedBinding> readBinding(const std::string& port, const std::string& body) {
    TRY(id, readPort(port));
    boost::system::error_code error;
    const auto value = json::parse(body, error);
    const auto* const object = error ? nullptr : value.if_object();
    const auto* const name = object == nullptr ? nullptr : object->if_contains("interfaceName");
    if (name == nullptr || !name->is_string()) return fail(ErrorCode::Malformed, R"(the body must be {{"interfaceName": "NAME"}})");
    return WantedBinding{id, std::string{name->get_string()}};
}

json::object statusJson(const Agent::Status& status) {
    const auto orNull = [](const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); };
    json::array bindings;
    for (const auto& b : status.bindings)
        bindings.push_back({{"portId", b.port.toString()}, {"interfaceName", b.interface}, {"active", b.problem.empty()},
                            {"problem", orNull(b.problem)}});
    json::array memberships;
    for (const auto& m : status.memberships)
        memberships.push_back({{"tunnelZoneId", m.zone.toString()}, {"ipAddress", m.address}, {"problem", orNull(m.problem)}});
    json::array peers;
    for (const auto& p : status.peers)
        peers.push_back({{"hostId", p.host.toString()}, {"type", p.spec.type == datapath::TunnelType::Gre ? "gre" : "vxlan"},
                         {"local", p.spec.local.toString()}, {"remote", p.spec.remote.toString()}});
    json::object features;
    for (const auto& [feature, how] : status.capabilities.features) features[feature] = how;
    return {{"hostId", status.host.toString()},
            {"hostName", status.hostName},
            {"ready", status.ready},
            {"problem", orNull(status.problem)},
            {"nsdbConnected", status.storeConnected},
            {"isolated", status.isolated},
            {"settingsForNextStart", json::array(status.waitingSettings.begin(), status.waitingSettings.end())},
            {"datapath", {{"name", status.capabilities.name}, {"features", std::move(features)}}},
            {"bindings", std::move(bindings)},
            {"tunnelZones", std::move(memberships)},
            {"peers", std::move(peers)}};
}

/// "port=p-vm1,reason=x" -> labels.
metrics::Labels labelsOf(std::string_view text) {
    metrics::Labels labels;
    while (!text.empty()) {
        const auto comma = text.find(',');
        const auto one = text.substr(0, comma);
        const auto equals = one.find('=');
        if (equals != one.npos) labels.emplace_back(one.substr(0, equals), one.substr(equals + 1));
        text = comma == text.npos ? std::string_view{} : text.substr(comma + 1);
    }
    return labels;
}

void report(metrics::Sink& sink, const Agent::Status& status) {
    const auto number = [](auto value) { return static_cast<double>(value); };
    sink.gauge("midonet_agent_ready", "1 when the host is registered and its topology is in the datapath", {}, status.ready ? 1 : 0);
    sink.gauge("midonet_agent_nsdb_connected", "1 while the NSDB can be reached", {}, status.storeConnected ? 1 : 0);
    sink.gauge("midonet_agent_isolated", "1 when the NSDB could not be reached for longer than nsdb.grace_time", {}, status.isolated ? 1 : 0);
    sink.gauge("midonet_topology_devices", "Virtual devices this host has loaded", {{"kind", "port"}}, number(status.ports));
    sink.gauge("midonet_topology_devices", "Virtual devices this host has loaded", {{"kind", "bridge"}}, number(status.bridges));
    sink.gauge("midonet_topology_devices", "Virtual devices this host has loaded", {{"kind", "router"}}, number(status.routers));
    sink.gauge("midonet_topology_devices", "Virtual devices this host has loaded", {{"kind", "chain"}}, number(status.chains));
    sink.gauge("midonet_agent_states", "Entries of the connection state", {}, number(status.states));
    sink.gauge("midonet_agent_arps_published", "ARP table entries this host has published", {}, number(status.publishedArps));
    sink.gauge("midonet_topology_generation", "Snapshots published since start", {}, number(status.generation));
    sink.gauge("midonet_topology_published_timestamp_seconds", "When the last of them was published", {},
               std::chrono::duration<double>(status.published.time_since_epoch()).count());
    sink.gauge("midonet_nsdb_watches", "Objects, indexes, states and tables watched in the NSDB", {}, number(status.watches));
    sink.gauge("midonet_agent_macs_published", "MAC table entries this host has published", {}, number(status.publishedMacs));
    sink.gauge("midonet_host_bindings", "Ports bound to this host, by state", {{"state", "active"}},
               number(std::count_if(status.bindings.begin(), status.bindings.end(), [](const auto& b) { return b.problem.empty(); })));
    sink.gauge("midonet_host_bindings", "Ports bound to this host, by state", {{"state", "problem"}},
               number(std::count_if(status.bindings.begin(), status.bindings.end(), [](const auto& b) { return !b.problem.empty(); })));
    sink.gauge("midonet_host_peers", "Hosts reached through a tunnel", {}, number(status.peers.size()));

    for (std::size_t i = 0; i < status.workers.size(); ++i) {
        const auto& w = status.workers[i];
        const metrics::Labels worker{{"worker", std::to_string(i)}};
        sink.counter("midonet_worker_upcalls_total", "Packets the datapath handed to the agent", worker, number(w.upcalls));
        sink.counter("midonet_worker_simulations_total", "Packets taken through the virtual topology", worker, number(w.simulations));
        sink.counter("midonet_worker_untunnelled_total", "First packets of tunnelled flows", worker, number(w.untunnelled));
        sink.counter("midonet_worker_packets_executed_total", "Packets given back to the datapath", worker, number(w.packetsExecuted));
        sink.counter("midonet_worker_execute_errors_total", "Packets the datapath refused to execute", worker, number(w.executeErrors));
        sink.counter("midonet_worker_install_errors_total", "Flows the datapath refused to install", worker, number(w.installErrors));
        sink.counter("midonet_worker_flows_installed_total", "Flows installed", worker, number(w.flowsInstalled));
        sink.counter("midonet_worker_flows_invalidated_total", "Flows removed because a tag was invalidated", worker, number(w.invalidations));
        sink.counter("midonet_worker_macs_refused_total", "MACs not learned because the port has too many", worker, number(w.macsRefused));
        sink.counter("midonet_worker_frames_made_total", "Frames of virtual devices: ARP, ICMP", worker, number(w.framesMade));
        sink.counter("midonet_worker_errors_withheld_total", "ICMP errors beyond the rate of their port", worker, number(w.errorsWithheld));
        for (const auto& [what, count] : {std::pair{"sent", w.stateMessagesSent}, {"resent", w.stateMessagesResent}, {"read", w.stateMessagesRead},
                                          {"malformed", w.stateMessagesBad}, {"lost", w.stateMessagesLost}})
            sink.counter("midonet_worker_state_messages_total", "Messages about connections between hosts",
                         {{"result", what}, {"worker", std::to_string(i)}}, number(count));
        sink.gauge("midonet_worker_nat_blocks", "Blocks of ports leased for source translation", worker, number(w.natBlocks));
        sink.gauge("midonet_worker_nat_ports", "Ports of them that connections use", worker, number(w.natPortsTaken));
        sink.gauge("midonet_worker_flows", "Flows installed now", worker, number(w.flows));
        sink.gauge("midonet_worker_waiting_packets", "Packets waiting for a device, a neighbour or a block", worker, number(w.waitingPackets));
        sink.gauge("midonet_worker_early_packets", "Packets that may be ahead of the state of their connection", worker, number(w.earlyPackets));
        sink.gauge("midonet_worker_mac_entries", "MAC table entries known", worker, number(w.macEntries));
        for (std::size_t r = 0; r < w.flowsRemoved.size(); ++r)
            sink.counter("midonet_worker_flows_removed_total", "Flows ended, by reason",
                         {{"reason", std::string(toString(static_cast<flowcontrol::RemovalReason>(r)))}, {"worker", std::to_string(i)}},
                         number(w.flowsRemoved[r]));
        for (const auto reason : flow::allDropReasons())
            sink.counter("midonet_worker_drops_total", "Packets not forwarded, by reason (docs/drop-reasons.md)",
                         {{"reason", std::string(toString(reason))}, {"worker", std::to_string(i)}},
                         number(w.drops[static_cast<std::size_t>(reason)]));
    }
    for (const auto& counter : status.datapath)
        sink.counter("midonet_datapath_" + counter.name + "_total", "Counted by the datapath (docs/drop-reasons.md)",
                     labelsOf(counter.label), number(counter.value));
}

/// Names and labels are those of MidoNet 5; so the bytes have no `_total`.
void reportMeters(metrics::Sink& sink, const Agent::Meters& meters, bool all) {
    for (const auto& [name, counts] : meters) {
        if (!all && !name.starts_with(kUserMeters)) continue;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            const metrics::Labels labels{{"key", name}, {"registry", std::to_string(i)}};
            sink.counter("midonet_packets_total", "Packets by meter (mm-meter) and worker", labels, static_cast<double>(counts[i].packets));
            sink.counter("midonet_packets_bytes", "Bytes by meter (mm-meter) and worker", labels, static_cast<double>(counts[i].bytes));
        }
    }
}

http::Response metersPage(const Agent::Meters& meters) {
    json::object out;
    for (const auto& [name, counts] : meters) {
        const auto sum = flowcontrol::sumOf(counts);
        out[name] = {{"packets", sum.packets}, {"bytes", sum.bytes}};
    }
    return jsonPage(out);
}

http::Response deviceStatsPage(const Agent::Meters& meters) {
    std::string out;
    for (const auto& [name, counts] : meters) {
        const auto sum = flowcontrol::sumOf(counts);
        fmt::format_to(std::back_inserter(out), "{}\t{}\t{}\n", name, sum.packets, sum.bytes);
    }
    return http::Response::text(200, "text/plain", std::move(out));
}

}  // namespace

Management::Management() = default;
Management::~Management() = default;

std::string Management::address() const { return page_ ? page_->address() : std::string{}; }

Result<std::unique_ptr<Management>> Management::start(event::Loop& loop, Agent& agent, const Options& options) {
    std::unique_ptr<Management> self{new Management};
    self->metersInMetrics_ = options.metersInMetrics;
    if (!options.listen.empty()) {
        TRY(page, self->serve(loop, agent, options.listen, Access::Everybody));
        self->page_ = std::move(page);
    }
    if (!options.socket.empty()) {
        std::error_code error;
        std::filesystem::create_directories(std::filesystem::path{options.socket}.parent_path(), error);
        if (error) return fail(ErrorCode::Unavailable, "agent.socket: its folder cannot be made: {}", error.message());
        auto socket = self->serve(loop, agent, "unix:" + options.socket, Access::Owner);
        if (!socket) return Unexpected{socket.error().withContext("agent.socket")};
        self->socket_ = std::move(*socket);
    }
    self->process_ = metrics::collectProcess(self->registry_);
    self->collector_ = self->registry_.collect([m = self.get()](metrics::Sink& sink) {
        report(sink, m->latest_);
        reportMeters(sink, m->latestMeters_, m->metersInMetrics_ == MetersShown::All);
    });
    return self;
}

Result<std::unique_ptr<http::Server>> Management::serve(event::Loop& loop, Agent& agent, std::string listen, Access access) {
    auto router = std::make_shared<http::Router>();
    const auto route = [&](http::Method method, std::string_view path, Page page) {
        router->add(method, path, static_cast<http::Router::RouteId>(page));
    };
    route(http::Method::Get, "/metrics", Page::Metrics);
    route(http::Method::Get, "/status", Page::Status);
    route(http::Method::Get, "/meters", Page::Meters);
    route(http::Method::Get, "/device_stats", Page::DeviceStats);
    route(http::Method::Post, "/flows/flush", Page::Flush);
    if (access == Access::Owner) {
        route(http::Method::Put, "/binding/{port}", Page::Bind);
        route(http::Method::Delete, "/binding/{port}", Page::Unbind);
        route(http::Method::Get, "/tracers", Page::Tracers);
        route(http::Method::Post, "/tracers", Page::AddTracer);
        route(http::Method::Post, "/tracers/remove", Page::RemoveTracer);
        route(http::Method::Post, "/tracers/flush", Page::FlushTracers);
        route(http::Method::Post, "/tracers/flush_dead", Page::FlushDeadTracers);
    }
    http::ServerOptions options;
    options.listen = std::move(listen);
    options.socketMode = 0600;
    options.errorResponse = [](int status, std::string_view message) { return textPage(status, message); };
    const auto handle = [this, router, &agent](const http::RequestPtr& request, const http::Responder& respond) {
        const auto match = router->find(request->method, request->path());
        if (match.outcome == http::Router::Outcome::NoSuchPath) return respond(textPage(404, "no such page: try /metrics or /status"));
        if (match.outcome == http::Router::Outcome::NoSuchMethod) {
            auto response = textPage(405, "method not allowed");
            response.headers.set("Allow", match.allow);
            return respond(std::move(response));
        }
        const auto port = match.parameters.size() == 0 ? std::string{} : match.parameters["port"];
        answer(agent, static_cast<Page>(match.route), *request, port, respond);
    };
    return http::Server::listen({&loop}, std::move(options), handle);
}

void Management::answer(Agent& agent, Page page, const http::Request& request, const std::string& port, const http::Responder& respond) {
    switch (page) {
        case Page::Metrics:
            return answerMetrics(agent, respond);
        case Page::Status:
            return agent.collectStatus([respond](const Agent::Status& status) { respond(jsonPage(statusJson(status))); });
        case Page::Meters:
            return agent.collectMeters([respond](const Agent::Meters& meters) { respond(metersPage(meters)); });
        case Page::DeviceStats:
            return agent.collectMeters([respond](const Agent::Meters& meters) { respond(deviceStatsPage(meters)); });
        case Page::Flush:
            agent.flushFlows();
            return respond(textPage(202, "flows are being flushed"));
        case Page::Bind: {
            const auto wanted = readBinding(port, request.body);
            if (!wanted) return respond(errorPage(wanted.error()));
            return agent.bindPort(wanted->port, wanted->interface, [respond, wanted = *wanted](const Result<void>& bound) {
                respond(bound ? jsonPage({{"interfaceName", wanted.interface}}) : errorPage(bound.error()));
            });
        }
        case Page::Unbind: {
            const auto id = readPort(port);
            if (!id) return respond(errorPage(id.error()));
            return agent.unbindPort(*id, [respond](const Result<void>& unbound) { respond(emptyPage(unbound)); });
        }
        case Page::Tracers: return respond(tracersPage(agent.tracers()));
        case Page::AddTracer:
        case Page::RemoveTracer: {
            const auto tracer = tracing::parseTracer(request.body);
            if (!tracer) return respond(errorPage(tracer.error()));
            if (page == Page::RemoveTracer) return respond(removedPage(agent.tracers().remove(*tracer)));
            return agent.tracers().add(*tracer, [respond](const Result<void>& added) { respond(emptyPage(added)); });
        }
        case Page::FlushTracers: return respond(removedPage(agent.tracers().flush(PacketTracers::Which::All)));
        case Page::FlushDeadTracers: return respond(removedPage(agent.tracers().flush(PacketTracers::Which::Dead)));
    }
}

void Management::answerMetrics(Agent& agent, const http::Responder& respond) {
    agent.collectStatus([this, &agent, respond](const Agent::Status& status) {
        if (metersInMetrics_ == MetersShown::None) return answerMetrics(status, {}, respond);
        agent.collectMeters([this, status, respond](const Agent::Meters& meters) { answerMetrics(status, meters, respond); });
    });
}

void Management::answerMetrics(const Agent::Status& status, const Agent::Meters& meters, const http::Responder& respond) {
    latest_ = status;
    latestMeters_ = meters;
    respond(http::Response::text(200, metrics::Registry::kContentType, registry_.text()));
    latestMeters_.clear();
}

}  // namespace midonet::agent
