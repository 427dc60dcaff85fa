// RUN: pmpd-opt %s --pmpd-allocate-precision="prefill=4 decode=2,4,3 rules=layers.*=3,lm_head=4 kv=f16" | FileCheck %s
// RUN: pmpd-opt %s --pmpd-allocate-precision="prefill=32 decode=32" | FileCheck %s --check-prefix=UNQUANTIZED
// RUN: not pmpd-opt %s --pmpd-allocate-precision="prefill=4 decode=32" 2>&1 | FileCheck %s --check-prefix=MIXED
// RUN: not pmpd-opt %s --pmpd-allocate-precision="prefill=4" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not pmpd-opt %s --pmpd-allocate-precision="prefill=4 decode=5" 2>&1 | FileCheck %s --check-prefix=FIVE
// RUN: not pmpd-opt %s --pmpd-allocate-precision="prefill=4 decode=3,3" 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not pmpd-opt %s --pmpd-allocate-precision="prefill=4 decode=3 rules=x" 2>&1 | FileCheck %s --check-prefix=RULE
// RUN: not pmpd-opt %s --pmpd-allocate-precision="prefill=4 decode=3 rules=(=3" 2>&1 | FileCheck %s --check-prefix=REGEX
// RUN: not pmpd-opt %s --pmpd-allocate-precision="prefill=4 decode=3 kv=i8" 2>&1 | FileCheck %s --check-prefix=KV
// RUN: pmpd-opt %s --pmpd-allocate-precision="prefill=4 decode=3 rules=nothing=3" 2>&1 | FileCheck %s --check-prefix=UNUSED

// MIXED: expected either nested bits (2 to 4) or unquantized ones (16, 32), but got both
// NONE: expected bits for prefill and for decode
// FIVE: expected bits of 2 to 4, 16 or 32, but got 5
// TWICE: expected each bits once, but got 3 twice
// RULE: precision rule 'x': expected REGEX=BITS with 2 to 4 bits
// REGEX: precision rule '(=3': parentheses not balanced
// KV: expected kv of f16 or f32, but got i8
// UNUSED: warning: precision rule 'nothing=3' matches no linear layer

// CHECK-LABEL: pmpd.model @allocates
// CHECK-SAME:    kv = f16
// CHECK:       pmpd.prefill bits [4] {
// CHECK:         pmpd.linear %{{.*}}, @layers.0.up pin 3
// CHECK:         pmpd.linear %{{.*}}, @lm_head pin 4
// CHECK:       pmpd.decode bits [4, 3, 2] {
// CHECK:         pmpd.linear %{{.*}}, @layers.0.up pin 3
// UNQUANTIZED-LABEL: pmpd.model @allocates
// UNQUANTIZED-SAME:    kv = f32
// UNQUANTIZED:       pmpd.prefill bits [32] {
// UNQUANTIZED:         pmpd.linear %{{.*}}, @lm_head :
pmpd.model @allocates vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @embed : tensor<64x128xf16>
  pmpd.weight @layers.0.up : tensor<128x128xf16>
  pmpd.weight @lm_head : tensor<64x128xf16>
  pmpd.prefill {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    %u = pmpd.linear %h, @layers.0.up : tensor<?x128xf32> -> tensor<?x128xf32>
    %o = pmpd.linear %u, @lm_head : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }
  pmpd.decode {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    %u = pmpd.linear %h, @layers.0.up : tensor<?x128xf32> -> tensor<?x128xf32>
    %o = pmpd.linear %u, @lm_head : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }
}
