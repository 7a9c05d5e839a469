#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "datapath/datapath.h"
#include "event/loop.h"
#include "host/interfaces.h"
#include "nsdb/store.h"
#include "topology/device_tracker.h"

namespace midonet::host {

/// A binding that is in the datapath.
struct ActiveBinding {
    PortId port;
    std::string interface;
    flow::PortNumber number;
    net::TunnelKey key;
    friend bool operator==(const ActiveBinding&, const ActiveBinding&) = default;
};

/// A binding as operators see it.
struct BindingStatus {
    PortId port;
    std::string interface;
    std::string problem;  ///< Empty when it is active.
};

/// Makes the bindings of this host real: takes the interface of each bound port into the datapath
/// when it is there, up and has carrier, gives the port a tunnel key, and reports in the NSDB (Port state) that
/// it is active, or why not. Follows interfaces as they come, go and change; tries again what
/// the datapath refused. What it reported and another host took away, it reports again. Reference section 9.4.
///
/// Control loop.
class Bindings {
public:
    using ChangeCallback = std::function<void()>;
    static constexpr std::chrono::seconds kRetryPeriod{1};

    Bindings(event::Loop& loop, nsdb::Store& store, nsdb::Session& session, datapath::Datapath& datapath, HostId host, ChangeCallback onChange);
    /// Ports stay in the datapath, so that traffic goes on while the agent restarts.
    ~Bindings();
    Bindings(const Bindings&) = delete;
    Bindings& operator=(const Bindings&) = delete;

    void setWanted(std::vector<topology::WantedBinding> wanted);
    void setInterfaces(std::vector<Interface> interfaces);
    /// Another agent has reported in our place.
    void reportAgain();

    const std::vector<ActiveBinding>& active() const { return active_; }
    std::vector<BindingStatus> statuses() const;

private:
    struct Binding {
        std::string interface;
        std::optional<flow::PortNumber> number;
        std::uint32_t ifindex = 0;  // of the interface in the datapath
        net::TunnelKey key;
        std::string problem;
        std::string reported;  // the PortState last put, encoded
        event::HandlePtr watch;
        bool isReported = false;  // the store has a state of the port
    };

    void reconcile();
    /// Why the interface cannot be taken now; nullopt when it can.
    std::optional<std::string> obstacle(const PortId& port, const Binding& binding, const Interface* interface) const;
    void activate(const PortId& port, Binding& binding, const Interface& interface);
    void deactivate(Binding& binding);
    void report(const PortId& port, Binding& binding);
    void onState(const PortId& port, bool present);
    net::TunnelKey allocateKey(const PortId& port) const;
    const Interface* findInterface(const std::string& name) const;

    event::Loop& loop_;
    nsdb::Store& store_;
    nsdb::Session& session_;
    datapath::Datapath& datapath_;
    const HostId host_;
    ChangeCallback onChange_;

    std::vector<topology::WantedBinding> wanted_;
    std::vector<Interface> interfaces_;
    std::map<PortId, Binding> bindings_;
    std::vector<ActiveBinding> active_;
    event::HandlePtr retry_;
};

}  // namespace midonet::host
