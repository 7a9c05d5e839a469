#include "hosttools/agent_client.h"

namespace midonet::hosttools {

Result<http::Response> AgentClient::send(http::Method method, const std::string& path, std::string body) {
    if (!hasSocket_) return fail(ErrorCode::Unavailable, "agent.socket is empty: the agent of this host cannot be asked");
    http::Request request;
    request.method = method;
    request.target = "http://localhost" + path;
    if (!body.empty()) request.headers.add("Content-Type", "application/json");
    request.body = std::move(body);
    return client_.send(request);
}

Result<std::string> AgentClient::get(const std::string& path) {
    TRY(response, send(http::Method::Get, path));
    if (response.status != 200) return fail(ErrorCode::Unavailable, "the agent answers {}: {}", response.status, messageOf(response));
    return std::move(response.body);
}

std::string messageOf(const http::Response& response) {
    return response.body.empty() ? fmt::format("status {}", response.status) : response.body.substr(0, response.body.find('\n'));
}

}  // namespace midonet::hosttools
