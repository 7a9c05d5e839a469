#pragma once

#include <string>

#include "event/clock.h"
#include "http/client.h"

namespace midonet::hosttools {

/// Asks the agent of this host, over its Unix socket. Blocks; one thread.
class AgentClient {
public:
    AgentClient(const std::string& socketPath, event::Duration timeout) : hasSocket_(!socketPath.empty()), client_({.timeout = timeout, .socketPath = socketPath}) {}

    /// Whatever the agent answers; an error when there is no answer. PermissionDenied: the socket is another user's.
    Result<http::Response> send(http::Method method, const std::string& path, std::string body = {});
    /// The body of a page; an error too when the agent refuses.
    Result<std::string> get(const std::string& path);

private:
    bool hasSocket_;
    http::Client client_;
};

/// The text of an answer that refuses: one line, no line end.
std::string messageOf(const http::Response& response);

}  // namespace midonet::hosttools
