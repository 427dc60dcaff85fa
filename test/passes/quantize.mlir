// The embedding is 0, 1/8 .. 15/8 less 1 over and over, which 4 bits hold
// exactly; the transposed layer holds its row numbers.
// RUN: rm -rf %t && mkdir %t && sed 's|DIR|%t|g' %s > %t/in.mlir
// RUN: %python -c "import struct,sys; sys.stdout.buffer.write(struct.pack('<1152f', *[i%%16/8-1 for i in range(128)], *[i%%32 for i in range(1024)]))" > %t/w.bin
// RUN: pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/store.pmpdw quantizer=rtn group=32" | FileCheck %s
// RUN: od -An -v -tu1 -w16 -j8192 -N32 %t/store.pmpdw | FileCheck %s --check-prefix=CODES
// RUN: od -An -v -tx2 -w4 -j8384 -N16 %t/store.pmpdw | FileCheck %s --check-prefix=PARAMS
// RUN: pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/other.pmpdw quantizer=rtn group=32 threads=1" && cmp %t/store.pmpdw %t/other.pmpdw

// CHECK:      pmpd.weight @embed : tensor<4x32xf32> from {{.*}}<"{{.*}}w.bin", offset = 0,
// CHECK-NEXT: pmpd.weight @embed_linear : !pmpd.nested<4x32, bits = 4, prefixes = [2, 4], affine, group = 32, unpacked>
// CHECK-SAME:   from {{.*}}<"{{.*}}store.pmpdw", offset = 8192, type = tensor<4x32xi8>, transposed = false, row = 0>
// CHECK-NEXT: pmpd.weight @up : !pmpd.nested<32x32, bits = 3, prefixes = [3], affine, group = 32, unpacked>
// CHECK-SAME:   from {{.*}}<"{{.*}}store.pmpdw", offset = 4096, type = tensor<32x32xi8>, transposed = false, row = 0>

// CODES:       0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
// CODES-NEXT:  0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
// The second table is that of 4 bits: a scale of 1/8 and a min of -1.
// PARAMS-COUNT-4: 3000 bc00

pmpd.model @m vocab = 4, hidden = 32, layers = 1, heads = 1, kv_heads = 1, head_dim = 32, context = 8, kv = f32 {
  pmpd.weight @embed : tensor<4x32xf32> from #pmpd.source<"DIR/w.bin", offset = 0, type = tensor<4x32xf32>, transposed = false, row = 0>
  pmpd.weight @up : tensor<32x32xf32> from #pmpd.source<"DIR/w.bin", offset = 512, type = tensor<32x32xf32>, transposed = true, row = 0>
  // CHECK: pmpd.prefill
  pmpd.prefill bits [4] {
  ^bb0(%tokens: tensor<?xi32>):
    // CHECK: pmpd.embed %{{.*}}, @embed :
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x32xf32>
    %u = pmpd.linear %h, @up pin 3 : tensor<?x32xf32> -> tensor<?x32xf32>
    // CHECK: pmpd.linear %{{.*}}, @embed_linear :
    %l = pmpd.linear %u, @embed : tensor<?x32xf32> -> tensor<?x4xf32>
    pmpd.yield %l : tensor<?x4xf32>
  }
  // CHECK: pmpd.decode
  pmpd.decode bits [4, 2] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x32xf32>
    %u = pmpd.linear %h, @up pin 3 : tensor<?x32xf32> -> tensor<?x32xf32>
    // CHECK: pmpd.linear %{{.*}}, @embed_linear :
    %l = pmpd.linear %u, @embed : tensor<?x32xf32> -> tensor<?x4xf32>
    pmpd.yield %l : tensor<?x4xf32>
  }
}
