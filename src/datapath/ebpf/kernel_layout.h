#pragma once

/// The layout of the kernel maps. Plain C types: global names, prefix mn_.
#include "../../../bpf/midonet_shared.h"
