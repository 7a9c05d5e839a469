#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "event/clock.h"
#include "event/loop.h"
#include "http/server.h"

namespace midonet::rest::testing {

/// A small Keystone, versions 2 and 3, on a thread of its own: users, projects, roles, tokens. The id of project "p" is "id-p".
class FakeKeystone {
public:
    FakeKeystone();
    ~FakeKeystone();
    FakeKeystone(const FakeKeystone&) = delete;
    FakeKeystone& operator=(const FakeKeystone&) = delete;

    std::string url() const { return "http://" + address_; }
    /// Nobody listens any more.
    void stop();
    void addUser(const std::string& name, const std::string& password, const std::string& project, std::vector<std::string> roles);
    /// Of tokens issued from now on.
    void tokensEndAt(event::WallTime end);
    void revokeTokens();
    /// Answers everything with this, until forgotten by nullopt.
    void answerAll(std::optional<http::Response> canned);
    /// Answers nothing.
    void beSilent();
    /// Answers again, also what was asked meanwhile.
    void speakAgain();
    /// Waits until somebody asked a silent Keystone.
    void waitForQuestion();

    int logins() const;
    /// How often somebody asked about a token.
    int checks() const;
    int requests() const;

private:
    struct User {
        std::string password;
        std::map<std::string, std::vector<std::string>> projects;
    };
    struct Issued {
        std::string user;
        std::string project;
        event::WallTime end;
    };
    struct Question {
        http::RequestPtr request;
        http::Responder answer;
    };

    void handle(const http::RequestPtr& request, const http::Responder& answer);
    http::Response answerTo(const http::Request& request);
    http::Response loginV2(const http::Request& request);
    http::Response loginV3(const http::Request& request);
    std::optional<std::string> issue(const std::string& user, const std::string& password, const std::string& project);
    bool askedByAdmin(const http::Request& request) const;
    std::string describeV2(const std::string& key) const;
    std::string describeV3(const std::string& key) const;
    std::string rolesOf(const Issued& token) const;
    http::Response projects(const std::string& name) const;
    http::Response project(const std::string& name, const std::string& id) const;
    std::vector<std::string> projectNames() const;

    mutable std::mutex mutex_;
    std::condition_variable asked_;
    std::map<std::string, User> users_;
    std::map<std::string, Issued> tokens_;
    event::WallTime end_;
    std::optional<http::Response> canned_;
    bool silent_ = false;
    std::vector<Question> waiting_;
    int logins_ = 0;
    int checks_ = 0;
    int requests_ = 0;
    int issued_ = 0;

    std::unique_ptr<event::Loop> loop_;
    std::unique_ptr<http::Server> server_;
    std::string address_;
    std::thread thread_;
};

}  // namespace midonet::rest::testing
