#include "rest/api_server.h"

#include <algorithm>
#include <array>

#include "model/topology.pb.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

constexpr std::size_t kMostThreads = 4;
constexpr std::size_t kPoolThreads = 4;
/// Where writes wait for other machines they cost no processor meanwhile, and many at once are one flush there.
constexpr std::size_t kPoolThreadsOfRemoteStore = 32;
/// More waiting writes than this are answered 503 at once.
constexpr std::size_t kPoolQueue = 1024;

/// As many wait for Keystone at a time, and as many for them.
constexpr std::size_t kAuthenticationThreads = 4;
constexpr std::size_t kAuthenticationQueue = 256;

std::size_t threadsFor(const nsdb::Store& store) { return store.readsBlock() ? kPoolThreadsOfRemoteStore : kPoolThreads; }

/// Whether the store can be read: of a class of which there are few objects.
http::Response health(nsdb::Store& store) {
    const auto read = [&store]() -> Result<void> {
        TRY(view, store.view());
        TRY_VOID(view->list(model::TunnelZone::descriptor()));
        return {};
    }();
    return read ? http::Response::text(200, "text/plain", "ok\n") : toResponse(Fault{503, "the store cannot be read: " + read.error().message});
}

}  // namespace

/// What the loops count, each for itself.
class ApiServer::Counters {
public:
    Counters(metrics::Registry& registry, std::size_t loops) : connections_(registry.gauge("midonet_rest_connections", "Open connections")) {
        for (std::size_t i = 0; i < loops; ++i) {
            Loop loop;
            for (std::size_t kind = 0; kind < loop.requests.size(); ++kind)
                loop.requests[kind] = registry.counter("midonet_rest_requests_total", "Requests answered, by kind of status",
                                                       {{"status", fmt::format("{}xx", kind + 1)}});
            loop.seconds = registry.histogram("midonet_rest_request_seconds", "From the first byte of a request to its answer",
                                              metrics::exponentialBounds(0.000'1, 2, 18));
            loops_.push_back(std::move(loop));
        }
    }
    void finished(const http::Finished& finished) {
        auto& loop = loops_[finished.loop];
        const auto kind = std::clamp<std::size_t>(static_cast<std::size_t>(finished.response.status) / 100, 1, loop.requests.size());
        loop.requests[kind - 1].add();
        loop.seconds.observe(std::chrono::duration<double>(finished.took).count());
    }
    void connections(std::size_t count) { connections_.set(static_cast<double>(count)); }

private:
    struct Loop {
        std::array<metrics::Counter, 5> requests;
        metrics::Histogram seconds;
    };
    metrics::Gauge connections_;
    std::vector<Loop> loops_;
};

Result<std::unique_ptr<ApiServer>> ApiServer::start(event::Loop& control, nsdb::Store& store, metrics::Registry& registry,
                                                    std::unique_ptr<Authenticator> authenticator, ApiOptions options) {
    std::unique_ptr<ApiServer> server(new ApiServer(store, std::move(authenticator)));
    TRY_VOID(server->listen(control, registry, std::move(options)));
    return server;
}

ApiServer::ApiServer(nsdb::Store& store, std::unique_ptr<Authenticator> authenticator)
    : authenticator_(std::move(authenticator)),
      store_(store),
      pool_(std::make_unique<event::BlockingPool>(threadsFor(store), kPoolQueue)),
      authentication_(std::make_unique<event::BlockingPool>(kAuthenticationThreads, kAuthenticationQueue)),
      service_(*pool_, *authentication_, *authenticator_),
      objects_(service_, store) {
    addTopology(objects_, *authenticator_);
}

void ApiServer::addPages(metrics::Registry& registry) {
    service_.addPage({.path = "/metrics", .run = [&registry](const http::Request&) {
                          return http::Response::text(200, metrics::Registry::kContentType, registry.text());
                      }});
    service_.addPage({.path = "/healthz", .blocks = true, .run = [this](const http::Request&) { return health(store_); }});
}

Result<void> ApiServer::listen(event::Loop& control, metrics::Registry& registry, ApiOptions options) {
    changes_ = std::make_shared<ChangeFeed>(control, *pool_, store_, registry, options.changes);
    addChanges(objects_, changes_.get());
    addConf(objects_, std::move(options.catalogue));
    addPages(registry);
    std::size_t threads = options.threads;
    if (threads == 0) threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMostThreads);
    std::vector<event::Loop*> loops{&control};
    for (std::size_t i = 1; i < threads; ++i) {
        loops_.push_back(event::Loop::create(fmt::format("api-{}", i)));
        loops.push_back(loops_.back().get());
    }
    counters_ = std::make_unique<Counters>(registry, loops.size());

    http::ServerOptions http;
    http.listen = std::move(options.listen);
    http.socketMode = options.socketMode;
    http.tls = std::move(options.tls);
    secure_ = http.tls.has_value();
    http.limits = options.limits;
    http.errorResponse = Service::errorResponse;
    http.onConnections = [this](std::size_t count) { counters_->connections(count); };
    http.onFinished = [this, level = options.requestLog](const http::Finished& finished) {
        counters_->finished(finished);
        // There is no other answer without end.
        if (finished.response.endless && finished.delivery == http::Delivery::NotTaken) changes_->countUnread();
        logRequest(level, finished);
    };
    auto server = http::Server::listen(loops, std::move(http), [this](http::RequestPtr request, http::Responder answer) {
        service_.handle(std::move(request), std::move(answer));
    });
    if (!server) return Unexpected{server.error().withContext("api.listen")};
    server_ = std::move(*server);
    for (const auto& loop : loops_) threads_.emplace_back([raw = loop.get()] { raw->run(); });
    return {};
}

ApiServer::~ApiServer() {
    for (const auto& loop : loops_) loop->stop();
    for (auto& thread : threads_) thread.join();
    if (changes_ != nullptr) changes_->close();
    authentication_.reset();  // what is queued there and in the pool uses everything else
    pool_.reset();
    server_.reset();
}

const std::string& ApiServer::address() const { return server_->address(); }
std::string ApiServer::urls() const {
    std::string out;
    for (const auto& address : server_->addresses()) {
        if (!out.empty()) out += ' ';
        out += address.starts_with("unix:") ? address : fmt::format("{}://{}{}", secure_ ? "https" : "http", address, kRoot);
    }
    return out;
}
void ApiServer::drain(event::Callback done) { server_->drain(std::move(done)); }

}  // namespace midonet::rest
