#include "hosttools/trace_tool.h"

#include <algorithm>
#include <boost/json.hpp>
#include <ostream>

#include "tracing/tracer.h"

namespace midonet::hosttools {
namespace {

namespace json = boost::json;
using Words = std::vector<std::string>;

/// The body of what the agent answers; an error when it refuses.
Result<std::string> ask(const TraceWorld& world, http::Method method, const std::string& path, std::string body = {}) {
    TRY(response, world.agent.send(method, path, std::move(body)));
    if (response.status >= 300) return fail(ErrorCode::Unavailable, "{}", messageOf(response));
    return std::move(response.body);
}

Result<json::value> askForJson(const TraceWorld& world, http::Method method, const std::string& path, const std::string& body = {}) {
    TRY(text, ask(world, method, path, body));
    boost::system::error_code error;
    auto page = json::parse(text, error);
    if (error) return fail(ErrorCode::Malformed, "the agent does not answer in JSON");
    return page;
}

Result<void> add(const TraceWorld& world, const Words& options) {
    TRY(tracer, tracing::parseTracer(options));
    TRY(answer, ask(world, http::Method::Post, "/tracers", toString(tracer)));
    return {};
}

Result<void> takeOut(const TraceWorld& world, const std::string& path, const std::string& body = {}) {
    TRY(page, askForJson(world, http::Method::Post, path, body));
    const auto count = json::try_value_to<std::uint64_t>(page.is_object() ? page.get_object()["removed"] : json::value{});
    if (!count) return fail(ErrorCode::Malformed, "the agent does not say how many tracers it took out");
    world.out << "Removed " << *count << " tracer(s)\n";
    return {};
}

Result<void> remove(const TraceWorld& world, const Words& options) {
    TRY(tracer, tracing::parseTracer(options));
    return takeOut(world, "/tracers/remove", toString(tracer));
}

/// No options, or one of those that are known.
Result<bool> readFlag(std::string_view command, const Words& options, std::string_view brief, std::string_view full) {
    if (options.empty()) return false;
    if (options.size() == 1 && (options.front() == brief || options.front() == full)) return true;
    return fail(ErrorCode::Malformed, "{}: what is {}? Commands:\n{}", command, options.back(), traceUsage());
}

Result<void> flush(const TraceWorld& world, const Words& options) {
    TRY(deadOnly, readFlag("flush", options, "-D", "--dead"));
    return takeOut(world, deadOnly ? "/tracers/flush_dead" : "/tracers/flush");
}

Result<void> list(const TraceWorld& world, const Words& options) {
    TRY(liveOnly, readFlag("list", options, "-L", "--live"));
    TRY(page, askForJson(world, http::Method::Get, "/tracers"));
    const auto* const tracers = page.is_object() ? page.get_object().if_contains("tracers") : nullptr;
    if (tracers == nullptr || !tracers->is_array()) return fail(ErrorCode::Malformed, "the agent does not list its tracers");
    for (const auto& entry : tracers->get_array()) {
        const auto* const object = entry.if_object();
        const auto* const line = object == nullptr ? nullptr : object->if_contains("tracer");
        const auto* const left = object == nullptr ? nullptr : object->if_contains("left");
        const auto count = left == nullptr ? json::result<std::uint64_t>{} : json::try_value_to<std::uint64_t>(*left);
        if (line == nullptr || !line->is_string() || left == nullptr || !count)
            return fail(ErrorCode::Malformed, "the agent's tracers are not what this mm-trace knows");
        if (!liveOnly || *count > 0) world.out << "mm-trace " << line->get_string().c_str() << '\n';
    }
    return {};
}

Result<void> run(const TraceWorld& world, const Words& words) {
    const auto remote = std::find_if(words.begin(), words.end(), [](const auto& word) { return word == "-h" || word == "-p"; });
    if (remote != words.end())
        return fail(ErrorCode::Unsupported, "{}: an agent traces for its own host only; run mm-trace there", *remote);
    if (words.empty()) return fail(ErrorCode::Malformed, "which command? Commands:\n{}", traceUsage());
    const auto& command = words.front();
    if (command.starts_with('-')) return add(world, words);
    const Words options(words.begin() + 1, words.end());
    if (command == "add") return add(world, options);
    if (command == "remove") return remove(world, options);
    if (command == "flush") return flush(world, options);
    if (command == "list") return list(world, options);
    return fail(ErrorCode::Malformed, "what is {}? Commands:\n{}", command, traceUsage());
}

}  // namespace

std::string traceUsage() {
    return "  add TRACER\n      tells of the next packets that match, in the agent's log of traced packets (agent.trace_log)\n"
           "  remove TRACER\n      takes out the tracers of this match and detail; without --limit, of any limit\n"
           "  flush [-D]\n      takes out all tracers; -D, --dead: those that have told of all their packets\n"
           "  list [-L]\n      prints the tracers, as mm-trace reads them; -L, --live: those that have packets left\n"
           "  TRACER:\n" +
           tracing::tracerUsage();
}

int runTraceTool(const TraceWorld& world, const std::vector<std::string>& words) {
    const auto done = run(world, words);
    world.out << std::flush;
    if (done) return 0;
    world.err << "[mm-trace] Failed: " << done.error().message << '\n';
    return 1;
}

}  // namespace midonet::hosttools
