#include "http/router.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/assert.h"

namespace midonet::http {

struct Router::Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    /// Parameter names belong to the route, not to the node: two templates may name one segment
    /// differently.
    struct Route {
        RouteId id;
        std::vector<std::string> names;
    };
    std::map<Method, Route> routes;

    Node& childOf(std::string_view segment);
    const Route* routeFor(Method method) const;
    std::string allowed() const;
    const Node* find(const std::vector<std::string>& segments, std::size_t depth, std::vector<std::size_t>& parameters,
                     Method method, bool methodMatters) const;
};

namespace {

constexpr std::size_t kMaxSegments = 32;

/// Cut at '/', empty segments left out, decoded. nullopt: not decodable, or too many.
std::optional<std::vector<std::string>> segmentsOf(std::string_view path) {
    std::vector<std::string> out;
    while (!path.empty()) {
        const auto raw = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(raw.size() + 1, path.size()));
        if (raw.empty()) continue;
        auto decoded = percentDecode(raw);
        if (!decoded || out.size() == kMaxSegments) return std::nullopt;
        out.push_back(std::move(*decoded));
    }
    return out;
}

bool isParameter(std::string_view segment) {
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

const std::string& PathParameters::operator[](std::string_view name) const {
    for (const auto& v : values_)
        if (v.name == name) return v.value;
    MIDONET_ASSERT(false, "a handler asks only for parameters of its own path template");
    return values_.front().value;
}

Router::Node& Router::Node::childOf(std::string_view segment) {
    auto& child = isParameter(segment) ? parameter : literals[std::string{segment}];
    if (!child) child = std::make_unique<Node>();
    return *child;
}

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::add(Method method, std::string_view pathTemplate, RouteId route) {
    Node* node = root_.get();
    Node::Route added{route, {}};
    const auto segments = segmentsOf(pathTemplate);
    MIDONET_ASSERT(segments.has_value(), "path templates are our own");
    for (const auto& segment : *segments) {
        if (isParameter(segment)) added.names.push_back(segment.substr(1, segment.size() - 2));
        node = &node->childOf(segment);
    }
    const bool isNew = node->routes.emplace(method, std::move(added)).second;
    MIDONET_ASSERT(isNew, "two routes with the same method and path");
}

const Router::Node::Route* Router::Node::routeFor(Method method) const {
    auto found = routes.find(method);
    if (found == routes.end() && method == Method::Head) found = routes.find(Method::Get);
    return found == routes.end() ? nullptr : &found->second;
}

std::string Router::Node::allowed() const {
    std::string out;
    for (const auto& [method, route] : routes) {
        if (!out.empty()) out += ", ";
        out += toString(method);
        if (method == Method::Get && !routes.contains(Method::Head)) out += ", HEAD";
    }
    return out;
}

/// Depth first, literal before parameter. `parameters` holds the indexes of the segments that the way
/// to the found node took as parameters.
const Router::Node* Router::Node::find(const std::vector<std::string>& segments, std::size_t depth,
                                       std::vector<std::size_t>& parameters, Method method,
                                       bool methodMatters) const {
    if (depth == segments.size())
        return routes.empty() || (methodMatters && routeFor(method) == nullptr) ? nullptr : this;
    if (const auto literal = literals.find(segments[depth]); literal != literals.end())
        if (const auto* found = literal->second->find(segments, depth + 1, parameters, method, methodMatters))
            return found;
    if (!parameter) return nullptr;
    parameters.push_back(depth);
    const auto* found = parameter->find(segments, depth + 1, parameters, method, methodMatters);
    if (found == nullptr) parameters.pop_back();
    return found;
}

Router::Match Router::find(Method method, std::string_view path) const {
    Match match;
    auto segments = segmentsOf(path);
    if (!segments) return match;
    std::vector<std::size_t> parameters;
    if (const auto* node = root_->find(*segments, 0, parameters, method, true)) {
        const auto* route = node->routeFor(method);
        match.outcome = Outcome::Found;
        match.route = route->id;
        for (std::size_t i = 0; i < parameters.size(); ++i)
            match.parameters.add(route->names[i], std::move((*segments)[parameters[i]]));
    } else if (const auto* other = root_->find(*segments, 0, parameters, method, false)) {
        match.outcome = Outcome::NoSuchMethod;
        match.allow = other->allowed();
    }
    return match;
}

}  // namespace midonet::http
