#pragma once

#include <boost/container/small_vector.hpp>
#include <optional>

#include "simulation/simulator.h"

namespace midonet::simulation {

/// What became of the packet (or of one copy of it) in the device it was handed to.
struct Fate {
    enum class Kind : std::uint8_t { Forwarded, Dropped, Consumed, Parked };
    Kind kind = Kind::Forwarded;
    flow::DropReason reason{};                ///< Of Dropped.
    std::optional<flow::FlowTag> until;       ///< Of Parked.
};

/// The working state of one simulation: where the packet is, what it looks like now compared with how it came
/// in, and what has been recorded on the way. Devices read and change it; it never leaves the module.
///
/// Reading a field records it in the mask of the flow, unless the simulation itself has set it: then its
/// value follows from what was looked at before.
class PacketWalk {
public:
    PacketWalk(const PacketContext& packet, const topology::TopologySnapshot& topology, const StateView& state, Trace* trace);

    const topology::TopologySnapshot& topology() const { return topology_; }
    const StateView& state() const { return state_; }
    const PacketContext& packet() const { return packet_; }

    // --- the packet as it is now ---------------------------------------------------------------

    net::Mac ethSource() { return see(flow::Field::EthSource), now_.ethSource; }
    net::Mac ethDestination() { return see(flow::Field::EthDestination), now_.ethDestination; }
    std::uint16_t etherType() { return see(flow::Field::EtherType), now_.etherType; }
    /// The outer tag.
    flow::VlanTci vlan();
    net::IpAddress ipSource() { return see(flow::Field::IpSource), now_.ipSource; }
    net::IpAddress ipDestination() { return see(flow::Field::IpDestination), now_.ipDestination; }
    std::uint8_t protocol() { return see(flow::Field::IpProtocol), now_.ipProtocol; }
    std::uint8_t tos() { return see(flow::Field::IpTos), now_.ipTos; }
    flow::Fragment fragment() { return see(flow::Field::IpFragment), now_.ipFragment; }
    std::uint16_t l4Source() { return see(flow::Field::L4Source), now_.l4Source; }
    std::uint16_t l4Destination() { return see(flow::Field::L4Destination), now_.l4Destination; }
    std::uint16_t icmpId() { return see(flow::Field::IcmpId), now_.icmpId; }

    /// All fields, without recording: for what is recorded in part by seePrefix(), and for descriptions.
    const flow::FlowKey& peek() const { return now_; }
    /// Records the first `bits` of IpSource or IpDestination as looked at.
    void seePrefix(flow::Field address, unsigned bits);
    /// Looking at the field (an address: at all its bits) would record nothing new.
    bool isSeen(flow::Field field) const;

    bool isIpv4() { return etherType() == 0x0800; }
    bool isIpv6() { return etherType() == 0x86dd; }
    bool isIp() { return isIpv4() || isIpv6(); }
    bool isArp() { return etherType() == 0x0806; }
    /// TCP, UDP or an ICMP(v6) echo, and no later fragment: packets that connections are known by.
    bool hasConnection();
    /// An ICMP error (not v6) whose inside could be read: the addresses, and the ports or the echo identifier,
    /// of the packet it is about, as they are now. Looking makes the decision one for this packet only.
    struct IcmpData {
        std::uint8_t protocol = 0;
        net::IpAddress source;
        net::IpAddress destination;
        std::uint16_t sourcePort = 0;
        std::uint16_t destinationPort = 0;
        friend bool operator==(const IcmpData&, const IcmpData&) = default;
    };
    bool isIcmpError();
    std::optional<IcmpData> icmpData();

    // --- changing it ---------------------------------------------------------------------------

    void setEthernet(net::Mac source, net::Mac destination);
    void setIpSource(const net::IpAddress& address);
    void setIpDestination(const net::IpAddress& address);
    /// TCP and UDP only: what stands for the ports of an ICMP echo is never changed.
    void setL4Source(std::uint16_t port);
    void setL4Destination(std::uint16_t port);
    void setIcmpData(const IcmpData& data);
    /// False when the packet has no hop left; nothing is changed then.
    [[nodiscard]] bool decrementTtl();
    void popVlan();
    void pushVlan(flow::VlanTci tci);

    // --- where it is ---------------------------------------------------------------------------

    struct Place {
        const topology::Port* in = nullptr;   ///< Of the current device.
        const topology::Port* out = nullptr;  ///< Of the current device, once it is chosen.
        /// The last exterior port it came in through.
        const topology::Port* ingress = nullptr;
        bool destinationRewritten = false;    ///< By this device: destination translation, or undone source translation.
    };
    Place place;
    /// The packet as it entered the current router.
    flow::FlowKey arrived;
    /// Virtual ports entered so far, on the way of this copy; above kMaxDevices there is a loop.
    unsigned devices = 0;
    static constexpr unsigned kMaxDevices = 12;
    /// One more port is entered or left, by whatever copy; false when that is enough for one packet.
    bool visitPort() { return ++visits_ <= kMaxVisits; }
    static constexpr unsigned kMaxVisits = 16384;
    /// The packet is about to be flooded in this bridge; false when it was before: a loop of bridges.
    bool enterFlood(const BridgeId& bridge);
    /// The device that rules and translations belong to now.
    Uuid device() const { return device_ ? *device_ : place.in != nullptr ? place.in->device() : Uuid{}; }
    /// For a while the device is another one (a load balancer).
    void setDevice(std::optional<Uuid> device) { device_ = device; }
    bool traversed(const Uuid& device) const;

    // --- connection tracking -------------------------------------------------------------------

    /// Whether this is a packet of the direction that opened the connection: asked once, on the packet as
    /// it came in and the device it came in to (reference section 6.1).
    bool isForwardFlow();
    /// Uses the entry (it has to be there, or added before by addState()), and keeps it alive with the flow.
    void useState(const flowstate::StateKey& key);
    void addState(const flowstate::StateEntry& entry);
    /// Looks a key up; whether it is there is then part of the decision.
    std::optional<flowstate::Binding> state(const flowstate::StateKey& key);

    // --- recording -----------------------------------------------------------------------------

    void tag(flow::FlowTag tag);
    void effect(const Effect& effect);
    void event(Event event) { decision_.events.push_back(std::move(event)); }
    void shorten() { decision_.flowClass = FlowClass::Error; }
    /// Something was looked at, or is to be done for each packet, that no flow can match or do.
    void onlyThisPacket() { decision_.onlyThisPacket = true; }
    bool tracing() const { return trace_ != nullptr; }
    /// Call only when tracing().
    void step(TraceStep::Kind kind, const Uuid& subject, std::string detail);

    // --- the end -------------------------------------------------------------------------------

    /// A copy of the packet as it is now leaves through this exterior port. Makes the connection known to
    /// the device of that port when somebody asked whether it is.
    void emit(const topology::Port& port);
    bool emitted() const { return emitted_; }
    /// What a copy of its own (flood) starts from: everything about the packet but what is recorded.
    struct Branch {
        flow::FlowKey now;
        std::uint32_t rewritten;
        Place place;
        unsigned devices;
        std::uint8_t ttlDecrements;
        bool popped;
        boost::container::small_vector<flow::VlanTci, 2> pushed;
        std::optional<IcmpData> icmpData;
        std::optional<Uuid> device;
    };
    Branch branch() const;
    void restore(const Branch& branch);

    static Fate forward() { return {Fate::Kind::Forwarded, {}, {}}; }
    Fate drop(flow::DropReason reason);
    /// As drop(), for what nothing invalidates: the flow is a short one.
    Fate error(flow::DropReason reason);
    static Fate consume() { return {Fate::Kind::Consumed, {}, {}}; }
    static Fate park(flow::FlowTag until) { return {Fate::Kind::Parked, {}, until}; }
    /// All that was recorded, under the fate of the packet. Ends the walk.
    SimulationResult result(const Fate& fate);

private:
    void see(flow::Field field) {
        if (!isRewritten(field)) decision_.mask.see(field);
    }
    static constexpr std::uint32_t bit(flow::Field field) { return 1U << static_cast<unsigned>(field); }
    bool isRewritten(flow::Field field) const { return (rewritten_ & bit(field)) != 0; }
    void rewrite(flow::Field field) { rewritten_ |= bit(field); }
    flowstate::StateKey connectionOf(const flow::FlowKey& key, const Uuid& device, bool answer) const;
    void pushChanges();

    const PacketContext& packet_;
    const topology::TopologySnapshot& topology_;
    const StateView& state_;
    Trace* trace_;

    flow::FlowKey now_;
    std::uint32_t rewritten_ = 0;  // fields that the simulation has set
    std::uint8_t ttlDecrements_ = 0;
    bool popped_ = false;          // the tag it came in with
    boost::container::small_vector<flow::VlanTci, 2> pushed_;  // innermost first
    bool icmpDataRead_ = false;
    std::optional<IcmpData> icmpData_;
    std::optional<IcmpData> icmpDataBefore_;  // as it came in
    std::optional<Uuid> device_;
    unsigned visits_ = 0;
    boost::container::small_vector<BridgeId, 4> flooded_;

    enum class Connection : std::uint8_t { NotAsked, Forward, Return };
    Connection connection_ = Connection::NotAsked;

    // What the actions so far have made of the packet.
    struct Emitted {
        net::Mac ethSource, ethDestination;
        net::IpAddress ipSource, ipDestination;
        std::uint16_t l4Source = 0, l4Destination = 0;
        std::uint8_t ttlDecrements = 0;
        bool popped = false;
        boost::container::small_vector<flow::VlanTci, 2> pushed;
        std::optional<IcmpData> icmpData;
    };
    Emitted out_;
    Decision decision_;
    VirtualActions actions_;
    bool emitted_ = false;
};

// --- the steps of every packet (simulator.cpp) ----------------------------------------------------

/// Enters the device of `port` (reference section 1.8): checks, inbound filter, then the device.
Fate enterPort(PacketWalk& walk, const topology::Port& port);
/// Why nothing can leave through `port` now; nullopt when it can.
std::optional<Fate> egressRefused(PacketWalk& walk, const topology::Port& port);
/// Leaves the current device through `port`: checks, outbound filter, then out of the topology or into the
/// peer. Among several copies (a flood) each is a branch: branch() before, restore() after.
Fate leavePort(PacketWalk& walk, const topology::Port& port);

}  // namespace midonet::simulation
