#include "datapath/ebpf/program_object.h"

// MIDONET_BPF_OBJECT is the path of the object (CMakeLists.txt).
asm(".pushsection .rodata\n"
    ".balign 16\n"
    "midonet_bpf_object_begin:\n"
    ".incbin \"" MIDONET_BPF_OBJECT "\"\n"
    "midonet_bpf_object_end:\n"
    ".popsection\n"
    ".globl midonet_bpf_object_begin\n"
    ".globl midonet_bpf_object_end\n");

extern "C" const std::uint8_t midonet_bpf_object_begin[];
extern "C" const std::uint8_t midonet_bpf_object_end[];

namespace midonet::datapath::ebpf {

ByteView programObject() { return {midonet_bpf_object_begin, midonet_bpf_object_end}; }

}  // namespace midonet::datapath::ebpf
