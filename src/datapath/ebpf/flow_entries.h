#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "datapath/ebpf/key_codec.h"

namespace midonet::datapath::ebpf {

/// Reads a whole flow table, many entries with one system call. Entries that come or go meanwhile may be among them or not.
///
///     while (entries.next())
///         for (std::size_t i = 0; i < entries.size(); ++i) ... entries.key(i), entries.value(i)
class FlowEntries {
public:
    FlowEntries(int map, Table table) : map_(map), keySize_(keySizeOf(table)), keys_(kBatch * keySize_), values_(kBatch) {}

    /// The next entries; false at the end.
    bool next();
    std::size_t size() const { return count_; }
    std::span<const std::uint8_t> key(std::size_t index) const { return {keys_.data() + index * keySize_, keySize_}; }
    const mn_flow& value(std::size_t index) const { return values_[index]; }
    /// The end came early: errno says why.
    bool failed() const { return failed_; }

private:
    static constexpr std::uint32_t kBatch = 4096;

    int map_;
    std::size_t keySize_;
    std::vector<std::uint8_t> keys_;
    std::vector<mn_flow> values_;
    std::uint64_t cursor_ = 0;
    std::uint32_t count_ = 0;
    bool begun_ = false;
    bool ended_ = false;
    bool failed_ = false;
};

}  // namespace midonet::datapath::ebpf
