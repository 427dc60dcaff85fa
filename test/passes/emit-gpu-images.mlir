// Without an assembler there is PTX, for the oldest and the newest of the GPUs.
// RUN: pmpd-opt %s --pmpd-emit-gpu-images="gpu=sm_90,sm_86,sm_80 ptxas=none" | FileCheck %s
// RUN: not pmpd-opt %s --pmpd-emit-gpu-images="gpu=sm_75" 2>&1 | FileCheck %s --check-prefix=OLD
// RUN: not pmpd-opt %s --pmpd-emit-gpu-images="gpu=sm_80 ptxas=/nowhere/ptxas" 2>&1 | FileCheck %s --check-prefix=NOWHERE
// RUN: echo '#!/bin/sh' > %t && echo 'echo its text; kill -ABRT $$' >> %t && chmod +x %t
// RUN: not pmpd-opt %s --pmpd-emit-gpu-images="gpu=sm_80 ptxas=%t" 2>&1 | FileCheck %s --check-prefix=KILLED
// RUN: not pmpd-opt %s --pmpd-emit-gpu-images 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not pmpd-opt %s --pmpd-emit-c-interface 2>&1 | FileCheck %s --check-prefix=BARE
// RUN: %if ptxas %{ pmpd-opt %s --pmpd-emit-gpu-images="gpu=sm_90,sm_80 ptxas=%ptxas" | FileCheck %s --check-prefix=CODE %}
// OLD: expected a GPU of sm_80, {{.*}}, sm_120, but got 'sm_75'
// NOWHERE: /nowhere/ptxas failed with status
// KILLED: failed with status -2: {{.*}}; its text
// NONE: expected GPUs to emit code for, as in gpu=sm_80,sm_90
// BARE: expected images of the kernels; run --pmpd-emit-gpu-images first

// CHECK:     gpu.module @pmpd_kernels attributes {pmpd.images = [#gpu.object<#nvvm.target
// CHECK-SAME:  chip = "sm_80"
// CHECK-SAME:  assembly = "
// CHECK-SAME:  .target sm_80
// CHECK-SAME:  .visible .entry copy(
// CHECK-SAME:  .reqntid 64
// CHECK-NOT:   griddepcontrol
// CHECK-SAME:  ld.global.b32
// CHECK-SAME:  \00">, #gpu.object<#nvvm.target
// CHECK-SAME:  chip = "sm_90"
// CHECK-SAME:  griddepcontrol.wait
// CHECK-SAME:  ld.global.b32
// CHECK-SAME:  \00">]}

// CODE:      pmpd.images = [
// CODE-SAME:   chip = "sm_80"
// CODE-SAME:   assembly = "
// CODE-SAME:   chip = "sm_80"
// CODE-SAME:   bin = "\7FELF
// CODE-SAME:   chip = "sm_90"
// CODE-SAME:   assembly = "
// CODE-SAME:   chip = "sm_90"
// CODE-SAME:   bin = "\7FELF
module attributes {gpu.container_module} {
  gpu.module @pmpd_kernels {
    llvm.func @copy(%from: !llvm.ptr<1>, %to: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: 64, 1, 1>} {
      nvvm.griddepcontrol wait
      %0 = llvm.load %from : !llvm.ptr<1> -> f32
      llvm.store %0, %to : f32, !llvm.ptr<1>
      llvm.return
    }
  }
  pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 digest = "000102030405060708090a0b0c0d0e0f" {
    pmpd.region @decode_b2 decode bits = 2, max_rows = 1, scratch = 64, weight_bytes = 100 {
    ^bb0(%tokens: tensor<?xi32>):
      pmpd.yield
    }
    pmpd.region_table [@decode_b2]
  }
}
