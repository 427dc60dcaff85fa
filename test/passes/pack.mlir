// RUN: rm -rf %t && mkdir %t && sed 's|DIR|%t|g' %s > %t/in.mlir
// RUN: %python -c "import struct,sys; sys.stdout.buffer.write(struct.pack('<1184f', *[i/8 for i in range(1184)]))" > %t/w.bin
// RUN: pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/store.pmpdw quantizer=rtn group=32" -o %t/quantized.mlir
// RUN: pmpd-opt %t/quantized.mlir --pmpd-pack="output=%t/s.pmpdw" | FileCheck %s --check-prefixes=CHECK,S
// RUN: pmpd-opt %t/quantized.mlir --pmpd-pack="output=%t/plain.pmpdw layout=plain" | FileCheck %s --check-prefixes=CHECK,PLAIN
// RUN: not pmpd-opt %t/quantized.mlir --pmpd-pack="output=%t/gpu.pmpdw layout=gpu" 2>&1 | FileCheck %s --check-prefix=GROUP
// RUN: od -An -v -tf4 -w16 -j16384 -N32 %t/s.pmpdw | FileCheck %s --check-prefix=ROPE
// RUN: od -An -v -tx2 -w8 -j4096 -N256 %t/s.pmpdw | FileCheck %s --check-prefix=EMBED
// RUN: od -An -v -tf4 -w16 -j12288 -N16 %t/s.pmpdw | FileCheck %s --check-prefix=NORM
// The plain layout is that of the store.
// RUN: od -An -v -tx1 -j8192 -N192 %t/plain.pmpdw > %t/plain.txt
// RUN: od -An -v -tx1 -j4096 -N192 %t/store.pmpdw > %t/store.txt
// RUN: cmp %t/plain.txt %t/store.txt

// GROUP: error: weight @embed_linear: {{.*}}expected groups of a multiple of 128 columns for layout GPU, but got 32; quantize with such a group

// CHECK:      pmpd.model @m {{.*}} digest = "{{[0-9a-f]+}}"
// Tables come last, so that layers stay equally far apart.
// CHECK-NEXT: pmpd.rope_table @rope {{.*}} at 16384
// CHECK-NEXT: pmpd.weight @embed : tensor<4x32xf16> from {{.*}} at 4096
// S-NEXT:     pmpd.weight @embed_linear{{.*}}group = 32, s> from
// PLAIN-NEXT: pmpd.weight @embed_linear{{.*}}group = 32, plain> from
// CHECK-SAME: at 8192
// CHECK-NEXT: pmpd.weight @norm : tensor<32xf32> from {{.*}} at 12288
// CHECK-NOT:  @unused

// Position 0, then 1: twice the cosines and sines of 1 and 0.5.
// ROPE:      2 2 0 0
// ROPE-NEXT: 1.080604{{.*}} 1.755165{{.*}} 1.68294{{.*}} 0.958851{{.*}}
// EMBED: 0000 3000 3400 3600
// NORM: 128 128.125 128.25 128.375

pmpd.model @m vocab = 4, hidden = 32, layers = 1, heads = 1, kv_heads = 1, head_dim = 32, context = 8, kv = f32 {
  pmpd.rope_table @rope inv_freq = [1.0, 0.5], scale = 2.0, half
  pmpd.weight @embed : tensor<4x32xf16> from #pmpd.source<"DIR/w.bin", offset = 0, type = tensor<4x32xf32>, transposed = false, row = 0>
  pmpd.weight @unused : tensor<4x32xf16> from #pmpd.source<"missing", offset = 0, type = tensor<4x32xf32>, transposed = false, row = 0>
  pmpd.weight @norm : tensor<32xf16> from #pmpd.source<"DIR/w.bin", offset = 4096, type = tensor<32xf32>, transposed = false, row = 0>
  pmpd.prefill bits [4] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x32xf32>
    %r = pmpd.rope %h, @rope heads 1 : tensor<?x32xf32>
    %n = pmpd.rms_norm %r, @norm eps 1.0e-5 : tensor<?x32xf32>
    %l = pmpd.linear %n, @embed : tensor<?x32xf32> -> tensor<?x4xf32>
    pmpd.yield %l : tensor<?x4xf32>
  }
}
