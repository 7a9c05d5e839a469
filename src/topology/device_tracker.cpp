#include "topology/device_tracker.h"

#include <utility>

namespace midonet::topology {

DeviceTracker::DeviceTracker(event::Loop& loop, nsdb::Store& store, HostId host, Options options, Listener listener)
    : loop_(loop),
      listener_(std::move(listener)),
      graph_(loop, store, host, options.peerGrace, [this] { scheduleRebuild(); }),
      tables_(loop, store,
              {listener_.onMacs, listener_.onMacTableGone, listener_.onArp, listener_.onArpTableGone, listener_.onBridgeArp,
               listener_.onBridgeArpTableGone},
              [this](const PortId& port) { return graph_.isLost(port); }) {
    scheduleRebuild();
}

DeviceTracker::~DeviceTracker() = default;

void DeviceTracker::scheduleRebuild() {
    if (rebuildTimer_) return;
    rebuildTimer_ = loop_.after(event::Duration::zero(), [this] {
        rebuildTimer_.reset();
        rebuild();
    });
}

void DeviceTracker::rebuild() {
    auto update = updateBetween(*snapshot_, graph_.rebuild(*snapshot_));
    const bool justSynced = graph_.complete() && !std::exchange(synced_, synced_ || graph_.complete());
    if (!update.changesNothing() || justSynced || snapshot_->generation == 0) {
        snapshot_ = update.snapshot;
        tables_.follow(*snapshot_);
        listener_.onTopology(update);
    }
    publishBindings();
}

void DeviceTracker::publishBindings() {
    auto bindings = graph_.bindings();
    if (bindings == published_) return;
    published_ = std::move(bindings);
    listener_.onBindings(*published_);
}

}  // namespace midonet::topology
