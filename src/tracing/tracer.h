#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "flow/flow_key.h"

namespace midonet::tracing {

/// Which packets a tracer is for: what is set has to be so. Addresses of ARP are its sender and target, ports of ICMP its type and code.
struct PacketMatch {
    std::optional<std::uint16_t> etherType;
    std::optional<net::Mac> ethSource;
    std::optional<net::Mac> ethDestination;
    std::optional<std::uint8_t> ipProtocol;
    std::optional<net::IpAddress> ipSource;
    std::optional<net::IpAddress> ipDestination;
    std::optional<std::uint16_t> l4Source;
    std::optional<std::uint16_t> l4Destination;

    bool matches(const flow::FlowKey& key) const {
        const auto is = [](const auto& wanted, const auto& value) { return !wanted || *wanted == value; };
        return is(etherType, key.etherType) && is(ethSource, key.ethSource) && is(ethDestination, key.ethDestination) &&
               is(ipProtocol, key.ipProtocol) && is(ipSource, key.ipSource) && is(ipDestination, key.ipDestination) &&
               is(l4Source, key.l4Source) && is(l4Destination, key.l4Destination);
    }
    friend bool operator==(const PacketMatch&, const PacketMatch&) = default;
};

/// How much of a packet's way is told: which devices it passed, or each step (rules, routes, translations too).
enum class Detail : std::uint8_t { Devices, Steps };

/// Names a tracer of one agent; numbers are not used again.
using TracerId = std::uint64_t;

/// What an operator asks for with mm-trace: the next packets of a host that match.
struct Tracer {
    PacketMatch match;
    Detail detail = Detail::Devices;
    std::optional<std::uint32_t> limit;  ///< Packets; unset: not said, which is one.

    static constexpr std::uint32_t kMaxLimit = 1'000'000;
    /// A limit that is not said is every limit.
    bool names(const Tracer& other) const { return match == other.match && detail == other.detail && (!limit || *limit == other.limit); }
    friend bool operator==(const Tracer&, const Tracer&) = default;
};

/// Reads the options of mm-trace: `--debug` or `--trace`, `--limit N`, and those of the match (tracerUsage()). Malformed, naming the
/// option, when that cannot be.
Result<Tracer> parseTracer(const std::vector<std::string>& words);
/// The same of one line, with blanks between the words.
Result<Tracer> parseTracer(std::string_view line);
/// What parseTracer() reads: "--debug --limit 1 --ip-dst 10.0.0.1".
std::string toString(const Tracer& tracer);
/// The options, for --help.
std::string tracerUsage();

}  // namespace midonet::tracing
