#pragma once

#include <cstdint>
#include <vector>

#include "datapath/datapath.h"
#include "packet/parse.h"

namespace midonet::datapath::fake {

/// A frame with its checksum state, and the changes that flow actions make to it. Headers that are
/// not there are left alone, as the kernel does.
class EditableFrame {
public:
    EditableFrame(ByteView frame, const Offload& offload) : bytes_(frame.begin(), frame.end()), offload_(offload) {}

    void setEthernet(net::Mac source, net::Mac destination);
    void pushVlan(flow::VlanTci tci);
    void popVlan();
    void setIpAddresses(const net::IpAddress& source, const net::IpAddress& destination);
    void setL4Ports(std::uint16_t source, std::uint16_t destination);
    /// False, and nothing is changed, for an IP packet with no more than `by` hops left.
    bool decrementTtl(std::uint8_t by);

    const std::vector<std::uint8_t>& bytes() const { return bytes_; }
    const Offload& offload() const { return offload_; }

private:
    void replaceAddress(const packet::ParsedPacket& parsed, std::size_t at, const net::IpAddress& before, const net::IpAddress& after);
    /// Where the checksum of the transport header is; nullptr = there is none to keep up.
    std::uint8_t* transportChecksum(const packet::ParsedPacket& parsed);

    std::vector<std::uint8_t> bytes_;
    Offload offload_;
};

}  // namespace midonet::datapath::fake
