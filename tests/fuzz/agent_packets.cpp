/// A host under traffic of hostile machines: see agent/host.h. The input is a list of steps, each of a byte that says what comes
/// (STEP, below), and a frame behind its length (two bytes, low first) or a time (one byte, of 100 ms).
#include <algorithm>

#include "agent/checksums.h"
#include "agent/host.h"
#include "base/assert.h"
#include "packet/parse.h"

using namespace midonet;

namespace {

// STEP: bits 0 to 2 are the port, kPorts: of the state messages (from the other host), kTime: none, time goes by.
constexpr unsigned kPortBits = 7;
constexpr unsigned kTime = 7;
constexpr unsigned kTunnelled = 8;           // comes from the other host
constexpr unsigned kCompleteChecksums = 16;  // with right checksums
constexpr std::size_t kMaxSteps = 32;
/// Of one packet, all those that it wakes and all that devices say to it. More is a storm.
constexpr std::uint64_t kMaxSimulations = 400;

class Input {
public:
    explicit Input(ByteView bytes) : bytes_(bytes) {}
    bool atEnd() const { return bytes_.empty(); }
    std::uint8_t byte() {
        const auto taken = take(1);
        return taken.empty() ? std::uint8_t{0} : taken[0];
    }
    std::vector<std::uint8_t> frame() {
        const auto low = byte();
        const auto taken = take(std::size_t{byte()} * 256 + low);
        return {taken.begin(), taken.end()};
    }

private:
    ByteView take(std::size_t count) {
        const auto taken = bytes_.first(std::min(count, bytes_.size()));
        bytes_ = bytes_.subspan(taken.size());
        return taken;
    }
    ByteView bytes_;
};

class Run {
public:
    void step(Input& input) {
        const auto kind = input.byte();
        const auto before = host_.stats();
        // A frame that waited may come out now.
        const auto held = before.waitingPackets + before.earlyPackets;
        if (held == 0) onlyRightChecksums_ = true;
        if ((kind & kPortBits) == kTime)
            host_.advance(input.byte() * std::chrono::milliseconds{100});
        else
            send(kind, input.frame());
        MIDONET_ASSERT(host_.stats().simulations - before.simulations <= kMaxSimulations + held, "work is bounded");
        for (const auto& frame : host_.takeFrames()) {
            MIDONET_ASSERT(packet::parse(frame), "what leaves is a frame");
            MIDONET_ASSERT(!onlyRightChecksums_ || fuzz::rightChecksums(frame), "checksums stay right");
        }
    }
    void finish() const { host_.checkFlows(keys_); }

private:
    void send(unsigned kind, std::vector<std::uint8_t> frame) {
        if (frame.size() < 14) return;
        if (kind & kCompleteChecksums) fuzz::completeChecksums(frame);
        if (!fuzz::rightChecksums(frame)) onlyRightChecksums_ = false;
        const auto port = std::size_t{kind & kPortBits};
        if (kind & kTunnelled || port == fuzz::Host::kPorts) return host_.injectTunnelled(port, frame);
        keys_.push_back(host_.keyOf(port, frame));
        host_.inject(port, frame);
    }

    fuzz::Host host_;
    std::vector<flow::FlowKey> keys_;
    bool onlyRightChecksums_ = true;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 16384) return 0;
    Run run;
    Input input{{data, size}};
    for (std::size_t steps = 0; steps < kMaxSteps && !input.atEnd(); ++steps) run.step(input);
    run.finish();
    return 0;
}
