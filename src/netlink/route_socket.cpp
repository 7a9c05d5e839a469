#include "netlink/route_socket.h"

#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "netlink/internal/attributes.h"
#include "netlink/internal/request.h"

namespace midonet::netlink {
namespace {

constexpr int kDumpAttempts = 8;
constexpr timeval kAnswerTimeout{5, 0};
constexpr std::uint32_t kSkipStatistics = 1U << 3;  // RTEXT_FILTER_SKIP_STATS
constexpr std::size_t kReceiveBuffer = 64 * 1024;   // the kernel fills up to 32 KiB per datagram

struct SocketCloser {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};

ErrorCode codeOf(int error) {
    switch (error) {
        case ENODEV:
        case ENOENT:
        case ESRCH:
        case EADDRNOTAVAIL:
        case ENETUNREACH:
        case EHOSTUNREACH: return ErrorCode::NotFound;
        case EEXIST: return ErrorCode::AlreadyExists;
        case EPERM:
        case EACCES: return ErrorCode::PermissionDenied;
        case EOPNOTSUPP:
        case EAFNOSUPPORT: return ErrorCode::Unsupported;
        case ENOMEM:
        case ENOBUFS: return ErrorCode::Exhausted;
        case EBUSY: return ErrorCode::Conflict;
        case EAGAIN: return ErrorCode::Timeout;
        default: return ErrorCode::Invalid;
    }
}

Unexpected kernelError(std::string_view what, int error, std::string_view text = {}) {
    std::string message = fmt::format("{}: {}", what, std::strerror(error));
    if (!text.empty()) message += fmt::format(" ({})", text);
    if (error == EPERM || error == EACCES) message += "; run as root or with CAP_NET_ADMIN";
    return Unexpected{Error{codeOf(error), std::move(message)}};
}

ifinfomsg linkFixed(int index) {
    ifinfomsg fixed{};
    fixed.ifi_family = AF_UNSPEC;
    fixed.ifi_index = index;
    return fixed;
}

}  // namespace

struct RouteSocket::State {
    using OnMessage = std::function<Result<void>(ByteView)>;

    /// Sends, and hands every answer to `onMessage` until the kernel says that it is done.
    /// Interrupted (a dump that changes meanwhile, NLM_F_DUMP_INTR) = Stale.
    Result<void> exchange(Request& request, std::string_view what, const OnMessage& onMessage) {
        const auto sequence = ++lastSequence;
        request.header().nlmsg_seq = sequence;
        if (mnl_socket_sendto(socket.get(), &request.header(), request.header().nlmsg_len) < 0)
            return kernelError(what, errno);
        bool interrupted = false;
        while (true) {
            const auto length = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
            if (length < 0 && errno == EINTR) continue;
            if (length < 0) return kernelError(what, errno);
            TRY(messages, splitDatagram(ByteView(buffer).first(static_cast<std::size_t>(length))));
            for (const auto message : messages) {
                const auto header = *readStruct<nlmsghdr>(message);
                if (header.nlmsg_seq != sequence) continue;  // of a request that was given up
                interrupted = interrupted || (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
                if (header.nlmsg_type == NLMSG_DONE) {
                    if (interrupted) return fail(ErrorCode::Stale, "{}: changed meanwhile", what);
                    return {};
                }
                if (header.nlmsg_type == NLMSG_ERROR) {
                    TRY(answer, parseAcknowledgement(message));
                    if (answer.error == 0) return {};
                    return kernelError(what, answer.error, answer.text);
                }
                if (header.nlmsg_type != NLMSG_NOOP) TRY_VOID(onMessage(message));
            }
        }
    }
    Result<void> command(Request& request, std::string_view what) {
        request.header().nlmsg_flags |= NLM_F_ACK;
        return exchange(request, what, [](ByteView) -> Result<void> { return {}; });
    }
    /// The one object that the kernel answers with. The acknowledgement behind it ends the exchange.
    template <class T>
    Result<T> get(Request& request, std::string_view what, Result<T> (*parse)(ByteView)) {
        request.header().nlmsg_flags |= NLM_F_ACK;
        std::optional<T> found;
        TRY_VOID(exchange(request, what, [&](ByteView message) -> Result<void> {
            TRY(object, parse(message));
            found = std::move(object);
            return {};
        }));
        if (!found) return fail(ErrorCode::Internal, "{}: empty answer", what);
        return std::move(*found);
    }
    /// All objects of a table, all from one consistent dump if the kernel lets us have one.
    template <class T>
    Result<std::vector<T>> dump(std::string_view what, std::uint16_t type,
                                const std::function<void(Request&)>& fill) {
        std::vector<T> out;
        for (int attempt = 1;; ++attempt) {
            out.clear();
            Request request(type, NLM_F_DUMP);
            fill(request);
            const auto done = exchange(request, what, [&](ByteView message) -> Result<void> {
                TRY(event, parseEvent(message));
                if (!event) return {};
                if (auto* const change = std::get_if<Change<T>>(&*event))
                    out.push_back(std::move(change->object));
                return {};
            });
            if (done) return out;
            if (done.error().code != ErrorCode::Stale || attempt == kDumpAttempts)
                return Unexpected{done.error()};
        }
    }

    std::unique_ptr<mnl_socket, SocketCloser> socket;
    std::vector<std::uint8_t> buffer = std::vector<std::uint8_t>(kReceiveBuffer);
    std::uint32_t lastSequence = 0;
};

RouteSocket::RouteSocket(std::unique_ptr<State> state) : state_(std::move(state)) {}
RouteSocket::~RouteSocket() = default;
RouteSocket::RouteSocket(RouteSocket&&) noexcept = default;
RouteSocket& RouteSocket::operator=(RouteSocket&&) noexcept = default;

Result<RouteSocket> RouteSocket::open() {
    auto state = std::make_unique<State>();
    state->socket.reset(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
    if (!state->socket) return kernelError("netlink socket", errno);
    if (mnl_socket_bind(state->socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
        return kernelError("netlink socket", errno);
    const int one = 1;  // both are refinements that old kernels do without
    mnl_socket_setsockopt(state->socket.get(), NETLINK_EXT_ACK, const_cast<int*>(&one), sizeof one);
    mnl_socket_setsockopt(state->socket.get(), NETLINK_CAP_ACK, const_cast<int*>(&one), sizeof one);
    const int fd = mnl_socket_get_fd(state->socket.get());
    if (::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kAnswerTimeout, sizeof kAnswerTimeout) != 0)
        return kernelError("netlink socket", errno);
    return RouteSocket{std::move(state)};
}

Result<std::vector<Link>> RouteSocket::links() {
    return state_->dump<Link>("list links", RTM_GETLINK, [](Request& request) {
        request.fixed(linkFixed(0)).number(IFLA_EXT_MASK, kSkipStatistics);
    });
}

Result<std::vector<Address>> RouteSocket::addresses() {
    return state_->dump<Address>("list addresses", RTM_GETADDR,
                                 [](Request& request) { request.fixed(ifaddrmsg{}); });
}

Result<std::vector<Neighbour>> RouteSocket::neighbours() {
    return state_->dump<Neighbour>("list neighbours", RTM_GETNEIGH,
                                   [](Request& request) { request.fixed(ndmsg{}); });
}

Result<std::vector<Route>> RouteSocket::routes() {
    return state_->dump<Route>("list routes", RTM_GETROUTE,
                               [](Request& request) { request.fixed(rtmsg{}); });
}

Result<Link> RouteSocket::link(std::string_view name) {
    if (name.empty() || name.size() >= IFNAMSIZ)
        return fail(ErrorCode::NotFound, "'{}' cannot be a link's name: 1 to 15 characters", name);
    Request request(RTM_GETLINK, 0);
    request.fixed(linkFixed(0)).text(IFLA_IFNAME, name).number(IFLA_EXT_MASK, kSkipStatistics);
    return state_->get<Link>(request, fmt::format("link {}", name), parseLink);
}

Result<Link> RouteSocket::link(int index) {
    Request request(RTM_GETLINK, 0);
    request.fixed(linkFixed(index)).number(IFLA_EXT_MASK, kSkipStatistics);
    return state_->get<Link>(request, fmt::format("link {}", index), parseLink);
}

Result<void> RouteSocket::setUp(int linkIndex, bool up) {
    auto fixed = linkFixed(linkIndex);
    fixed.ifi_change = IFF_UP;
    fixed.ifi_flags = up ? IFF_UP : 0;
    Request request(RTM_NEWLINK, 0);
    request.fixed(fixed);
    return state_->command(request, fmt::format("set link {} {}", linkIndex, up ? "up" : "down"));
}

Result<void> RouteSocket::setMtu(int linkIndex, std::uint32_t mtu) {
    Request request(RTM_NEWLINK, 0);
    request.fixed(linkFixed(linkIndex)).number(IFLA_MTU, mtu);
    return state_->command(request, fmt::format("set MTU {} of link {}", mtu, linkIndex));
}

Result<int> RouteSocket::createVxlan(const VxlanOptions& options) {
    if (options.name.empty() || options.name.size() >= IFNAMSIZ)
        return fail(ErrorCode::Invalid, "'{}' cannot be a link's name: 1 to 15 characters", options.name);
    Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    request.fixed(linkFixed(0)).text(IFLA_IFNAME, options.name);
    if (options.mtu != 0) request.number(IFLA_MTU, options.mtu);
    auto* const info = request.begin(IFLA_LINKINFO);
    request.text(IFLA_INFO_KIND, "vxlan");
    auto* const data = request.begin(IFLA_INFO_DATA);
    std::array<std::uint8_t, 2> port{};
    storeBe16(port.data(), options.udpPort);
    request.bytes(IFLA_VXLAN_PORT, port);
    request.number<std::uint8_t>(IFLA_VXLAN_COLLECT_METADATA, 1);
    request.number<std::uint8_t>(IFLA_VXLAN_LEARNING, 0);
    request.end(data);
    request.end(info);
    TRY_VOID(state_->command(request, fmt::format("create vxlan device {} on UDP port {}", options.name,
                                                  options.udpPort)));
    TRY(created, link(options.name));
    return created.index;
}

Result<void> RouteSocket::removeLink(int linkIndex) {
    Request request(RTM_DELLINK, 0);
    request.fixed(linkFixed(linkIndex));
    return state_->command(request, fmt::format("remove link {}", linkIndex));
}

Result<Route> RouteSocket::lookupRoute(const net::IpAddress& to, std::optional<net::IpAddress> from) {
    if (from && from->family() != to.family())
        return fail(ErrorCode::Invalid, "route from {} to {}: two address families", *from, to);
    rtmsg fixed{};
    fixed.rtm_family = static_cast<unsigned char>(toAddressFamily(to.family()));
    fixed.rtm_dst_len = static_cast<unsigned char>(to.bits());
    fixed.rtm_src_len = from ? fixed.rtm_dst_len : static_cast<unsigned char>(0);
    Request request(RTM_GETROUTE, 0);
    request.fixed(fixed).address(RTA_DST, to);
    if (from) request.address(RTA_SRC, *from);
    return state_->get<Route>(
        request, from ? fmt::format("route from {} to {}", *from, to) : fmt::format("route to {}", to),
        parseRoute);
}

Result<std::optional<Neighbour>> RouteSocket::neighbour(int linkIndex, const net::IpAddress& address) {
    ndmsg fixed{};
    fixed.ndm_family = static_cast<unsigned char>(toAddressFamily(address.family()));
    fixed.ndm_ifindex = linkIndex;
    Request request(RTM_GETNEIGH, 0);
    request.fixed(fixed).address(NDA_DST, address);
    auto found = state_->get<Neighbour>(
        request, fmt::format("neighbour {} on link {}", address, linkIndex), parseNeighbour);
    if (found) return std::optional<Neighbour>{std::move(*found)};
    if (found.error().code == ErrorCode::NotFound) return std::nullopt;
    return Unexpected{std::move(found).error()};
}

Result<void> RouteSocket::probe(int linkIndex, const net::IpAddress& address) {
    ndmsg fixed{};
    fixed.ndm_family = static_cast<unsigned char>(toAddressFamily(address.family()));
    fixed.ndm_ifindex = linkIndex;
    fixed.ndm_state = NUD_NONE;
    fixed.ndm_flags = NTF_USE;
    Request request(RTM_NEWNEIGH, NLM_F_CREATE);
    request.fixed(fixed).address(NDA_DST, address);
    return state_->command(request, fmt::format("probe {} on link {}", address, linkIndex));
}

}  // namespace midonet::netlink
