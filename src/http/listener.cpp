#include "http/internal/listener.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <charconv>

#include "base/log.h"
#include "http/internal/wire.h"

namespace midonet::http::internal {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

const Logger log{"http"};
constexpr std::string_view kUnix = "unix:";

Result<ListenAddress> parseTcp(std::string_view text) {
    const auto colon = text.rfind(':');
    std::uint16_t port = 0;
    if (colon == text.npos) return fail(ErrorCode::Malformed, "'{}' has no port: write ADDRESS:PORT", text);
    const auto digits = text.substr(colon + 1);
    const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (wrong != std::errc{} || end != digits.data() + digits.size())
        return fail(ErrorCode::Malformed, "'{}' is not a port (0 to 65535) in '{}'", digits, text);
    auto host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (error) return fail(ErrorCode::Malformed, "'{}' is not an IP address in '{}'", host, text);
    return ListenAddress{std::string{text}, tcp::endpoint{address, port}, {}, address.is_loopback()};
}

Result<ListenAddress> parseUnix(std::string_view text) {
    const auto path = text.substr(kUnix.size());
    if (!path.starts_with('/')) return fail(ErrorCode::Malformed, "'{}' has no whole path: write unix:/FOLDER/NAME", text);
    if (path.size() >= sizeof(sockaddr_un::sun_path))
        return fail(ErrorCode::Malformed, "'{}' is too long: a unix socket's path has at most {} bytes", text, sizeof(sockaddr_un::sun_path) - 1);
    return ListenAddress{std::string{text}, asio::local::stream_protocol::endpoint{std::string{path}}, std::string{path}, true};
}

/// From now on the kernel lets no new handshake begin, but finishes those under way: the segment
/// that opens one (SYN without ACK) is dropped. Closing the socket right away would reset
/// connections that clients believe to have.
void dropNewHandshakes(int listener) {
    constexpr unsigned kFlagsOffset = 13;
    std::array<sock_filter, 5> code{{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsOffset),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffffU),
    }};
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    if (::setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
        log.debug("no filter on the listening socket: a connection made while closing may be reset");
}

}  // namespace

Result<std::vector<ListenAddress>> parseListen(std::string_view list) {
    std::vector<ListenAddress> out;
    while (true) {
        const auto comma = list.find(',');
        const auto text = list.substr(0, comma);
        TRY(address, text.starts_with(kUnix) ? parseUnix(text) : parseTcp(text));
        out.push_back(std::move(address));
        if (comma == list.npos) return out;
        list.remove_prefix(comma + 1);
    }
}

Result<void> Listener::open(unsigned socketMode) {
    if (isUnix()) TRY_VOID(removeStale());
    error_code error;
    const auto attempt = [&](const char* step) -> Result<void> {
        const auto& where = address_.text;
        if (!error) return {};
        if (error == asio::error::address_in_use)
            return fail(ErrorCode::AlreadyExists, "cannot {} {}: another program does; end it, or choose another {}", step, where,
                        isUnix() ? "path" : "port (0 = any free one)");
        if (error == asio::error::access_denied)
            return fail(ErrorCode::PermissionDenied, "cannot {} {}: {}", step, where,
                        isUnix() ? "no right to write in this folder" : "ports below 1024 need root; choose another port");
        return fail(ErrorCode::Unavailable, "cannot {} {}: {}; choose {}", step, where, error.message(),
                    isUnix() ? "a folder that exists" : "an address of this machine");
    };
    acceptor_.open(address_.endpoint.protocol(), error);
    TRY_VOID(attempt("open a socket for"));
    if (!isUnix()) acceptor_.set_option(asio::socket_base::reuse_address{true}, error);
    acceptor_.bind(address_.endpoint, error);
    TRY_VOID(attempt("listen on"));
    ownsFile_ = isUnix();
    // Before listen() nobody can connect: there is no moment with other permissions.
    if (isUnix() && ::chmod(address_.path.c_str(), socketMode) != 0) error.assign(errno, boost::system::system_category());
    TRY_VOID(attempt("set the permissions of"));
    acceptor_.listen(asio::socket_base::max_listen_connections, error);
    return attempt("listen on");
}

/// A socket that a killed server left behind is taken; one that somebody listens on stays.
Result<void> Listener::removeStale() const {
    struct stat found {};
    if (::lstat(address_.path.c_str(), &found) != 0) return {};
    if (!S_ISSOCK(found.st_mode)) return fail(ErrorCode::AlreadyExists, "cannot listen on {}: there is a file that is no socket", address_.text);
    asio::io_context io;
    asio::local::stream_protocol::socket probe(io);
    error_code error;
    probe.connect(address_.path, error);
    if (!error) return fail(ErrorCode::AlreadyExists, "cannot listen on {}: another program does; end it, or choose another path", address_.text);
    if (error == asio::error::connection_refused) ::unlink(address_.path.c_str());
    return {};
}

void Listener::removeFile() {
    if (std::exchange(ownsFile_, false)) ::unlink(address_.path.c_str());
}

void Listener::refuseNew() {
    if (!isOpen()) return;
    isUnix() ? removeFile() : dropNewHandshakes(acceptor_.native_handle());
}

void Listener::close() {
    removeFile();
    error_code ignored;
    acceptor_.close(ignored);
}

std::string Listener::bound() const {
    if (isUnix()) return address_.text;
    error_code error;
    const auto local = acceptor_.local_endpoint(error);
    return error ? address_.text : toText(local);
}

}  // namespace midonet::http::internal
