#include "datapath/ebpf/action_codec.h"

#include <algorithm>
#include <cstring>

#include "base/overloaded.h"

namespace midonet::datapath::ebpf {
namespace {

bool isOutput(const flow::FlowAction& action) {
    return std::holds_alternative<flow::Output>(action) || std::holds_alternative<flow::OutputTunnel>(action);
}

/// 0 for a port, else the type of the tunnel.
std::uint32_t outputClass(const flow::FlowAction& action, const TunnelTypes& tunnels) {
    const auto* tunnel = std::get_if<flow::OutputTunnel>(&action);
    return tunnel == nullptr ? 0 : 1 + tunnels.typeOf(tunnel->tunnel);
}

/// Copies commute, so each run of outputs may be put in order.
void sortOutputs(flow::FlowActions& actions, const TunnelTypes& tunnels) {
    for (auto from = actions.begin(); from != actions.end();) {
        if (!isOutput(*from)) {
            ++from;
            continue;
        }
        const auto to = std::find_if_not(from, actions.end(), isOutput);
        std::stable_sort(from, to, [&](const auto& a, const auto& b) { return outputClass(a, tunnels) < outputClass(b, tunnels); });
        from = to;
    }
}

mn_op makeOp(mn_op_code code) {
    mn_op op{};
    op.code = static_cast<std::uint8_t>(code);
    return op;
}

std::uint32_t wireWord(const net::Ipv4Address& address) {
    std::uint32_t out;
    address.toWire(reinterpret_cast<std::uint8_t*>(&out));
    return out;
}

class SlotWriter {
public:
    explicit SlotWriter(std::vector<mn_slot>& slots) : slots_(slots) { slots_.assign(1, mn_slot{}); }

    /// Appends units that must stay in one slot.
    void append(std::initializer_list<mn_op> ops) {
        if (slots_.back().count + ops.size() > MN_OPS_PER_SLOT) slots_.push_back(mn_slot{});
        mn_slot& slot = slots_.back();
        for (const mn_op& op : ops) slot.ops[slot.count++] = op;
        units_ += ops.size();
    }
    std::size_t units() const { return units_; }

private:
    std::vector<mn_slot>& slots_;
    std::size_t units_ = 0;
};

void writeAction(SlotWriter& writer, const flow::FlowAction& action, std::uint8_t flags) {
    std::visit(Overloaded{
                   [&](const flow::Output& a) {
                       mn_op op = makeOp(MN_OP_OUTPUT);
                       op.flags = flags;
                       op.w[0] = a.port.value();
                       writer.append({op});
                   },
                   [&](const flow::OutputTunnel& a) {
                       mn_op op = makeOp(MN_OP_TUNNEL);
                       op.flags = flags;
                       op.w[0] = a.tunnel.value();
                       op.w[1] = a.key.value() & net::kMaxTunnelKey;
                       writer.append({op});
                   },
                   [&](const flow::SetEthernet& a) {
                       mn_op op = makeOp(MN_OP_SET_ETH);
                       a.destination.toWire(op.bytes);
                       a.source.toWire(op.bytes + 6);
                       writer.append({op});
                   },
                   [&](const flow::PushVlan& a) {
                       mn_op op = makeOp(MN_OP_PUSH_VLAN);
                       op.half = a.tci.raw();
                       writer.append({op});
                   },
                   [&](const flow::PopVlan&) { writer.append({makeOp(MN_OP_POP_VLAN)}); },
                   [&](const flow::SetIpAddresses& a) {
                       if (a.source.isV4()) {
                           mn_op op = makeOp(MN_OP_SET_IP4);
                           op.w[0] = wireWord(a.source.v4());
                           op.w[1] = wireWord(a.destination.v4());
                           writer.append({op});
                           return;
                       }
                       mn_op source, destination;
                       a.source.v6().toWire(reinterpret_cast<std::uint8_t*>(&source));
                       a.destination.v6().toWire(reinterpret_cast<std::uint8_t*>(&destination));
                       writer.append({makeOp(MN_OP_SET_IP6), source, destination});
                   },
                   [&](const flow::SetL4Ports& a) {
                       mn_op op = makeOp(MN_OP_SET_L4);
                       storeBe16(op.bytes, a.source);
                       storeBe16(op.bytes + 2, a.destination);
                       writer.append({op});
                   },
                   [&](const flow::DecrementTtl& a) {
                       mn_op op = makeOp(MN_OP_DEC_TTL);
                       op.half = a.by;
                       writer.append({op});
                   },
                   [&](const flow::ToAgent&) { writer.append({makeOp(MN_OP_TO_AGENT)}); },
               },
               action);
}

std::uint8_t outputFlags(const flow::FlowActions& sorted, std::size_t at, const TunnelTypes& tunnels) {
    const std::uint32_t type = outputClass(sorted[at], tunnels);
    const bool sameToTheEnd = std::all_of(sorted.begin() + static_cast<std::ptrdiff_t>(at), sorted.end(),
                                          [&](const auto& a) { return isOutput(a) && outputClass(a, tunnels) == type; });
    if (type != 0 && !sameToTheEnd) return MN_OP_RELAY;
    return at + 1 == sorted.size() ? MN_OP_LAST : 0;
}

int tagsAdded(const flow::FlowAction& action) {
    if (std::holds_alternative<flow::PushVlan>(action)) return 1;
    return std::holds_alternative<flow::PopVlan>(action) ? -1 : 0;
}

/// The checks in front of a list, and which outputs they stand for.
class FitChecks {
public:
    /// The agent wants a packet that is too big as it came in, so the kernel must look before it changes or encapsulates
    /// anything. A tunnel that comes before all that looks by itself.
    void visit(const flow::FlowAction& action, std::uint8_t& flags) {
        if (const auto* output = std::get_if<flow::OutputTunnel>(&action)) {
            if (!asItCame_ || (flags & MN_OP_RELAY) != 0) {
                add(output->tunnel);
                flags |= MN_OP_CHECKED;
            }
            asItCame_ = false;
        } else if (!isOutput(action) && !std::holds_alternative<flow::ToAgent>(action)) {
            tags_ += tagsAdded(action);
            asItCame_ = false;
        }
    }
    const std::vector<mn_op>& ops() const { return ops_; }

private:
    void add(flow::TunnelId tunnel) {
        const auto half = static_cast<std::uint16_t>(tags_);
        if (ops_.empty() || used_ == std::size(ops_.back().w) || ops_.back().half != half) {
            ops_.push_back(makeOp(MN_OP_FIT));
            ops_.back().half = half;
            used_ = 0;
        }
        ops_.back().w[used_++] = tunnel.value();
    }

    bool asItCame_ = true;
    int tags_ = 0;
    std::vector<mn_op> ops_;
    std::size_t used_ = 0;  ///< tunnels in the last of them
};

}  // namespace

Result<void> encodeActions(const flow::FlowActions& actions, const TunnelTypes& tunnels, std::vector<mn_slot>& slots) {
    flow::FlowActions sorted = actions;
    sortOutputs(sorted, tunnels);
    FitChecks checks;
    boost::container::small_vector<std::uint8_t, 6> flags;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        flags.push_back(isOutput(sorted[i]) ? outputFlags(sorted, i, tunnels) : std::uint8_t{0});
        checks.visit(sorted[i], flags.back());
    }
    SlotWriter writer{slots};
    for (const mn_op& op : checks.ops()) writer.append({op});
    for (std::size_t i = 0; i < sorted.size(); ++i) writeAction(writer, sorted[i], flags[i]);
    if (writer.units() > MN_MAX_OPS / 2) {
        return fail(ErrorCode::Invalid, "an action list of {} steps is longer than the datapath can run ({})", writer.units(), MN_MAX_OPS / 2);
    }
    return {};
}

flow::FlowActions decodeActions(std::span<const mn_op> ops) {
    flow::FlowActions out;
    for (std::size_t i = 0; i < ops.size(); ++i) {
        const mn_op& op = ops[i];
        switch (static_cast<mn_op_code>(op.code)) {
            case MN_OP_OUTPUT: out.push_back(flow::Output{flow::PortNumber{op.w[0]}}); break;
            case MN_OP_TUNNEL: out.push_back(flow::OutputTunnel{flow::TunnelId{op.w[0]}, net::TunnelKey{op.w[1]}}); break;
            case MN_OP_SET_ETH: out.push_back(flow::SetEthernet{net::Mac::fromWire(op.bytes + 6), net::Mac::fromWire(op.bytes)}); break;
            case MN_OP_PUSH_VLAN: out.push_back(flow::PushVlan{flow::VlanTci{op.half}}); break;
            case MN_OP_POP_VLAN: out.push_back(flow::PopVlan{}); break;
            case MN_OP_SET_IP4:
                out.push_back(flow::SetIpAddresses{net::Ipv4Address::fromWire(op.bytes), net::Ipv4Address::fromWire(op.bytes + 4)});
                break;
            case MN_OP_SET_IP6: {
                if (i + 2 >= ops.size()) return out;
                const auto at = [&](std::size_t unit) {
                    return net::Ipv6Address::fromWire(reinterpret_cast<const std::uint8_t*>(&ops[unit]));
                };
                out.push_back(flow::SetIpAddresses{at(i + 1), at(i + 2)});
                i += 2;
                break;
            }
            case MN_OP_SET_L4: out.push_back(flow::SetL4Ports{loadBe16(op.bytes), loadBe16(op.bytes + 2)}); break;
            case MN_OP_DEC_TTL: out.push_back(flow::DecrementTtl{static_cast<std::uint8_t>(op.half)}); break;
            case MN_OP_TO_AGENT: out.push_back(flow::ToAgent{}); break;
            case MN_OP_FIT: break;  // a check in front of outputs that follow
        }
    }
    return out;
}

}  // namespace midonet::datapath::ebpf
