#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "conf/catalogue.h"
#include "event/blocking_pool.h"
#include "event/loop.h"
#include "http/server.h"
#include "metrics/registry.h"
#include "nsdb/store.h"
#include "rest/authenticator.h"
#include "rest/change_feed.h"
#include "rest/object_api.h"
#include "rest/request_log.h"
#include "rest/service.h"

namespace midonet::rest {

struct ApiOptions {
    std::string listen = "127.0.0.1:8181";
    unsigned socketMode = 0660;          ///< Permissions of unix sockets.
    std::optional<http::TlsFiles> tls;   ///< https on all addresses but unix sockets.
    RequestLogLevel requestLog = RequestLogLevel::Writes;
    std::size_t threads = 0;  ///< Loops that serve; 0: one per core, at most 4.
    http::Limits limits;
    ChangeFeedOptions changes{};
    conf::Catalogue catalogue{};  ///< What may be configured through `/conf`.
};

/// The REST API of a store: HTTP server, threads, endpoints, `GET /metrics`, `GET /healthz`. Stateless but for the
/// store: any number of them may serve one. Made, drained and destroyed on the control loop's thread
/// (or while that loop does not run).
class ApiServer {
public:
    /// Listens and serves at once, as soon as the control loop runs. The store, the registry and the loop
    /// outlive it.
    static Result<std::unique_ptr<ApiServer>> start(event::Loop& control, nsdb::Store& store, metrics::Registry& registry,
                                                    std::unique_ptr<Authenticator> authenticator, ApiOptions options);
    ~ApiServer();
    ApiServer(const ApiServer&) = delete;
    ApiServer& operator=(const ApiServer&) = delete;

    /// "127.0.0.1:8181", as bound.
    const std::string& address() const;
    /// "http://127.0.0.1:8181/midonet-api"; of every address, with blanks between; a unix socket as "unix:/run/api.sock".
    std::string urls() const;
    /// Reads certificate and key again, for new connections (http::Server::renewTls).
    Result<void> renewTls() { return server_->renewTls(); }
    /// No request is dropped; `done` on the control loop (http::Server::drain).
    void drain(event::Callback done);

private:
    class Counters;
    ApiServer(nsdb::Store& store, std::unique_ptr<Authenticator> authenticator);
    void addPages(metrics::Registry& registry);
    Result<void> listen(event::Loop& control, metrics::Registry& registry, ApiOptions options);

    std::vector<std::unique_ptr<event::Loop>> loops_;  // beside the control loop
    std::unique_ptr<Authenticator> authenticator_;
    nsdb::Store& store_;
    std::unique_ptr<event::BlockingPool> pool_;
    std::unique_ptr<event::BlockingPool> authentication_;  // uses the other pool
    bool secure_ = false;
    Service service_;
    ObjectApi objects_;
    std::shared_ptr<ChangeFeed> changes_;
    std::unique_ptr<Counters> counters_;
    std::unique_ptr<http::Server> server_;
    std::vector<std::thread> threads_;
};

}  // namespace midonet::rest
