// RUN: pmpd-opt %s --pmpd-specialize="prefill-rows=32" --split-input-file --verify-diagnostics | FileCheck %s
// RUN: not pmpd-opt %s --pmpd-specialize="prefill-rows=0" --split-input-file 2>&1 | FileCheck %s --check-prefix=ROWS
// ROWS: expected prefill-rows of at least 1, but got 0

// CHECK-LABEL: pmpd.model @one_region_per_bits
// CHECK:       pmpd.region @prefill_b4 prefill bits = 4, max_rows = 32 {
// CHECK:         pmpd.linear %{{.*}}, @up bits 4
// CHECK:         pmpd.linear %{{.*}}, @head bits 4
// CHECK:       pmpd.region @decode_b3 decode bits = 3, max_rows = 1 {
// CHECK:         pmpd.linear %{{.*}}, @up bits 3
// A pin holds whatever the region's bits are.
// CHECK:         pmpd.linear %{{.*}}, @head bits 4
// CHECK:       pmpd.region @decode_b2 decode bits = 2, max_rows = 1 {
// CHECK:         pmpd.linear %{{.*}}, @up bits 2
// CHECK:       pmpd.region_table [@prefill_b4, @decode_b3, @decode_b2]
pmpd.model @one_region_per_bits vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @embed : tensor<64x128xf16>
  pmpd.weight @up : !pmpd.nested<128x128, bits = 4, prefixes = [2, 3, 4], affine, group = 128, unpacked>
  pmpd.weight @head : !pmpd.nested<64x128, bits = 4, prefixes = [4], affine, group = 128, unpacked>
  pmpd.prefill bits [4] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    %u = pmpd.linear %h, @up : tensor<?x128xf32> -> tensor<?x128xf32>
    %o = pmpd.linear %u, @head pin 4 : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }
  pmpd.decode bits [3, 2] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    %u = pmpd.linear %h, @up : tensor<?x128xf32> -> tensor<?x128xf32>
    %o = pmpd.linear %u, @head pin 4 : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }
}

// -----

pmpd.model @refuses_unallocated vocab = 64, hidden = 64, layers = 1, heads = 4, kv_heads = 4, head_dim = 16, context = 64, kv = f32 {
  pmpd.weight @embed : tensor<64x64xf16>
  // expected-error@+1 {{expected bits; run --pmpd-allocate-precision first}}
  pmpd.prefill {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x64xf32>
    pmpd.yield %h : tensor<?x64xf32>
  }
}

// -----

pmpd.model @refuses_missing_prefix vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @embed : tensor<64x128xf16>
  pmpd.weight @head : !pmpd.nested<64x128, bits = 4, prefixes = [4], affine, group = 128, unpacked>
  pmpd.decode bits [2] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    // expected-error@+1 {{expected @head to be readable at 2 bits}}
    %o = pmpd.linear %h, @head : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }
}
