#include "netlink/messages.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlink/internal/attributes.h"

namespace midonet::netlink {
namespace {

/// The fixed part of a message behind its header, and its attributes.
template <class Fixed>
struct Body {
    Fixed fixed;
    ByteView attributes;
};

template <class Fixed>
Result<Body<Fixed>> parseBody(ByteView message) {
    const auto header = readStruct<nlmsghdr>(message);
    if (!header || header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > message.size())
        return fail(ErrorCode::Malformed, "netlink message cut short");
    const auto payload = message.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr));
    const auto fixed = readStruct<Fixed>(payload);
    if (!fixed) return fail(ErrorCode::Malformed, "netlink message of type {} cut short", header->nlmsg_type);
    return Body<Fixed>{*fixed, payload.subspan(std::min(alignUp(sizeof(Fixed)), payload.size()))};
}

std::optional<net::IpAddress> toAddress(ByteView bytes) {
    if (bytes.size() == 4) return net::IpAddress{net::Ipv4Address::fromWire(bytes.data())};
    if (bytes.size() == 16) return net::IpAddress{net::Ipv6Address::fromWire(bytes.data())};
    return std::nullopt;
}

std::optional<net::Mac> toMac(ByteView bytes) {
    if (bytes.size() != 6) return std::nullopt;
    return net::Mac::fromWire(bytes.data());
}

net::IpAddress unspecified(unsigned family) {
    return family == AF_INET6 ? net::IpAddress{net::Ipv6Address{}} : net::IpAddress{net::Ipv4Address{}};
}

bool isIp(unsigned family) { return family == AF_INET || family == AF_INET6; }

template <class T>
Result<std::optional<Event>> asEvent(Result<T> object, bool removed) {
    if (!object) return Unexpected{std::move(object).error()};
    return std::optional<Event>{Change<T>{std::move(*object), removed}};
}

/// The first byte behind the header is the family in every rtnetlink message.
unsigned familyOf(ByteView message) {
    return message.size() > sizeof(nlmsghdr) ? message[sizeof(nlmsghdr)] : static_cast<unsigned>(AF_UNSPEC);
}

}  // namespace

bool Neighbour::usable() const {
    constexpr std::uint16_t kUsable =
        NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
    return mac && (state & kUsable) != 0;
}

Result<Link> parseLink(ByteView message) {
    TRY(body, parseBody<ifinfomsg>(message));
    Link link;
    link.index = body.fixed.ifi_index;
    link.up = (body.fixed.ifi_flags & IFF_UP) != 0;
    link.hasCarrier = (body.fixed.ifi_flags & IFF_LOWER_UP) != 0;
    link.loopback = body.fixed.ifi_type == ARPHRD_LOOPBACK;
    link.usesNeighbours = (body.fixed.ifi_flags & IFF_NOARP) == 0;
    Result<void> nested;
    TRY_VOID(forEachAttribute(body.attributes, [&](const Attribute& attribute) {
        switch (attribute.type) {
            case IFLA_IFNAME: link.name = attribute.asText(); break;
            case IFLA_ADDRESS: link.mac = toMac(attribute.payload); break;
            case IFLA_MTU: link.mtu = attribute.as<std::uint32_t>().value_or(0); break;
            case IFLA_MASTER: link.master = attribute.as<int>().value_or(0); break;
            case IFLA_PARENT_DEV_NAME: link.parentDevice = attribute.asText(); break;
            case IFLA_LINKINFO:
                nested = forEachAttribute(attribute.payload, [&](const Attribute& info) {
                    if (info.type == IFLA_INFO_KIND) link.kind = info.asText();
                });
                break;
            default: break;
        }
    }));
    TRY_VOID(nested);
    if (link.index <= 0 || link.name.empty())
        return fail(ErrorCode::Malformed, "link message without index or name");
    return link;
}

Result<Address> parseAddress(ByteView message) {
    TRY(body, parseBody<ifaddrmsg>(message));
    Address out;
    out.linkIndex = static_cast<int>(body.fixed.ifa_index);
    out.prefixLength = body.fixed.ifa_prefixlen;
    std::optional<net::IpAddress> local;
    std::optional<net::IpAddress> address;
    TRY_VOID(forEachAttribute(body.attributes, [&](const Attribute& attribute) {
        if (attribute.type == IFA_LOCAL) local = toAddress(attribute.payload);
        if (attribute.type == IFA_ADDRESS) address = toAddress(attribute.payload);
    }));
    // On point-to-point links IFA_ADDRESS is the peer's; IPv6 has only IFA_ADDRESS.
    if (!local) local = address;
    if (!local || out.prefixLength > local->bits())
        return fail(ErrorCode::Malformed, "address message without a valid address");
    out.address = *local;
    return out;
}

Result<Neighbour> parseNeighbour(ByteView message) {
    TRY(body, parseBody<ndmsg>(message));
    Neighbour out;
    out.linkIndex = body.fixed.ndm_ifindex;
    out.state = body.fixed.ndm_state;
    std::optional<net::IpAddress> address;
    TRY_VOID(forEachAttribute(body.attributes, [&](const Attribute& attribute) {
        if (attribute.type == NDA_DST) address = toAddress(attribute.payload);
        if (attribute.type == NDA_LLADDR) out.mac = toMac(attribute.payload);
    }));
    if (!address) return fail(ErrorCode::Malformed, "neighbour message without an address");
    out.address = *address;
    return out;
}

Result<Route> parseRoute(ByteView message) {
    TRY(body, parseBody<rtmsg>(message));
    Route out;
    out.table = body.fixed.rtm_table;
    out.type = body.fixed.rtm_type;
    auto destination = unspecified(body.fixed.rtm_family);
    TRY_VOID(forEachAttribute(body.attributes, [&](const Attribute& attribute) {
        switch (attribute.type) {
            case RTA_DST: destination = toAddress(attribute.payload).value_or(destination); break;
            case RTA_GATEWAY: out.gateway = toAddress(attribute.payload); break;
            case RTA_VIA:  // a gateway of the other family: struct rtvia
                if (attribute.payload.size() > sizeof(rtvia))
                    out.gateway = toAddress(attribute.payload.subspan(sizeof(rtvia)));
                break;
            case RTA_PREFSRC: out.preferredSource = toAddress(attribute.payload); break;
            case RTA_OIF: out.linkIndex = attribute.as<int>().value_or(0); break;
            case RTA_TABLE: out.table = attribute.as<std::uint32_t>().value_or(out.table); break;
            case RTA_PRIORITY: out.priority = attribute.as<std::uint32_t>().value_or(0); break;
            default: break;
        }
    }));
    if (body.fixed.rtm_dst_len > destination.bits())
        return fail(ErrorCode::Malformed, "route message with a prefix of {} bits", body.fixed.rtm_dst_len);
    out.destination = net::IpPrefix{destination, body.fixed.rtm_dst_len};
    return out;
}

Result<std::optional<Event>> parseEvent(ByteView message) {
    const auto header = readStruct<nlmsghdr>(message);
    if (!header) return fail(ErrorCode::Malformed, "netlink message cut short");
    const auto family = familyOf(message);
    switch (header->nlmsg_type) {
        // AF_BRIDGE: about bridge ports and forwarding entries, in the same message types.
        case RTM_NEWLINK:
        case RTM_DELLINK:
            if (family != AF_UNSPEC) return std::nullopt;
            return asEvent(parseLink(message), header->nlmsg_type == RTM_DELLINK);
        case RTM_NEWADDR:
        case RTM_DELADDR:
            if (!isIp(family)) return std::nullopt;
            return asEvent(parseAddress(message), header->nlmsg_type == RTM_DELADDR);
        case RTM_NEWNEIGH:
        case RTM_DELNEIGH:
            if (!isIp(family)) return std::nullopt;
            return asEvent(parseNeighbour(message), header->nlmsg_type == RTM_DELNEIGH);
        case RTM_NEWROUTE:
        case RTM_DELROUTE:
            if (!isIp(family)) return std::nullopt;
            return asEvent(parseRoute(message), header->nlmsg_type == RTM_DELROUTE);
        default: return std::nullopt;
    }
}

Result<std::vector<ByteView>> splitDatagram(ByteView datagram) {
    std::vector<ByteView> out;
    while (!datagram.empty()) {
        const auto header = readStruct<nlmsghdr>(datagram);
        if (!header) break;  // padding
        if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size())
            return fail(ErrorCode::Malformed, "netlink message of {} bytes where {} are left",
                        header->nlmsg_len, datagram.size());
        out.push_back(datagram.first(header->nlmsg_len));
        datagram = datagram.subspan(std::min(alignUp(header->nlmsg_len), datagram.size()));
    }
    return out;
}

Result<Acknowledgement> parseAcknowledgement(ByteView message) {
    TRY(body, parseBody<nlmsgerr>(message));
    if (body.fixed.error > 0 || body.fixed.error < -4095)
        return fail(ErrorCode::Malformed, "netlink answer with the impossible error {}", body.fixed.error);
    Acknowledgement out{-body.fixed.error, {}};
    const auto header = *readStruct<nlmsghdr>(message);
    if ((header.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return out;
    // Without NLM_F_CAPPED the request comes back too, before the attributes.
    auto attributes = body.attributes;
    if ((header.nlmsg_flags & NLM_F_CAPPED) == 0) {
        if (body.fixed.msg.nlmsg_len < sizeof(nlmsghdr))
            return fail(ErrorCode::Malformed, "netlink answer quotes an impossible request");
        const auto quoted = alignUp(body.fixed.msg.nlmsg_len - sizeof(nlmsghdr));
        if (quoted > attributes.size()) return fail(ErrorCode::Malformed, "netlink answer cut short");
        attributes = attributes.subspan(quoted);
    }
    TRY_VOID(forEachAttribute(attributes, [&](const Attribute& attribute) {
        if (attribute.type == NLMSGERR_ATTR_MSG) out.text = attribute.asText();
    }));
    return out;
}

}  // namespace midonet::netlink
