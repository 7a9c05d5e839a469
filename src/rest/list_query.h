#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/message.h"
#include "model/schema.h"

namespace midonet::rest {

/// Which objects of a list a request asks for: those whose text properties are as `?name=` and the like say, and of these a
/// page, by `?limit=` and `?after=`. Parameters that mean nothing are ignored: clients send their own.
class ListQuery {
public:
    ListQuery(const http::Request& request, const model::ClassSchema& schema);

    /// The parameters of lists of a class, and what they are for.
    static std::vector<std::pair<std::string, std::string>> parametersOf(const model::ClassSchema& schema);

    bool holds(const model::Message& object) const;
    /// How many objects at most; nullopt: all of them, no pages.
    std::optional<std::size_t> limit() const { return limit_; }
    /// Those with greater ids only; nil: from the beginning.
    const Uuid& after() const { return after_; }
    /// The target of the request, with another `after`.
    std::string targetAfter(const Uuid& id) const;

    /// A page is one text, so it is of bounded size; more is not given at once.
    static constexpr std::size_t kLongestPage = 1000;

private:
    std::string target_;
    std::vector<std::pair<const model::FieldSchema*, std::string>> conditions_;
    std::optional<std::size_t> limit_;
    Uuid after_;
};

}  // namespace midonet::rest
