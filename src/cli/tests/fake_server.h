#pragma once

#include <boost/json/object.hpp>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/api.h"

namespace midonet::cli::testing {

/// The API in memory: real links, ids, owners, defaults and status codes for some classes, no checks of what is sent. It
/// counts and remembers the requests. Made without network: called through a Transport.
class FakeServer {
public:
    FakeServer();

    static constexpr std::string_view kUrl = "http://fake/midonet-api";
    Transport transport();

    /// Requires this login; the token is another one after each.
    void requireLogin(std::string user, std::string password);
    void forgetTokens() { token_ = "none"; }
    /// From now on nobody answers.
    void stop() { stopped_ = true; }
    /// What /system_state tells operators.
    void inform(std::string information) { information_ = std::move(information); }

    /// How `/changes` is answered (410: only where it is to go on), and what comes of it; then nothing.
    void answerChanges(int status) { feed_ = status; }
    void tell(Result<std::optional<std::string>> piece) { told_.push_back(std::move(piece)); }

    /// "GET /bridges", without the part that all have in common.
    const std::vector<std::string>& requests() const { return requests_; }
    void clearRequests() { requests_.clear(); }
    /// Puts an object in place that clients cannot create.
    void add(std::string_view segment, boost::json::object body);
    void remove(std::string_view segment, const std::string& id);
    /// What a class holds; for tests of what was sent.
    std::vector<boost::json::object> all(std::string_view segment) const;

private:
    struct Child {
        std::string_view link;
        std::string_view segment;  ///< Below the owner's URI.
        std::string_view of;       ///< Segment of the class.
        std::string_view ownerKey;
    };
    struct Class {
        std::string_view segment;
        std::string_view listKey;  ///< In the root document.
        std::string_view itemKey;
        std::string_view defaults;  ///< JSON
        std::vector<Child> children;
        bool hasId = true;
    };
    struct Stored {
        std::string id;
        boost::json::object body;
    };

    http::Response answer(const http::Request& request);
    http::Response root() const;
    http::Response collection(const Class& of, std::string_view ownerKey, const std::string& owner, const http::Request& request);
    http::Response item(const Class& of, const std::string& id, const http::Request& request);
    http::Response link(const std::string& id, const http::Request& request);
    http::Response login(const http::Request& request);
    std::string make(const Class& of, boost::json::object body);
    const Class* classOf(std::string_view segment) const;
    Stored* find(std::string_view segment, const std::string& id);

    std::vector<Class> classes_;
    std::map<std::string, std::vector<Stored>, std::less<>> objects_;
    std::vector<std::string> requests_;
    std::string credentials_;
    std::string token_;
    std::string information_;
    int feed_ = 404;
    std::deque<Result<std::optional<std::string>>> told_;
    int made_ = 0;
    int logins_ = 0;
    bool stopped_ = false;
};

/// The n-th id that a server gives, from 1.
std::string fakeId(int n);

}  // namespace midonet::cli::testing
