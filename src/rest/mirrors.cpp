#include "model/topology.pb.h"
#include "rest/condition_body.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::Mirror;

Outcome<void> checkConditions(Mirror& mirror) {
    model::Violations violations;
    for (int i = 0; i < mirror.conditions_size(); ++i) {
        const auto prefix = fmt::format("conditions[{}].", i);
        checkCondition(*mirror.mutable_conditions(i), prefix, violations);
        settleFragments(*mirror.mutable_conditions(i), prefix, violations);
    }
    return refuseIfAny(std::move(violations));
}

}  // namespace

void addMirrors(ObjectApi& api) {
    api.add(resource<Mirror>({
        .beforeCreate = [](const Change&, Mirror& created) { return checkConditions(created); },
        .beforeUpdate = [](const Change&, const Mirror&, Mirror& next) { return checkConditions(next); }}));
}

}  // namespace midonet::rest
