#pragma once

#include <vector>

#include "conf/repository.h"

namespace midonet::conf {

/// What is known of a host's configuration.
struct HostValues {
    Values ofDefault;
    std::optional<Values> ofTemplate;
    Values own;
};

/// As layers of config::Settings, weakest first.
inline std::vector<config::Layer> layersOf(HostValues values) {
    std::vector<config::Layer> out;
    out.push_back({"NSDB template default", std::move(values.ofDefault)});
    if (values.ofTemplate) out.push_back({"NSDB template of this host", std::move(*values.ofTemplate)});
    out.push_back({"NSDB host", std::move(values.own)});
    return out;
}

}  // namespace midonet::conf
