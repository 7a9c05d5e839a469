#include "conf/follow.h"

#include "base/log.h"
#include "conf/internal/layers.h"
#include "model/ids.h"
#include "model/topology.pb.h"

namespace midonet::conf {
namespace {

const Logger kLog{"conf"};

/// The copy of one holder's values; nullopt until the store delivered them.
struct WatchedValues {
    std::optional<Values> values;
    event::HandlePtr watch;

    void take(const nsdb::TableChange& change) {
        if (!values) values.emplace();
        for (const auto& entry : change.updated) values->insert_or_assign(entry.key, entry.value);
        for (const auto& key : change.removed) values->erase(key);
    }
};

/// Watches the tables of a host, of `default`, and of whatever template the host uses.
class LayersWatch final : public event::Handle {
public:
    LayersWatch(event::Loop& loop, nsdb::Store& store, const std::optional<HostId>& host,
                std::function<void(std::vector<config::Layer>)> callback)
        : loop_(loop), store_(store), callback_(std::move(callback)) {
        watch(default_, configTableName(TemplateName{std::string(kDefaultTemplate)}));
        if (!host) {
            own_.values.emplace();
            template_ = Uuid{};
            return;
        }
        watch(own_, configTableName(*host));
        const auto onHostConfig = [this](const std::shared_ptr<const nsdb::Message>& object) {
            const auto* const config = static_cast<const model::HostConfig*>(object.get());
            useTemplate(config == nullptr ? Uuid{} : model::uuidOf(config->template_id()));
        };
        hostConfig_ = store.watchObject(loop, model::HostConfig::descriptor(), host->uuid(), onHostConfig);
    }

private:
    void watch(WatchedValues& watched, const std::string& table) {
        watched.watch = store_.watchTable(loop_, table, [this, &watched](const nsdb::TableChange& change) {
            watched.take(change);
            deliver();
        });
    }

    void useTemplate(const Uuid& id) {
        if (template_ == id) return;
        template_ = id;
        ofTemplate_ = {};
        if (id.isNil()) return deliver();
        watch(ofTemplate_, configTableOfTemplate(id));
    }

    void deliver() {
        const bool complete = default_.values && own_.values && template_ && (template_->isNil() || ofTemplate_.values);
        if (complete) callback_(layersOf({*default_.values, ofTemplate_.values, *own_.values}));
    }

    event::Loop& loop_;
    nsdb::Store& store_;
    std::function<void(std::vector<config::Layer>)> callback_;
    std::optional<Uuid> template_;  // nil: the host uses none
    WatchedValues default_;
    WatchedValues ofTemplate_;
    WatchedValues own_;
    event::HandlePtr hostConfig_;
};

}  // namespace

void applyConfiguration(config::Program& program, nsdb::Store& store, const std::optional<HostId>& host) {
    auto layers = Repository{store}.layers(host);
    if (layers) return program.applyLayers(std::move(*layers));
    kLog.warn("the configuration in the NSDB cannot be read: local settings hold", {kv("reason", layers.error())});
}

event::HandlePtr followConfiguration(event::Loop& loop, config::Program& program, nsdb::Store& store, const std::optional<HostId>& host) {
    return watchLayers(loop, store, host, [&program](std::vector<config::Layer> layers) { program.reloadLayers(std::move(layers)); });
}

event::HandlePtr watchLayers(event::Loop& loop, nsdb::Store& store, const std::optional<HostId>& host,
                             std::function<void(std::vector<config::Layer>)> callback) {
    return std::make_unique<LayersWatch>(loop, store, host, std::move(callback));
}

}  // namespace midonet::conf
