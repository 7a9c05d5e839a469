#include "zookeeper/hosts.h"

#include <netdb.h>

#include <array>
#include <charconv>
#include <memory>

namespace midonet::zookeeper {
namespace {

Result<std::uint16_t> parsePort(std::string_view text, std::string_view host) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0)
        return fail(ErrorCode::Malformed, "'{}' has no port between 1 and 65535 behind its ':'", host);
    return port;
}

Result<Host> parseHost(std::string_view text) {
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == text.npos) return fail(ErrorCode::Malformed, "'{}' lacks a ']'", text);
        Host host{std::string(text.substr(1, close - 1))};
        const auto rest = text.substr(close + 1);
        if (rest.empty()) return host;
        if (!rest.starts_with(':')) return fail(ErrorCode::Malformed, "'{}': only a port may stand behind ']'", text);
        TRY(port, parsePort(rest.substr(1), text));
        host.port = port;
        return host;
    }
    const auto colon = text.find(':');
    Host host{std::string(text.substr(0, colon))};
    if (host.name.empty() || host.name.find('/') != host.name.npos)
        return fail(ErrorCode::Malformed, "'{}' is no host: write host:port,host:port", text);
    if (colon == text.npos) return host;
    TRY(port, parsePort(text.substr(colon + 1), text));
    host.port = port;
    return host;
}

void appendAddresses(const Host& host, std::string& out) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.name.c_str(), nullptr, &hints, &found) != 0) return;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
    for (; found != nullptr; found = found->ai_next) {
        std::array<char, NI_MAXHOST> address{};
        if (::getnameinfo(found->ai_addr, found->ai_addrlen, address.data(), address.size(), nullptr, 0, NI_NUMERICHOST) != 0)
            continue;
        if (!out.empty()) out += ',';
        out += fmt::format("{}:{}", address.data(), host.port);  // the C client cuts at the last ':'
    }
}

}  // namespace

Result<std::vector<Host>> parseHosts(std::string_view text) {
    std::vector<Host> hosts;
    while (true) {
        const auto comma = text.find(',');
        auto one = text.substr(0, comma);
        while (one.starts_with(' ')) one.remove_prefix(1);
        while (one.ends_with(' ')) one.remove_suffix(1);
        TRY(host, parseHost(one));
        hosts.push_back(std::move(host));
        if (comma == text.npos) return hosts;
        text.remove_prefix(comma + 1);
    }
}

Result<std::string> resolveHosts(const std::vector<Host>& hosts) {
    std::string out;
    for (const auto& host : hosts) appendAddresses(host, out);
    if (out.empty()) return fail(ErrorCode::Unavailable, "no name of the ZooKeeper servers can be resolved");
    return out;
}

}  // namespace midonet::zookeeper
