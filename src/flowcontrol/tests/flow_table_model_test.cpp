// FlowTable against a list that does everything by looking at all flows.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <list>
#include <map>

#include "datapath/fake/fake_datapath.h"
#include "flowcontrol/flow_table.h"

namespace midonet::flowcontrol {
namespace {

using namespace std::chrono_literals;
using simulation::FlowClass;

constexpr std::size_t kCapacity = 20;

/// Places, which flows have by their path, and others.
flow::FlowTag tag(std::uint64_t n) { return n % 2 == 0 ? flow::FlowTag::device(Uuid{9, n}) : flow::FlowTag::state(n); }
flowstate::StateKey stateKey(std::uint64_t n) { return {flowstate::KeyKind::ConnTrack, 17, static_cast<std::uint16_t>(n), 1, {}, {}, Uuid{1, 1}}; }
/// Every flow keeps a MAC, and state of that number too.
simulation::Effects learned(std::uint64_t n) {
    return {simulation::UseState{stateKey(n)}, simulation::LearnMac{BridgeId{Uuid{1, 1}}, {}, net::Mac{n}, PortId{Uuid{2, n}}}};
}
event::Duration lifetimeOf(FlowClass flowClass) {
    if (flowClass == FlowClass::Error) return 5s;
    return flowClass == FlowClass::Tunnel ? event::Duration{300s} : event::Duration{60s};
}
/// How often it is looked at.
event::Duration periodOf(FlowClass flowClass) { return flowClass == FlowClass::TcpConnection ? event::Duration{4s} : lifetimeOf(flowClass); }

struct ModelFlow {
    std::uint64_t source = 0;
    std::vector<flow::FlowTag> tags;
    std::uint64_t effect = 0;
    FlowClass flowClass{};
    event::TimePoint due;
    event::TimePoint used;
};

class Model {
public:
    std::map<std::uint64_t, int> held;  // effect -> flows
    std::list<ModelFlow> flows;         // oldest first, renewed ones at the end

    void install(ModelFlow flow) {
        if (flows.size() >= kCapacity - kCapacity / 10) evict();
        removeIf([&](const ModelFlow& f) { return f.source == flow.source; });
        ++held[flow.effect];
        flows.push_back(std::move(flow));
    }
    void invalidate(flow::FlowTag tag) {
        removeIf([&](const ModelFlow& f) { return std::find(f.tags.begin(), f.tags.end(), tag) != f.tags.end(); });
    }
    void expire(event::TimePoint now) {
        std::list<ModelFlow> renewed;
        for (auto& f : flows) {
            const auto lifetime = lifetimeOf(f.flowClass);
            if (f.due > now || f.flowClass == FlowClass::Error || now - f.used >= lifetime) continue;
            auto again = f;
            again.due = now + periodOf(f.flowClass);
            renewed.push_back(again);
        }
        for (auto& again : renewed) flows.remove_if([&](const ModelFlow& f) { return f.source == again.source; });
        removeIf([&](const ModelFlow& f) { return f.due <= now; });
        flows.splice(flows.end(), renewed);
    }
    void flush() {
        removeIf([](const ModelFlow&) { return true; });
    }

private:
    template <class Condition>
    void removeIf(const Condition& condition) {
        flows.remove_if([&](const ModelFlow& f) {
            if (!condition(f)) return false;
            if (--held[f.effect] == 0) held.erase(f.effect);
            return true;
        });
    }
    void evict() {
        for (const auto wanted : {FlowClass::Error, FlowClass::Normal, FlowClass::Tunnel}) {
            const auto oldest = std::find_if(flows.begin(), flows.end(), [&](const ModelFlow& f) { return f.flowClass == wanted; });
            if (oldest == flows.end()) continue;
            const auto source = oldest->source;
            return removeIf([&](const ModelFlow& f) { return f.source == source; });
        }
    }
};

RC_GTEST_PROP(FlowTableModel, DoesWhatASimpleListDoes, ()) {
    event::VirtualClock clock;
    datapath::fake::FakeDatapath datapath{clock, {.flowsPerWorker = kCapacity}};
    const auto port = *datapath.addPort("p");
    std::map<std::uint64_t, int> held;
    Model model;
    const auto keyOf = [&](std::uint64_t source) {
        flow::FlowKey key;
        key.inPort = port;
        key.ethSource = net::Mac{source + 2};
        return key;
    };
    flow::FlowMask mask;
    mask.see(flow::Field::EthSource);
    mask.close();
    FlowTable table{datapath, 0, [&](const FlowTable::Kept& kept) {
                        const auto effect = std::get<simulation::LearnMac>(kept.effects.front()).mac.value();
                        RC_ASSERT(kept.states.size() == 1u);
                        RC_ASSERT(kept.states.front() == stateKey(effect).hash());
                        if (--held[effect] == 0) held.erase(effect);
                    }};

    const auto steps = *rc::gen::inRange(1, 150);
    for (int step = 0; step < steps; ++step) {
        switch (*rc::gen::weightedElement<int>({{10, 0}, {3, 1}, {3, 2}, {6, 3}, {1, 4}})) {
            case 0: {
                ModelFlow flow;
                flow.source = *rc::gen::inRange<std::uint64_t>(0, 30);
                flow.tags.push_back(tag(*rc::gen::inRange<std::uint64_t>(0, 6)));
                flow.tags.push_back(tag(*rc::gen::inRange<std::uint64_t>(0, 6)));
                flow.effect = *rc::gen::inRange<std::uint64_t>(0, 4);
                flow.flowClass = static_cast<FlowClass>(*rc::gen::inRange(0, 4));
                flow.due = clock.now() + periodOf(flow.flowClass);
                flow.used = clock.now();
                const flow::FlowTags tags(flow.tags.begin(), flow.tags.end());
                ++held[flow.effect];
                const auto key = keyOf(flow.source);
                RC_ASSERT(table.install({key, mask, {}, tags, {}, learned(flow.effect), flow.flowClass}, clock.now()).has_value());
                model.install(flow);
                break;
            }
            case 1: {
                const auto wanted = tag(*rc::gen::inRange<std::uint64_t>(0, 6));
                table.invalidate(wanted);
                model.invalidate(wanted);
                break;
            }
            case 2: {
                clock.advance(std::chrono::seconds{*rc::gen::inRange(0, 70)});
                table.expire(clock.now());
                model.expire(clock.now());
                break;
            }
            case 3: {
                const auto source = *rc::gen::inRange<std::uint64_t>(0, 30);
                std::vector<std::uint8_t> frame(60);
                net::Mac{source + 2}.toWire(frame.data() + 6);
                datapath.inject(port, frame);
                for (auto& f : model.flows)
                    if (f.source == source) f.used = clock.now();
                break;
            }
            case 4:
                table.flush();
                model.flush();
                break;
        }
        std::vector<std::uint64_t> have;
        for (const auto& [key, installedMask] : datapath.flows()) have.push_back(key.ethSource.value() - 2);
        std::vector<std::uint64_t> want;
        for (const auto& f : model.flows) want.push_back(f.source);
        std::sort(have.begin(), have.end());
        std::sort(want.begin(), want.end());
        RC_ASSERT(have == want);
        RC_ASSERT(table.size() == want.size());
        RC_ASSERT(datapath.flowCount() == want.size());
        RC_ASSERT(held == model.held);
    }
    std::uint64_t ended = 0;
    for (const auto count : table.removed()) ended += count;
    RC_ASSERT(table.installed() == ended + table.size());
}

}  // namespace
}  // namespace midonet::flowcontrol
