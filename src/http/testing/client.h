#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "http/message.h"

namespace midonet::http::testing {

/// One blocking connection to a server on loopback, for tests: sends raw bytes, reads responses.
/// Nothing waits longer than ten seconds.
class Client {
public:
    /// "127.0.0.1:PORT" or "unix:PATH"
    explicit Client(std::string_view address) { address.starts_with("unix:") ? connectUnix(address.substr(5)) : connectTcp(address); }
    ~Client() { ::close(socket_); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    bool connected() const { return connected_; }
    int descriptor() const { return socket_; }
    /// False when the server has closed.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    void halfClose() { ::shutdown(socket_, SHUT_WR); }

    /// The next response; nullopt when the connection ends before it is complete.
    std::optional<Response> read(bool toHead = false) {
        while (buffer_.find("\r\n\r\n") == std::string::npos)
            if (!more()) return std::nullopt;
        const auto end = buffer_.find("\r\n\r\n");
        Response response;
        std::string_view head{buffer_.data(), end};
        const auto statusLine = head.substr(0, head.find("\r\n"));
        response.status = std::stoi(std::string{statusLine.substr(9, 3)});
        head.remove_prefix(std::min(statusLine.size() + 2, head.size()));
        while (!head.empty()) {
            const auto line = head.substr(0, head.find("\r\n"));
            const auto colon = line.find(": ");
            response.headers.add(line.substr(0, colon), line.substr(colon + 2));
            head.remove_prefix(std::min(line.size() + 2, head.size()));
        }
        buffer_.erase(0, end + 4);
        if (toHead) return response;
        if (response.headers.find("Transfer-Encoding")) return readChunks(response) ? std::optional{response} : std::nullopt;
        const auto text = response.headers.find("Content-Length");
        const auto body = take(text ? std::stoul(std::string{*text}) : 0);
        if (!body) return std::nullopt;
        response.body = *body;
        return response;
    }
    /// The next chunk of a body, after read(true); empty: its end; nullopt when the connection ends before.
    std::optional<std::string> readChunk() {
        while (buffer_.find("\r\n") == std::string::npos)
            if (!more()) return std::nullopt;
        const auto line = take(buffer_.find("\r\n") + 2);
        const auto size = std::stoul(*line, nullptr, 16);
        auto chunk = take(size + 2);
        if (chunk) chunk->resize(size);
        return chunk;
    }
    /// Whatever comes until the server ends the connection.
    std::string readToEnd() {
        while (more()) {}
        return std::exchange(buffer_, {});
    }
    /// True when the server ends the connection and nothing is left to read.
    bool atEnd() { return buffer_.empty() && !more() && ended_; }

    /// Sends a request and reads its response.
    std::optional<Response> ask(std::string_view method, std::string_view target, std::string_view body = {},
                                const Headers& headers = {}) {
        std::string bytes = std::string{method} + " " + std::string{target} + " HTTP/1.1\r\n";
        if (!headers.find("Host")) bytes += "Host: localhost\r\n";
        for (const auto& [name, value] : headers.fields()) bytes += name + ": " + value + "\r\n";
        if (!body.empty()) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        bytes += "\r\n";
        bytes += body;
        if (!send(bytes)) return std::nullopt;
        return read(method == "HEAD");
    }

private:
    void connectTcp(std::string_view address) {
        const auto colon = address.rfind(':');
        std::uint16_t port = 0;
        std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        ::inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
        connect(to);
    }
    void connectUnix(std::string_view path) {
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        path.copy(to.sun_path, sizeof to.sun_path - 1);
        connect(to);
    }
    template <class Endpoint>
    void connect(const Endpoint& to) {
        const auto* address = reinterpret_cast<const sockaddr*>(&to);
        socket_ = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const timeval limit{10, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        connected_ = ::connect(socket_, address, sizeof to) == 0;
    }
    std::optional<std::string> take(std::size_t size) {
        while (buffer_.size() < size)
            if (!more()) return std::nullopt;
        auto out = buffer_.substr(0, size);
        buffer_.erase(0, size);
        return out;
    }
    bool readChunks(Response& response) {
        for (;;) {
            const auto chunk = readChunk();
            if (!chunk) return false;
            if (chunk->empty()) return true;
            response.body += *chunk;
        }
    }
    bool more() {
        char bytes[16384];
        const auto n = ::recv(socket_, bytes, sizeof bytes, 0);
        ended_ = n == 0 || (n < 0 && errno != EAGAIN);
        if (n <= 0) return false;
        buffer_.append(bytes, static_cast<std::size_t>(n));
        return true;
    }

    int socket_ = -1;
    bool connected_ = false;
    bool ended_ = false;
    std::string buffer_;
};

}  // namespace midonet::http::testing
