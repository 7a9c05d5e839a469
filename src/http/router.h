#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace midonet::http {

/// What the `{name}` segments of a path template matched, decoded.
class PathParameters {
public:
    void add(std::string_view name, std::string value) { values_.push_back({std::string{name}, std::move(value)}); }
    /// The value of `name`; asserts that the template has it.
    const std::string& operator[](std::string_view name) const;
    std::size_t size() const { return values_.size(); }

private:
    struct Value {
        std::string name;
        std::string value;
    };
    std::vector<Value> values_;
};

/// Finds the route of a request: path templates such as "/bridges/{id}/ports", each with its
/// methods. A literal segment wins over `{name}`; a trailing '/' and doubled '/' are tolerated;
/// segments are percent-decoded after the path is cut at '/'. HEAD falls back to GET. Filled at
/// start, read on any thread afterwards.
class Router {
public:
    using RouteId = std::size_t;
    enum class Outcome { Found, NoSuchPath, NoSuchMethod };
    struct Match {
        Outcome outcome = Outcome::NoSuchPath;
        RouteId route = 0;
        PathParameters parameters;
        std::string allow;  ///< NoSuchMethod: value of the Allow header, as "GET, HEAD, PUT".
    };

    Router();
    ~Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;

    /// Asserts that (method, template) is new. The id is the caller's.
    void add(Method method, std::string_view pathTemplate, RouteId route);
    Match find(Method method, std::string_view path) const;

private:
    struct Node;
    std::unique_ptr<Node> root_;
};

}  // namespace midonet::http
