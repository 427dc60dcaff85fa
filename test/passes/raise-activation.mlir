// Activations are told apart by their values.
// RUN: pmpd-opt %s --split-input-file --pmpd-raise | FileCheck %s

!ids = tensor<1x?xi64, #onnx.dims<"1", "s">>
!all = tensor<1x?xi64, #onnx.dims<"1", "s + p">>
!past = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "p", "8">>
!heads = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "s", "8">>
!rows = tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>
!f = tensor<*xf32>
!i = tensor<*xi64>
!b = tensor<*xi1>
// CHECK-LABEL: module @raises_silu
// The gate of Llama.
// CHECK: %[[G:.*]] = pmpd.linear %[[X:.*]], @gate
// CHECK: %[[U:.*]] = pmpd.linear %[[X]], @up
// CHECK: %[[A:.*]] = pmpd.activate silu %[[G]]
// CHECK: pmpd.mul %[[A]], %[[U]]
module @raises_silu {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %gate = onnx.initializer "onnx::MatMul_1" at "m.bin", 2048 : tensor<8x8xf32>
  %up = onnx.initializer "onnx::MatMul_2" at "m.bin", 4096 : tensor<8x8xf32>
  %g = onnx.node "MatMul"(%x, %gate) name "/gate/MatMul" : (!rows, tensor<8x8xf32>) -> !rows
  %sigmoid = onnx.node "Sigmoid"(%g) : (!rows) -> !rows
  %a = onnx.node "Mul"(%g, %sigmoid) : (!rows, !rows) -> !rows
  %u = onnx.node "MatMul"(%x, %up) name "/up/MatMul" : (!rows, tensor<8x8xf32>) -> !rows
  %h = onnx.node "Mul"(%a, %u) : (!rows, !rows) -> !rows
  // Query i sees key j if j <= i.
  %one = onnx.constant dense<1> : tensor<1xi64>
  %two = onnx.constant dense<2> : tensor<1xi64>
  %low = onnx.constant dense<-3.0e38> : tensor<f32>
  %count = onnx.node "CumSum"(%mask, %one) : (!all, tensor<1xi64>) -> !i
  %j = onnx.node "Sub"(%count, %one) : (!i, tensor<1xi64>) -> !i
  %i = onnx.node "Unsqueeze"(%positions, %two) : (!ids, tensor<1xi64>) -> !i
  %seen = onnx.node "LessOrEqual"(%j, %i) : (!i, !i) -> !b
  %q = onnx.node "Unsqueeze"(%h, %one) : (!rows, tensor<1xi64>) -> !heads
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
}
// -----
!ids = tensor<1x?xi64, #onnx.dims<"1", "s">>
!all = tensor<1x?xi64, #onnx.dims<"1", "s + p">>
!past = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "p", "8">>
!heads = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "s", "8">>
!rows = tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>
!f = tensor<*xf32>
!i = tensor<*xi64>
!b = tensor<*xi1>
// CHECK-LABEL: module @raises_gelu_tanh
// With a constant that was rounded to half precision.
// CHECK: pmpd.activate gelu_tanh
module @raises_gelu_tanh {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %w = onnx.initializer "onnx::MatMul_1" at "m.bin", 2048 : tensor<8x8xf32>
  %g = onnx.node "MatMul"(%x, %w) name "/fc/MatMul" : (!rows, tensor<8x8xf32>) -> !rows
  %third = onnx.constant dense<3.0> : tensor<f32>
  %c = onnx.constant dense<0.0447> : tensor<f16>
  %root = onnx.constant dense<0.797884583> : tensor<f32>
  %oneF = onnx.constant dense<1.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %halved = onnx.node "Mul"(%g, %half) : (!rows, tensor<f32>) -> !rows
  %cube = onnx.node "Pow"(%g, %third) : (!rows, tensor<f32>) -> !rows
  %part = onnx.node "Mul"(%cube, %c) : (!rows, tensor<f16>) -> !rows
  %sum = onnx.node "Add"(%g, %part) : (!rows, !rows) -> !rows
  %inner = onnx.node "Mul"(%sum, %root) : (!rows, tensor<f32>) -> !rows
  %tanh = onnx.node "Tanh"(%inner) : (!rows) -> !rows
  %more = onnx.node "Add"(%tanh, %oneF) : (!rows, tensor<f32>) -> !rows
  %a = onnx.node "Mul"(%halved, %more) : (!rows, !rows) -> !rows
  %h = onnx.node "Add"(%x, %a) : (!rows, !rows) -> !rows
  // Query i sees key j if j <= i.
  %one = onnx.constant dense<1> : tensor<1xi64>
  %two = onnx.constant dense<2> : tensor<1xi64>
  %low = onnx.constant dense<-3.0e38> : tensor<f32>
  %count = onnx.node "CumSum"(%mask, %one) : (!all, tensor<1xi64>) -> !i
  %j = onnx.node "Sub"(%count, %one) : (!i, tensor<1xi64>) -> !i
  %i = onnx.node "Unsqueeze"(%positions, %two) : (!ids, tensor<1xi64>) -> !i
  %seen = onnx.node "LessOrEqual"(%j, %i) : (!i, !i) -> !b
  %q = onnx.node "Unsqueeze"(%h, %one) : (!rows, tensor<1xi64>) -> !heads
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
}
// -----
!ids = tensor<1x?xi64, #onnx.dims<"1", "s">>
!all = tensor<1x?xi64, #onnx.dims<"1", "s + p">>
!past = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "p", "8">>
!heads = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "s", "8">>
!rows = tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>
!f = tensor<*xf32>
!i = tensor<*xi64>
!b = tensor<*xi1>
// CHECK-LABEL: module @raises_gelu_erf
// CHECK: pmpd.activate gelu_erf
module @raises_gelu_erf {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %w = onnx.initializer "onnx::MatMul_1" at "m.bin", 2048 : tensor<8x8xf32>
  %g = onnx.node "MatMul"(%x, %w) name "/fc/MatMul" : (!rows, tensor<8x8xf32>) -> !rows
  %root = onnx.constant dense<1.41421354> : tensor<f32>
  %oneF = onnx.constant dense<1.0> : tensor<f32>
  %half = onnx.constant dense<0.5> : tensor<f32>
  %inner = onnx.node "Div"(%g, %root) : (!rows, tensor<f32>) -> !rows
  %erf = onnx.node "Erf"(%inner) : (!rows) -> !rows
  %more = onnx.node "Add"(%erf, %oneF) : (!rows, tensor<f32>) -> !rows
  %twice = onnx.node "Mul"(%g, %more) : (!rows, !rows) -> !rows
  %a = onnx.node "Mul"(%twice, %half) : (!rows, tensor<f32>) -> !rows
  %h = onnx.node "Add"(%x, %a) : (!rows, !rows) -> !rows
  // Query i sees key j if j <= i.
  %one = onnx.constant dense<1> : tensor<1xi64>
  %two = onnx.constant dense<2> : tensor<1xi64>
  %low = onnx.constant dense<-3.0e38> : tensor<f32>
  %count = onnx.node "CumSum"(%mask, %one) : (!all, tensor<1xi64>) -> !i
  %j = onnx.node "Sub"(%count, %one) : (!i, tensor<1xi64>) -> !i
  %i = onnx.node "Unsqueeze"(%positions, %two) : (!ids, tensor<1xi64>) -> !i
  %seen = onnx.node "LessOrEqual"(%j, %i) : (!i, !i) -> !b
  %q = onnx.node "Unsqueeze"(%h, %one) : (!rows, tensor<1xi64>) -> !heads
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
}
// -----
!ids = tensor<1x?xi64, #onnx.dims<"1", "s">>
!all = tensor<1x?xi64, #onnx.dims<"1", "s + p">>
!past = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "p", "8">>
!heads = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "s", "8">>
!rows = tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>
!f = tensor<*xf32>
!i = tensor<*xi64>
!b = tensor<*xi1>
// CHECK-LABEL: module @raises_relu
// CHECK: pmpd.activate relu
module @raises_relu {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %w = onnx.initializer "onnx::MatMul_1" at "m.bin", 2048 : tensor<8x8xf32>
  %g = onnx.node "MatMul"(%x, %w) name "/fc/MatMul" : (!rows, tensor<8x8xf32>) -> !rows
  %a = onnx.node "Relu"(%g) : (!rows) -> !rows
  %h = onnx.node "Add"(%x, %a) : (!rows, !rows) -> !rows
  // Query i sees key j if j <= i.
  %one = onnx.constant dense<1> : tensor<1xi64>
  %two = onnx.constant dense<2> : tensor<1xi64>
  %low = onnx.constant dense<-3.0e38> : tensor<f32>
  %count = onnx.node "CumSum"(%mask, %one) : (!all, tensor<1xi64>) -> !i
  %j = onnx.node "Sub"(%count, %one) : (!i, tensor<1xi64>) -> !i
  %i = onnx.node "Unsqueeze"(%positions, %two) : (!ids, tensor<1xi64>) -> !i
  %seen = onnx.node "LessOrEqual"(%j, %i) : (!i, !i) -> !b
  %q = onnx.node "Unsqueeze"(%h, %one) : (!rows, tensor<1xi64>) -> !heads
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
}
