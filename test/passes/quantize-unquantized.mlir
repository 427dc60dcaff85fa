// RUN: rm -rf %t && mkdir %t
// RUN: sed 's|BITS|16|g' %s | pmpd-opt --pmpd-quantize=store=%t/store.pmpdw | FileCheck %s --check-prefix=HALF
// RUN: sed 's|BITS|32|g' %s | pmpd-opt --pmpd-quantize=store=%t/store.pmpdw | FileCheck %s --check-prefix=FULL
// RUN: not ls %t/store.pmpdw

// A weight that is not quantized stays one tensor for all its readers.
// HALF: pmpd.weight @embed : tensor<4x32xf16> from
// FULL: pmpd.weight @embed : tensor<4x32xf32> from

pmpd.model @m vocab = 4, hidden = 32, layers = 1, heads = 1, kv_heads = 1, head_dim = 32, context = 8, kv = f32 {
  pmpd.weight @embed : tensor<4x32xf32> from #pmpd.source<"w.bin", offset = 0, type = tensor<4x32xf32>, transposed = false, row = 0>
  pmpd.prefill bits [BITS] {
  ^bb0(%tokens: tensor<?xi32>):
    // HALF: pmpd.linear %{{.*}}, @embed :
    // FULL: pmpd.linear %{{.*}}, @embed :
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x32xf32>
    %l = pmpd.linear %h, @embed : tensor<?x32xf32> -> tensor<?x4xf32>
    pmpd.yield %l : tensor<?x4xf32>
  }
}
