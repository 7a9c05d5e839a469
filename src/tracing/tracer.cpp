#include "tracing/tracer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <limits>
#include <sstream>

namespace midonet::tracing {
namespace {

/// Decimal, or hexadecimal after 0x.
template <class T>
Result<T> readNumber(std::string_view text) {
    const bool hex = text.starts_with("0x");
    std::uint64_t value = 0;
    const auto digits = text.substr(hex ? 2 : 0);
    const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
    if (wrong != std::errc{} || end != digits.data() + digits.size() || value > std::numeric_limits<T>::max())
        return fail(ErrorCode::Malformed, "'{}' is no number from 0 to {}", text, std::numeric_limits<T>::max());
    return static_cast<T>(value);
}

template <class T>
Result<T> read(std::string_view text) {
    if constexpr (std::is_integral_v<T>)
        return readNumber<T>(text);
    else
        return T::parse(text);
}

/// One option of a match: how it is read into its field, and written.
struct Option {
    std::string_view name;
    std::string_view value;
    std::function<Result<void>(PacketMatch&, std::string_view)> read;
    std::function<std::optional<std::string>(const PacketMatch&)> write;
};

template <class T>
Option option(std::string_view name, std::string_view value, std::optional<T> PacketMatch::* field, std::string_view format = "{}") {
    return {name, value,
            [field](PacketMatch& match, std::string_view text) -> Result<void> {
                TRY(parsed, tracing::read<T>(text));
                match.*field = parsed;
                return {};
            },
            [field, format](const PacketMatch& match) -> std::optional<std::string> {
                if (!(match.*field)) return std::nullopt;
                return fmt::format(fmt::runtime(format), *(match.*field));
            }};
}

const std::array<Option, 8>& options() {
    static const std::array<Option, 8> all{
        option("--ethertype", "N", &PacketMatch::etherType, "0x{:04x}"),
        option("--mac-src", "MAC", &PacketMatch::ethSource),
        option("--mac-dst", "MAC", &PacketMatch::ethDestination),
        option("--ip-protocol", "N", &PacketMatch::ipProtocol),
        option("--ip-src", "ADDRESS", &PacketMatch::ipSource),
        option("--ip-dst", "ADDRESS", &PacketMatch::ipDestination),
        option("--src-port", "N", &PacketMatch::l4Source),
        option("--dst-port", "N", &PacketMatch::l4Destination),
    };
    return all;
}

Result<void> readLimit(std::string_view text, Tracer& out) {
    TRY(limit, readNumber<std::uint32_t>(text));
    if (limit == 0 || limit > Tracer::kMaxLimit) return fail(ErrorCode::Malformed, "must be from 1 to {}", Tracer::kMaxLimit);
    out.limit = limit;
    return {};
}

}  // namespace

Result<Tracer> parseTracer(const std::vector<std::string>& words) {
    Tracer out;
    std::optional<Detail> detail;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto& word = words[i];
        const bool debug = word == "--debug" || word == "-d";
        if (debug || word == "--trace" || word == "-t") {
            if (detail) return fail(ErrorCode::Malformed, "{}: write one of --debug and --trace, once", word);
            detail = debug ? Detail::Devices : Detail::Steps;
            continue;
        }
        const bool isLimit = word == "--limit" || word == "-l";
        const auto known = std::find_if(options().begin(), options().end(), [&](const Option& option) { return option.name == word; });
        if (!isLimit && known == options().end()) return fail(ErrorCode::Malformed, "what is {}? A tracer has the options\n{}", word, tracerUsage());
        if (++i == words.size()) return fail(ErrorCode::Malformed, "{} wants a value", word);
        const auto done = isLimit ? readLimit(words[i], out) : known->read(out.match, words[i]);
        if (!done) return Unexpected{done.error().withContext(word)};
    }
    if (!detail) return fail(ErrorCode::Malformed, "write --debug (the devices on the way) or --trace (each step)");
    out.detail = *detail;
    return out;
}

Result<Tracer> parseTracer(std::string_view line) {
    std::istringstream in{std::string{line}};
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return parseTracer(words);
}

std::string toString(const Tracer& tracer) {
    std::string out = tracer.detail == Detail::Devices ? "--debug" : "--trace";
    if (tracer.limit) out += fmt::format(" --limit {}", *tracer.limit);
    for (const auto& option : options())
        if (const auto value = option.write(tracer.match)) out += fmt::format(" {} {}", option.name, *value);
    return out;
}

std::string tracerUsage() {
    std::string out =
        "  --debug, -d\n      tells the devices that a packet passes, and what becomes of it\n"
        "  --trace, -t\n      tells each step: rules, routes, translations too\n"
        "  --limit, -l N\n      ends after so many packets; default: 1\n"
        "  MATCH: what a packet has to be, all of it; nothing: every packet\n";
    for (const auto& option : options()) out += fmt::format("    {} {}\n", option.name, option.value);
    return out;
}

}  // namespace midonet::tracing
