#include "simulation/packet_walk.h"

namespace midonet::simulation {

void PacketWalk::emit(const PortId& port, VlanEdit edit, flow::VlanTci pushed) {
    const bool same = edit == edit_ && (edit != VlanEdit::Pushed || pushed == pushed_);
    if (!same) {
        // Back to how it came in, then on to what is wanted.
        if (edit_ == VlanEdit::Pushed) actions_.push_back(flow::PopVlan{});
        if (edit_ == VlanEdit::Popped) actions_.push_back(flow::PushVlan{key_.vlan});
        if (edit == VlanEdit::Pushed) actions_.push_back(flow::PushVlan{pushed});
        if (edit == VlanEdit::Popped) actions_.push_back(flow::PopVlan{});
        edit_ = edit;
        pushed_ = pushed;
    }
    actions_.push_back(ToPort{port});
    emitted_ = true;
}

SimulationResult PacketWalk::forward() {
    return Forward{std::move(decision_), std::move(actions_)};
}

SimulationResult PacketWalk::drop(flow::DropReason reason, FlowClass flowClass) {
    return Drop{std::move(decision_), reason, flowClass};
}

}  // namespace midonet::simulation
