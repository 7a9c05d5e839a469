#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "model/ids.h"
#include "model/topology.pb.h"
#include "net/ip_address.h"
#include "rest/entity_tag.h"
#include "rest/media_type.h"
#include "rest/topology_api.h"

namespace midonet::rest {
namespace {

using model::Bridge;

std::string dashedText(std::string text) {
    std::replace(text.begin(), text.end(), ':', '-');
    return text;
}

/// What differs between the families: names, and how a host is named in paths.
struct V4 {
    using Subnet = model::DhcpSubnet;
    using Host = model::DhcpHost;
    static constexpr net::IpFamily kFamily = net::IpFamily::V4;
    static constexpr std::string_view kSegment = "dhcp";
    static constexpr std::string_view kHosts = "hosts";
    static constexpr std::string_view kHostType = "DhcpHost";
    static constexpr std::uint32_t kHostVersion = 2;
    static constexpr const char* kAddress = "subnetPrefix";

    static const std::string& address(const Subnet& subnet) { return subnet.subnet_prefix(); }
    static std::uint32_t length(const Subnet& subnet) { return subnet.subnet_length(); }
    static std::string segmentOf(const Host& host) { return host.mac_addr(); }
    static bool isNamed(const Host& host, const std::string& segment) {
        const auto mac = net::Mac::parse(segment);
        return mac && mac->toString() == host.mac_addr();
    }
};

struct V6 {
    using Subnet = model::DhcpV6Subnet;
    using Host = model::DhcpV6Host;
    static constexpr net::IpFamily kFamily = net::IpFamily::V6;
    static constexpr std::string_view kSegment = "dhcpV6";
    static constexpr std::string_view kHosts = "hostsV6";
    static constexpr std::string_view kHostType = "DhcpV6Host";
    static constexpr std::uint32_t kHostVersion = 1;
    static constexpr const char* kAddress = "prefix";

    static const std::string& address(const Subnet& subnet) { return subnet.prefix(); }
    static std::uint32_t length(const Subnet& subnet) { return subnet.prefix_length(); }
    static std::string segmentOf(const Host& host) { return http::percentEncode(dashedText(host.client_id())); }
    static bool isNamed(const Host& host, const std::string& segment) { return dashedText(host.client_id()) == dashedText(segment); }
};

/// How a subnet is named in paths: "10.0.0.0_24".
struct SubnetKey {
    std::string address;
    std::uint32_t length = 0;

    std::string toString() const { return fmt::format("{}_{}", address, length); }
    friend bool operator==(const SubnetKey&, const SubnetKey&) = default;
};

std::optional<SubnetKey> parseKey(std::string_view text) {
    const auto underscore = text.rfind('_');
    if (underscore == text.npos) return std::nullopt;
    const auto address = net::IpAddress::parse(text.substr(0, underscore));
    const auto digits = text.substr(underscore + 1);
    std::uint32_t length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (!address || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return SubnetKey{address->toString(), length};
}

/// The subnets of a bridge and the hosts in them.
template <class Family>
class Dhcp {
public:
    using Subnet = typename Family::Subnet;
    using Host = typename Family::Host;

    explicit Dhcp(ObjectApi& api) : api_(api) {}

    static SubnetKey keyOf(const Subnet& subnet) { return {Family::address(subnet), Family::length(subnet)}; }
    static std::string pathOf(const Subnet& subnet) {
        return fmt::format("/bridges/{}/{}/{}", model::uuidOf(subnet.bridge_id()), Family::kSegment, keyOf(subnet).toString());
    }
    /// Another one of the bridge with this address and length would have the same path.
    static Outcome<void> checkKey(nsdb::Transaction& transaction, const Subnet& subnet) {
        GET_OR_REFUSE(address, net::IpAddress::parse(Family::address(subnet)));
        if (address.family() != Family::kFamily) return refuseProperty(Family::kAddress, fmt::format("must be an IPv{} address", static_cast<int>(Family::kFamily)));
        const auto bridge = model::uuidOf(subnet.bridge_id());
        GET_OR_REFUSE(other, find(transaction, bridge, keyOf(subnet)));
        if (other && model::idOf(*other) != model::idOf(subnet))
            return refuse(409, "bridge {} has the subnet {} already", bridge, keyOf(subnet).toString());
        return {};
    }

    Outcome<http::Response> getSubnet(const Call& call) const {
        GET_OR_REFUSE(reads, api_.view(call));
        GET_OR_REFUSE(subnet, subnetOf(*reads, call));
        return api_.answerItem(call, api_.of<Subnet>(), model::idOf(*subnet));
    }
    Outcome<http::Response> replaceSubnet(const Call& call) const {
        GET_OR_REFUSE(id, idOf(call));
        return api_.update(call, api_.of<Subnet>(), id);
    }
    Outcome<http::Response> removeSubnet(const Call& call) const {
        GET_OR_REFUSE(id, idOf(call));
        return api_.remove(call, api_.of<Subnet>(), id);
    }

    Outcome<http::Response> listHosts(const Call& call) const {
        GET_OR_REFUSE(reads, api_.view(call));
        GET_OR_REFUSE(subnet, subnetOf(*reads, call));
        model::JsonWriter json;
        json.beginArray();
        for (const auto& host : subnet->hosts()) showHost(json, call.base, *subnet, host);
        return call.ok(json.endArray().take());
    }
    Outcome<http::Response> getHost(const Call& call) const {
        GET_OR_REFUSE(reads, api_.view(call));
        GET_OR_REFUSE(subnet, subnetOf(*reads, call));
        GET_OR_REFUSE(index, hostOf(*subnet, call));
        model::JsonWriter json;
        showHost(json, call.base, *subnet, subnet->hosts(index));
        return call.ok(json.take());
    }
    Outcome<http::Response> addHost(const Call& call) const {
        GET_OR_REFUSE(host, readHost(call));
        std::string path;
        return edit(call, [&](Subnet& subnet) -> Outcome<void> {
            DO_OR_REFUSE(refuseTaken(subnet, host, -1));
            *subnet.add_hosts() = host;
            path = hostPath(subnet, host);
            return {};
        }).map([&] { return call.created(path); });
    }
    Outcome<http::Response> replaceHost(const Call& call) const {
        GET_OR_REFUSE(host, readHost(call));
        return edit(call, [&](Subnet& subnet) -> Outcome<void> {
            GET_OR_REFUSE(index, hostOf(subnet, call));
            DO_OR_REFUSE(checkHost(call, subnet, index));
            DO_OR_REFUSE(refuseTaken(subnet, host, index));
            *subnet.mutable_hosts(index) = host;
            return {};
        }).map([] { return Call::empty(204); });
    }
    Outcome<http::Response> removeHost(const Call& call) const {
        return edit(call, [&](Subnet& subnet) -> Outcome<void> {
            GET_OR_REFUSE(index, hostOf(subnet, call));
            DO_OR_REFUSE(checkHost(call, subnet, index));
            subnet.mutable_hosts()->DeleteSubrange(index, 1);
            return {};
        }).map([] { return Call::empty(204); });
    }

private:
    using SubnetPtr = std::shared_ptr<const Subnet>;

    static const std::vector<model::FieldSchema>& hostFields() {
        static const auto& fields = model::Schema::get().of<Subnet>().field("hosts")->embedded;
        return fields;
    }
    static std::string hostPath(const Subnet& subnet, const Host& host) {
        return fmt::format("{}/{}/{}", pathOf(subnet), Family::kHosts, Family::segmentOf(host));
    }
    static void showHost(model::JsonWriter& json, const std::string& base, const Subnet& subnet, const Host& host) {
        json.beginObject();
        model::writeFields(json, hostFields(), host);
        json.key("uri").string(base + hostPath(subnet, host)).endObject();
    }

    static Outcome<void> checkHost(const Call& call, const Subnet& subnet, int index) {
        return checkMatch(call.request, [&](model::JsonWriter& json) { showHost(json, call.base, subnet, subnet.hosts(index)); });
    }

    /// Empty when there is none.
    static Outcome<SubnetPtr> find(nsdb::View& view, const Uuid& bridge, const SubnetKey& key) {
        GET_OR_REFUSE(ids, view.referrers<Subnet>("bridge_id", bridge));
        for (const auto& id : ids) {
            GET_OR_REFUSE(subnet, view.get<Subnet>(id));
            if (keyOf(*subnet.object) == key) return std::move(subnet.object);
        }
        return SubnetPtr{};
    }
    static Outcome<SubnetPtr> subnetOf(nsdb::View& view, const Call& call) {
        GET_OR_REFUSE(bridge, call.id());
        const auto& text = call.parameters["subnet"];
        if (const auto key = parseKey(text)) {
            GET_OR_REFUSE(subnet, find(view, bridge, *key));
            if (subnet) return subnet;
        }
        return refuse(404, "bridge {} has no subnet '{}'", bridge, text);
    }
    Outcome<Uuid> idOf(const Call& call) const {
        GET_OR_REFUSE(reads, api_.view(call));
        GET_OR_REFUSE(subnet, subnetOf(*reads, call));
        return model::idOf(*subnet);
    }
    static Outcome<int> hostOf(const Subnet& subnet, const Call& call) {
        const auto& segment = call.parameters["host"];
        for (int i = 0; i < subnet.hosts_size(); ++i)
            if (Family::isNamed(subnet.hosts(i), segment)) return i;
        return refuse(404, "subnet {} has no host '{}'", keyOf(subnet).toString(), segment);
    }
    /// `but`: the index of the one that is replaced.
    static Outcome<void> refuseTaken(const Subnet& subnet, const Host& host, int but) {
        for (int i = 0; i < subnet.hosts_size(); ++i)
            if (i != but && Family::segmentOf(subnet.hosts(i)) == Family::segmentOf(host))
                return refuse(409, "subnet {} has the host {} already", keyOf(subnet).toString(), Family::segmentOf(host));
        return {};
    }
    static Outcome<Host> readHost(const Call& call) {
        GET_OR_REFUSE(body, call.body());
        Host host;
        auto violations = model::fromJson(body, hostFields(), model::Input::Create, host);
        if (violations.empty()) violations = model::validate(hostFields(), host);
        if (!body.given("name")) violations.push_back({"name", "must be given, but may be empty"});
        DO_OR_REFUSE(refuseIfAny(std::move(violations)));
        return host;
    }
    Outcome<void> edit(const Call& call, const std::function<Outcome<void>(Subnet&)>& change) const {
        return transact(api_.storeOf(call), [&](nsdb::Transaction& transaction) -> Outcome<void> {
            GET_OR_REFUSE(subnet, subnetOf(transaction, call));
            Subnet next = *subnet;
            DO_OR_REFUSE(change(next));
            DO_OR_REFUSE(transaction.update(next));
            return {};
        });
    }

    ObjectApi& api_;
};

template <class Family>
const Resource& addSubnetClass(ObjectApi& api) {
    using Subnet = typename Family::Subnet;
    auto subnet = resource<Subnet>({
        .beforeCreate = [](const Change& change, Subnet& created) { return Dhcp<Family>::checkKey(change.transaction, created); },
        .beforeUpdate = [](const Change& change, const Subnet&, Subnet& next) { return Dhcp<Family>::checkKey(change.transaction, next); }});
    subnet.path = [](const Message& object) { return Dhcp<Family>::pathOf(static_cast<const Subnet&>(object)); };
    subnet.links = {{"hosts", fmt::format("/{}", Family::kHosts)}};
    subnet.wrongContentType = 415;
    subnet.removeMissingIs404 = true;
    const auto& added = api.add(std::move(subnet));
    api.addChildren<Bridge, Subnet>(Family::kSegment, "bridge_id");
    return added;
}

template <class Family>
void describeHost(Bodies& bodies) {
    Properties out;
    describe(model::Schema::get().of<typename Family::Subnet>().field("hosts")->embedded, out, bodies);
    out.push_back({.name = "uri", .type = ValueType::Uri});
    bodies[std::string{Family::kHostType}] = std::move(out);
}

template <class Family>
void addFamily(ObjectApi& api) {
    using http::Method;
    const auto& subnet = addSubnetClass<Family>(api);
    const auto dhcp = std::make_shared<const Dhcp<Family>>(api);
    const std::string one = fmt::format("/bridges/{{id}}/{}/{{subnet}}", Family::kSegment);
    const std::string hosts = fmt::format("{}/{}", one, Family::kHosts);
    const std::string host = hosts + "/{host}";
    describeHost<Family>(api.service().bodies());
    const std::vector<std::string> hostTypes{itemType(Family::kHostType, Family::kHostVersion), std::string{kJson}};
    const std::vector<std::string> hostListTypes{collectionType(Family::kHostType, Family::kHostVersion), std::string{kJson}};
    const bool readsBlock = api.store().readsBlock();
    auto& service = api.service();
    const auto read = [&](const std::string& path, const std::vector<std::string>& types, bool blocks, auto method) {
        service.add({.path = path, .produces = types, .consumes = {}, .blocks = blocks, .forTenants = true,
                     .run = [dhcp, method](const Call& call) { return (*dhcp.*method)(call); }});
    };
    const auto write = [&](Method verb, const std::string& path, const std::vector<std::string>& types, auto method) {
        service.add({.method = verb, .path = path, .produces = {}, .consumes = types, .wrongContentType = 415, .blocks = true, .forTenants = true,
                     .run = [dhcp, method](const Call& call) { return (*dhcp.*method)(call); }});
    };
    read(one, subnet.itemTypes(), readsBlock, &Dhcp<Family>::getSubnet);
    write(Method::Put, one, subnet.itemTypes(), &Dhcp<Family>::replaceSubnet);
    write(Method::Delete, one, {}, &Dhcp<Family>::removeSubnet);
    read(hosts, hostListTypes, true, &Dhcp<Family>::listHosts);
    write(Method::Post, hosts, hostTypes, &Dhcp<Family>::addHost);
    read(host, hostTypes, readsBlock, &Dhcp<Family>::getHost);
    write(Method::Put, host, hostTypes, &Dhcp<Family>::replaceHost);
    write(Method::Delete, host, {}, &Dhcp<Family>::removeHost);
}

}  // namespace

void addDhcp(ObjectApi& api) {
    addFamily<V4>(api);
    addFamily<V6>(api);
}

}  // namespace midonet::rest
