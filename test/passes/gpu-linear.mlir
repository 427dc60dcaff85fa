// Linear layers on GPUs: their PTX, and their machine code where it can be had.
// RUN: pmpd-opt %s --pmpd-plan-memory --pmpd-lower-to-gpu --pmpd-lower-gpu-kernels --pmpd-emit-gpu-images="gpu=sm_80 ptxas=none" > %t.mlir
// RUN: %python %S/gpu_code.py < %t.mlir > %t.ptx
// RUN: FileCheck %s < %t.ptx
// RUN: FileCheck %s --check-prefix=ANY < %t.ptx
// RUN: %if ptxas %{ %python %S/gpu_code.py %ptxas sm_80 sm_86 sm_89 sm_90 < %t.mlir | FileCheck %s --check-prefix=CODE %}
// Also where layers that read the same rows are one kernel.
// RUN: sed 's/bits 4 :/bits 4 {pmpd.group = 0} :/; s/bits 3 :/bits 4 {pmpd.group = 0} :/' %s > %t.grouped.mlir
// RUN: pmpd-opt %t.grouped.mlir --pmpd-plan-memory --pmpd-lower-to-gpu --pmpd-fuse-launches --pmpd-lower-gpu-kernels --pmpd-emit-gpu-images="gpu=sm_80 ptxas=none" > %t.fused.mlir
// RUN: %if ptxas %{ %python %S/gpu_code.py %ptxas sm_90 < %t.fused.mlir | FileCheck %s --check-prefix=FUSED %}
// FUSED-DAG: sm_90 linear_gpu_b4of4at2_n4096_k4096_g128_16x4__linear_gpu_b4of4at2_n4096_k4096_g128_16x4: {{[0-9]+}} registers

// Few rows: copies of 16 bytes, which nobody but the lane itself waits for, and
// 8 products of 16 x 32 columns with 4 rows.
// CHECK-LABEL: .entry linear_gpu_b2of4at0_n4096_k4096_g128_16x4(
// CHECK-NOT:     bar.sync
// CHECK:         cp.async.cg.shared.global [{{.*}}], [{{.*}}], 16;
// CHECK-NOT:     bar.sync
// CHECK:         cp.async.wait_group
// CHECK:         ld.shared.v4.b32
// CHECK-COUNT-8: mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32
// CHECK-NOT:     mma.sync
// CHECK:         bar
// CHECK:         ret;

// Many rows: the weights come straight into registers.
// CHECK-LABEL: .entry linear_gpu_b3of4at1_n4096_k4096_g128_128x64(
// CHECK:         ld.global.nc.v4.b32
// CHECK:         cp.async.cg.shared.global
// CHECK:         bar
// CHECK-COUNT-128: mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32
// CHECK-NOT:     mma.sync
// CHECK:         ret;

// ANY-NOT: .local
// ANY-NOT: call{{[. ]}}
// ANY-NOT: .extern

// No kernel of any chip has local memory, or this script fails.
// A product is one instruction.
// CODE-DAG: sm_80 linear_gpu_b4of4at2_n4096_k4096_g128_16x4: {{[0-9]+}} registers, {{[0-9]+}} bytes shared, 8 products, {{[1-9][0-9]*}} instructions
// CODE-DAG: sm_86 linear_gpu_b4of4at2_n8192_k4096_g128_64x16: {{[0-9]+}} registers
// CODE-DAG: sm_90 linear_gpu_b2of4at0_n4096_k4096_g128_16x4: {{[0-9]+}} registers, {{[0-9]+}} bytes shared, 8 products, {{[1-9][0-9]*}} instructions

!rows = !pmpd.rows<4096, bits = 16, group = 128>
pmpd.model @m vocab = 64, hidden = 4096, layers = 1, heads = 32, kv_heads = 32, head_dim = 128, context = 512, kv = f16 {
  pmpd.weight @embed : tensor<64x4096xf16> at 4096
  pmpd.weight @w : !pmpd.nested<4096x4096, bits = 4, prefixes = [2, 3, 4], affine, group = 128, gpu> at 1048576
  pmpd.weight @wide : !pmpd.nested<8192x4096, bits = 4, prefixes = [2, 3, 4], affine, group = 128, gpu> at 33554432
  pmpd.weight @head : tensor<64x4096xf16> at 16777216
  pmpd.region @decode decode bits = 2, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x4096xf32>
    %q = pmpd.quantize_rows %h : tensor<?x4096xf32> -> !rows
    %2 = pmpd.linear %q, @w bits 2 : !rows -> tensor<?x4096xf32>
    %3 = pmpd.linear %q, @w bits 3 : !rows -> tensor<?x4096xf32>
    %4 = pmpd.linear %q, @w bits 4 : !rows -> tensor<?x4096xf32>
    %last = pmpd.select_last %4 : tensor<?x4096xf32>
    %logits = pmpd.linear %last, @head : tensor<?x4096xf32> -> tensor<?x64xf32>
    pmpd.yield %logits : tensor<?x64xf32>
  }
  pmpd.region @batch16 prefill bits = 2, max_rows = 16 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x4096xf32>
    %q = pmpd.quantize_rows %h : tensor<?x4096xf32> -> !rows
    %2 = pmpd.linear %q, @w bits 2 : !rows -> tensor<?x4096xf32>
    %3 = pmpd.linear %q, @w bits 3 : !rows -> tensor<?x4096xf32>
    %4 = pmpd.linear %q, @w bits 4 : !rows -> tensor<?x4096xf32>
    %5 = pmpd.linear %q, @wide bits 4 : !rows -> tensor<?x8192xf32>
    %last = pmpd.select_last %4 : tensor<?x4096xf32>
    %logits = pmpd.linear %last, @head : tensor<?x4096xf32> -> tensor<?x64xf32>
    pmpd.yield %logits : tensor<?x64xf32>
  }
  pmpd.region @batch64 prefill bits = 2, max_rows = 64 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x4096xf32>
    %q = pmpd.quantize_rows %h : tensor<?x4096xf32> -> !rows
    %2 = pmpd.linear %q, @w bits 2 : !rows -> tensor<?x4096xf32>
    %3 = pmpd.linear %q, @w bits 3 : !rows -> tensor<?x4096xf32>
    %4 = pmpd.linear %q, @w bits 4 : !rows -> tensor<?x4096xf32>
    %last = pmpd.select_last %4 : tensor<?x4096xf32>
    %logits = pmpd.linear %last, @head : tensor<?x4096xf32> -> tensor<?x64xf32>
    pmpd.yield %logits : tensor<?x64xf32>
  }
  pmpd.region @prefill prefill bits = 2, max_rows = 512 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x4096xf32>
    %q = pmpd.quantize_rows %h : tensor<?x4096xf32> -> !rows
    %2 = pmpd.linear %q, @w bits 2 : !rows -> tensor<?x4096xf32>
    %3 = pmpd.linear %q, @w bits 3 : !rows -> tensor<?x4096xf32>
    %4 = pmpd.linear %q, @w bits 4 : !rows -> tensor<?x4096xf32>
    %last = pmpd.select_last %4 : tensor<?x4096xf32>
    %logits = pmpd.linear %last, @head : tensor<?x4096xf32> -> tensor<?x64xf32>
    pmpd.yield %logits : tensor<?x64xf32>
  }
}
