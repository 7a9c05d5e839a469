#include "http/internal/name_lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <future>
#include <memory>
#include <system_error>
#include <thread>

namespace midonet::http::internal {
namespace {

using Addresses = Result<std::vector<std::string>>;

/// As the system does it; blocks for as long as that takes.
Addresses systemLookUp(const std::string& host) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found); error != 0)
        return fail(ErrorCode::Unavailable, "cannot find {}: {}", host, ::gai_strerror(error));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
    std::vector<std::string> out;
    for (const auto* one = all.get(); one != nullptr; one = one->ai_next) {
        std::array<char, NI_MAXHOST> text{};
        if (::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0) out.emplace_back(text.data());
    }
    if (out.empty()) return fail(ErrorCode::Unavailable, "cannot find {}: it has no address", host);
    return out;
}

}  // namespace

Addresses addressesOf(const std::string& host, const LookUp& lookUp, event::Duration time) {
    boost::system::error_code error;
    boost::asio::ip::make_address(host, error);
    if (!error) return std::vector{host};
    std::promise<Addresses> promise;
    auto answer = promise.get_future();
    try {
        std::thread([lookUp, host, to = std::move(promise)]() mutable { to.set_value(lookUp ? lookUp(host) : systemLookUp(host)); }).detach();
    } catch (const std::system_error& noThread) {
        return fail(ErrorCode::Unavailable, "cannot look up {}: {}", host, noThread.what());
    }
    if (answer.wait_for(time) != std::future_status::ready) return fail(ErrorCode::Timeout, "cannot find {}: no name server has answered in time", host);
    return answer.get();
}

}  // namespace midonet::http::internal
