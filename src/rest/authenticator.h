#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "rest/fault.h"

namespace midonet::rest {

/// What a login gives.
struct Token {
    std::string key;
    std::optional<std::string> expires;  ///< "Sun, 06-Nov-1994 08:49:37 UTC"
};

/// Who may use the API. Asked on any thread, also on loops: it must not block.
class Authenticator {
public:
    virtual ~Authenticator() = default;
    /// 401 when the token is not one of an administrator.
    virtual Outcome<void> check(std::optional<std::string_view> token) = 0;
    virtual Outcome<Token> login(const std::string& user, const std::string& password,
                                 std::optional<std::string_view> project) = 0;
};

/// Everybody is administrator, also without a token, as clients of cloud controllers on the same machine need it. Every
/// login gives the token "00000000".
std::unique_ptr<Authenticator> makeMockAuthenticator();

/// Answers /login: Basic credentials against a token, also as cookie. 401 tells how to log in.
http::Response answerLogin(Authenticator& authenticator, const http::Request& request);

}  // namespace midonet::rest
