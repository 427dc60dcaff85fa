// RUN: rm -rf %t && mkdir %t && sed 's|DIR|%t|g' %s > %t/in.mlir
// RUN: %python -c "import struct,sys; sys.stdout.buffer.write(struct.pack('<512f', *[i % 128 // 8 for i in range(512)]))" > %t/w.bin
// RUN: pmpd-opt %t/in.mlir --pmpd-quantize="store=%t/store.pmpdw quantizer=rtn group=128" --pmpd-pack="output=%t/gpu.pmpdw layout=gpu" | FileCheck %s
// RUN: od -An -v -tx4 -w16 -j8192 -N2048 %t/gpu.pmpdw | FileCheck %s --check-prefix=PLANES

// CHECK:      pmpd.weight @embed_linear : !pmpd.nested<4x128, bits = 4, prefixes = [4], affine, group = 128, gpu> from
// CHECK-SAME: at 8192

// Codes 0 0 0 0 0 0 0 0 1 1 .. 15 in each of 4 rows: lanes of 32 columns, the
// first of four words; rows 4 to 15 and columns 128 to 255 do not exist. The
// first plane has the codes' highest bits.
// PLANES:              00000000 00000000 00000000 00000000
// PLANES-NEXT:         00000000 00000000 00000000 00000000
// PLANES-NEXT:         ffffffff 00000000 00000000 00000000
// PLANES-NEXT:         ffffffff 00000000 00000000 00000000
// PLANES-COUNT-12:     {{00000000|ffffffff}} 00000000 00000000 00000000
// PLANES-COUNT-16:     00000000 00000000 00000000 00000000
// The second one.
// PLANES-NEXT:         00000000 00000000 00000000 00000000
// PLANES-NEXT:         ffffffff 00000000 00000000 00000000
// PLANES-NEXT:         00000000 00000000 00000000 00000000
// PLANES-NEXT:         ffffffff 00000000 00000000 00000000

pmpd.model @m vocab = 4, hidden = 128, layers = 1, heads = 1, kv_heads = 1, head_dim = 128, context = 8, kv = f32 {
  pmpd.weight @embed : tensor<4x128xf16> from #pmpd.source<"DIR/w.bin", offset = 0, type = tensor<4x128xf32>, transposed = false, row = 0>
  pmpd.prefill bits [4] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    %l = pmpd.linear %h, @embed : tensor<?x128xf32> -> tensor<?x4xf32>
    pmpd.yield %l : tensor<?x4xf32>
  }
}
