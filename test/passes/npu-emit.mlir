// Programs become a file that the tools of the runtime read.
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/llama_regions.py > %t/model.mlir
// RUN: pmpd-opt %t/model.mlir --npu-outline --npu-fuse --npu-tile --npu-schedule --npu-allocate --npu-sync --npu-verify --npu-emit="output=%t/model.pnpu" -o %t/programs.mlir
// RUN: pmpd-objdump %t/model.pnpu > %t/text && FileCheck %s < %t/text
// Its text is that file again, byte for byte.
// RUN: pmpd-objdump --assemble %t/text -o %t/again.pnpu && cmp %t/model.pnpu %t/again.pnpu
// Programs of other bits differ in what reads weights, and in nothing else.
// RUN: %python %S/compare_programs.py %t/text decode_b4 decode_b3 decode_b2 | FileCheck %s --check-prefix=BITS
// BITS: decode_b3: bpmv {{[0-9]+}}, ld {{[0-9]+}}
// BITS-NEXT: decode_b2: bpmv {{[0-9]+}}, ld {{[0-9]+}}

// CHECK:       .string "ref"
// CHECK:       require isa_version=1 row_block=64
// CHECK:       abi {{.*}}vocab=256 hidden=128 layers=2 heads=4 kv_heads=2 head_dim=32 context=128 kv_bytes=65536
// CHECK:       region name=[[NAME:[0-9]+]] {{.*}}bits=4 activation_bits=16 max_rows=64
// CHECK:       ; region "prefill_b4"
// CHECK:         halt
// CHECK:       ; region "decode_b4"
// CHECK:         bpmv.a16.affine bits=4 group=32
// CHECK:         halt
// CHECK:       ; region "decode_b2"
// CHECK:         bpmv.a16.affine bits=2 group=32

// RUN: pmpd-opt %t/programs.mlir --npu-emit="output=%t/edge.pnpu config=edge" -o /dev/null
// RUN: pmpd-objdump %t/edge.pnpu | FileCheck %s --check-prefix=EDGE
// EDGE: "edge"

// RUN: pmpd-opt %t/programs.mlir --npu-emit="output=%t/same.pnpu report" -o /dev/null 2>&1 | FileCheck %s --check-prefix=REPORT
// REPORT:      remark: {{[0-9]+}} bytes of code; the longest call executes {{[0-9]+}} instructions, moves {{[0-9]+}} bytes and does {{[0-9]+}} operations
// REPORT-COUNT-3: remark:

// RUN: not pmpd-opt %t/programs.mlir --npu-emit 2>&1 | FileCheck %s --check-prefix=OUTPUT
// OUTPUT: expected a file to write to; set output
// RUN: not pmpd-opt %t/model.mlir --npu-outline --npu-emit="output=%t/x" 2>&1 | FileCheck %s --check-prefix=EARLY
// EARLY: expected buffers with addresses; run --npu-allocate first
// RUN: not pmpd-opt %t/programs.mlir --npu-emit="output=%t/x config=none" 2>&1 | FileCheck %s --check-prefix=CONFIG
// CONFIG: configuration 'none': expected one of ref, edge, or the path of a JSON file
// RUN: not pmpd-opt %t/programs.mlir --npu-emit="output=%t/none/x" 2>&1 | FileCheck %s --check-prefix=FOLDER
// FOLDER: none/x
// RUN: not ls %t/x
