// RUN: pmpd-opt %s --pmpd-form-phases | FileCheck %s

// CHECK-LABEL: pmpd.model @clones_body
// CHECK:       pmpd.weight @embed
// CHECK-NOT:   pmpd.body
// CHECK:       pmpd.prefill {
// CHECK-NEXT:  ^bb0(%[[T:.*]]: tensor<?xi32>):
// CHECK-NEXT:    %[[H:.*]] = pmpd.embed %[[T]], @embed
// CHECK-NEXT:    %[[L:.*]] = pmpd.select_last %[[H]]
// CHECK-NEXT:    %[[O:.*]] = pmpd.linear %[[L]], @embed
// CHECK-NEXT:    pmpd.yield %[[O]]
// CHECK:       pmpd.decode {
// CHECK:         pmpd.select_last
// CHECK:         pmpd.yield
pmpd.model @clones_body vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @embed : tensor<64x128xf16>
  pmpd.body {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    %l = pmpd.select_last %h : tensor<?x128xf32>
    %o = pmpd.linear %l, @embed : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }
}

// CHECK-LABEL: pmpd.model @keeps_phases
// CHECK:       pmpd.decode bits [4] {
// CHECK-NOT:   pmpd.prefill
pmpd.model @keeps_phases vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @embed : tensor<64x64xf16>
  pmpd.decode bits [4] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x64xf32>
    pmpd.yield %h : tensor<?x64xf32>
  }
}
