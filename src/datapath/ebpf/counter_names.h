#pragma once

#include <string_view>

#include "datapath/ebpf/kernel_layout.h"

namespace midonet::datapath::ebpf {

/// "hits_exact": the name of a kernel counter on the metrics page.
std::string_view counterName(mn_counter counter);

}  // namespace midonet::datapath::ebpf
