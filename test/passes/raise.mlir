// RUN: pmpd-opt %s --pmpd-raise | FileCheck %s
// RUN: pmpd-opt %s --pmpd-raise="name=tiny ctx=100" | FileCheck %s --check-prefix=NAMED
// RUN: not pmpd-opt %s --pmpd-raise="ctx=-1" 2>&1 | FileCheck %s --check-prefix=CONTEXT

// The whole of a decoder of one layer and one head of 8 columns. Masks may be
// spelled in any way; positions come from the graph's own inputs.

// CHECK-LABEL: pmpd.model @model vocab = 32, hidden = 8, layers = 1, heads = 1, kv_heads = 1, head_dim = 8, context = 4096, kv = f16 {
// NAMED: pmpd.model @tiny {{.*}} context = 100,
// CONTEXT: error: expected ctx of at least 1, or 0 for the model's own, but got -1

// Weights are named after the scopes of the nodes that read them.
// CHECK: pmpd.weight @embed : tensor<16x8xf32> from #pmpd.source<"m.bin", offset = 0, type = tensor<16x8xf32>, transposed = false, row = 0>
// CHECK: pmpd.weight @lm_head : tensor<32x8xf32> from #pmpd.source<"m.bin", offset = 512, type = tensor<8x32xf32>, transposed = true, row = 0>

// CHECK: pmpd.body
// CHECK-NEXT: ^bb0(%[[TOKENS:.*]]: tensor<?xi32>):
// CHECK-NEXT: %[[X:.*]] = pmpd.embed %[[TOKENS]], @embed : tensor<?xi32> -> tensor<?x8xf32>
// CHECK-NEXT: pmpd.kv_append %[[X]], %[[X]] layer 0 : tensor<?x8xf32>
// CHECK-NEXT: %[[Y:.*]] = pmpd.attention %[[X]] layer 0 scale 1.000000e+00 : tensor<?x8xf32>
// Rows whose logits nobody asks for do not reach the head.
// CHECK-NEXT: %[[LAST:.*]] = pmpd.select_last %[[Y]]
// CHECK-NEXT: %[[LOGITS:.*]] = pmpd.linear %[[LAST]], @lm_head : tensor<?x8xf32> -> tensor<?x32xf32>
// CHECK-NEXT: pmpd.yield %[[LOGITS]]
!ids = tensor<1x?xi64, #onnx.dims<"1", "s">>
!all = tensor<1x?xi64, #onnx.dims<"1", "s + p">>
!past = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "p", "8">>
!heads = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "s", "8">>
!rows = tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>
!f = tensor<*xf32>
!i = tensor<*xi64>
!b = tensor<*xi1>
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  // Query i sees key j if j <= i.
  %one = onnx.constant dense<1> : tensor<1xi64>
  %two = onnx.constant dense<2> : tensor<1xi64>
  %low = onnx.constant dense<-3.0e38> : tensor<f32>
  %count = onnx.node "CumSum"(%mask, %one) : (!all, tensor<1xi64>) -> !i
  %j = onnx.node "Sub"(%count, %one) : (!i, tensor<1xi64>) -> !i
  %i = onnx.node "Unsqueeze"(%positions, %two) : (!ids, tensor<1xi64>) -> !i
  %seen = onnx.node "LessOrEqual"(%j, %i) : (!i, !i) -> !b
  %q = onnx.node "Unsqueeze"(%x, %one) : (!rows, tensor<1xi64>) -> !heads
  %k = onnx.node "Concat"(%pastKey, %q) {axis = 2 : i64} : (!past, !heads) -> !f
  %v = onnx.node "Concat"(%pastValue, %q) {axis = 2 : i64} : (!past, !heads) -> !f
  %kt = onnx.node "Transpose"(%k) {perm = array<i64: 0, 1, 3, 2>} : (!f) -> !f
  %scores = onnx.node "MatMul"(%q, %kt) : (!heads, !f) -> !f
  %masked = onnx.node "Where"(%seen, %scores, %low) : (!b, !f, tensor<f32>) -> !f
  %weights = onnx.node "Softmax"(%masked) {axis = -1 : i64} : (!f) -> !f
  %out = onnx.node "MatMul"(%weights, %v) : (!f, !f) -> !heads
  %y = onnx.node "Squeeze"(%out, %one) : (!heads, tensor<1xi64>) -> !rows
  %head = onnx.initializer "onnx::MatMul_9" at "m.bin", 512 : tensor<8x32xf32>
  %logits = onnx.node "MatMul"(%y, %head) name "/lm_head/MatMul" : (!rows, tensor<8x32xf32>) -> !f
  return %logits : !f
}
