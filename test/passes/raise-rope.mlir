// Rotary embeddings: frequencies come from the values of the table.
// RUN: pmpd-opt %s --split-input-file --pmpd-raise | FileCheck %s

!ids = tensor<1x?xi64, #onnx.dims<"1", "s">>
!all = tensor<1x?xi64, #onnx.dims<"1", "s + p">>
!past = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "p", "8">>
!heads = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "s", "8">>
!rows = tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>
!f = tensor<*xf32>
!i = tensor<*xi64>
!b = tensor<*xi1>
// CHECK-LABEL: module @raises_halves
// x * cos + rotate_half(x) * sin, as Llama has it.
// CHECK: pmpd.rope_table @rope inv_freq = [1.000000e+00, 2.500000e-01, 6.250000e-02, 1.562500e-02], scale = 1.000000e+00, half
// CHECK: pmpd.rope %{{.*}}, @rope heads 1 : tensor<?x8xf32>
module @raises_halves {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %freq = onnx.constant dense<[[[1.0], [0.25], [0.0625], [0.015625]]]> : tensor<1x4x1xf64>
  %middle = onnx.constant dense<1> : tensor<1xi64>
  %place = onnx.node "Unsqueeze"(%positions, %middle) : (!ids, tensor<1xi64>) -> !i
  %number = onnx.node "Cast"(%place) {to = 1 : i64} : (!i) -> !f
  %angle = onnx.node "MatMul"(%freq, %number) : (tensor<1x4x1xf64>, !f) -> !f
  %rows = onnx.node "Transpose"(%angle) {perm = array<i64: 0, 2, 1>} : (!f) -> !f
  %twice = onnx.node "Concat"(%rows, %rows) {axis = -1 : i64} : (!f, !f) -> !f
  %cos = onnx.node "Cos"(%twice) : (!f) -> !f
  %sin = onnx.node "Sin"(%twice) : (!f) -> !f
  %zero = onnx.constant dense<0> : tensor<1xi64>
  %four = onnx.constant dense<4> : tensor<1xi64>
  %end = onnx.constant dense<9223372036854775807> : tensor<1xi64>
  %axis = onnx.constant dense<-1> : tensor<1xi64>
  %low4 = onnx.node "Slice"(%x, %zero, %four, %axis) : (!rows, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !f
  %high4 = onnx.node "Slice"(%x, %four, %end, %axis) : (!rows, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !f
  %minus = onnx.node "Neg"(%high4) : (!f) -> !f
  %turned = onnx.node "Concat"(%minus, %low4) {axis = -1 : i64} : (!f, !f) -> !f
  %a = onnx.node "Mul"(%x, %cos) : (!rows, !f) -> !f
  %c = onnx.node "Mul"(%turned, %sin) : (!f, !f) -> !f
  %h = onnx.node "Add"(%a, %c) name "/rotary/Add" : (!f, !f) -> !rows
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
// CHECK-LABEL: module @raises_products_of_halves
// The same with a table of half the size, as concat(a c - b s, b c + a s).
// CHECK: pmpd.rope_table @rope inv_freq = [1.000000e+00, 2.500000e-01, 6.250000e-02, 1.562500e-02], scale = 1.000000e+00, half
// CHECK: pmpd.rope %{{.*}}, @rope heads 1 : tensor<?x8xf32>
module @raises_products_of_halves {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %freq = onnx.constant dense<[[[1.0], [0.25], [0.0625], [0.015625]]]> : tensor<1x4x1xf64>
  %middle = onnx.constant dense<1> : tensor<1xi64>
  %place = onnx.node "Unsqueeze"(%positions, %middle) : (!ids, tensor<1xi64>) -> !i
  %number = onnx.node "Cast"(%place) {to = 1 : i64} : (!i) -> !f
  %angle = onnx.node "MatMul"(%freq, %number) : (tensor<1x4x1xf64>, !f) -> !f
  %rows = onnx.node "Transpose"(%angle) {perm = array<i64: 0, 2, 1>} : (!f) -> !f
  %zero = onnx.constant dense<0> : tensor<1xi64>
  %four = onnx.constant dense<4> : tensor<1xi64>
  %end = onnx.constant dense<9223372036854775807> : tensor<1xi64>
  %axis = onnx.constant dense<-1> : tensor<1xi64>
  %low4 = onnx.node "Slice"(%x, %zero, %four, %axis) : (!rows, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !f
  %high4 = onnx.node "Slice"(%x, %four, %end, %axis) : (!rows, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !f
  %cos = onnx.node "Cos"(%rows) : (!f) -> !f
  %sin = onnx.node "Sin"(%rows) : (!f) -> !f
  %ac = onnx.node "Mul"(%low4, %cos) : (!f, !f) -> !f
  %bs = onnx.node "Mul"(%high4, %sin) : (!f, !f) -> !f
  %bc = onnx.node "Mul"(%high4, %cos) : (!f, !f) -> !f
  %as = onnx.node "Mul"(%low4, %sin) : (!f, !f) -> !f
  %first = onnx.node "Sub"(%ac, %bs) : (!f, !f) -> !f
  %second = onnx.node "Add"(%bc, %as) : (!f, !f) -> !f
  %h = onnx.node "Concat"(%first, %second) name "/rotary/Concat" {axis = -1 : i64} : (!f, !f) -> !rows
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
!h4 = tensor<1x?x4xf32, #onnx.dims<"1", "s", "4">>
!pairs = tensor<1x?x4x2xf32, #onnx.dims<"1", "s", "4", "2">>
!column = tensor<1x?x4x1xf32, #onnx.dims<"1", "s", "4", "1">>
!b = tensor<*xi1>
// CHECK-LABEL: module @raises_neighbours
// stack(-x[1::2], x[::2]) as GPT-J has it.
// CHECK: pmpd.rope_table @rope inv_freq = [1.000000e+00, 2.500000e-01, 6.250000e-02, 1.562500e-02], scale = 1.000000e+00, interleaved
// CHECK: pmpd.rope %{{.*}}, @rope heads 1 : tensor<?x8xf32>
module @raises_neighbours {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %freq = onnx.constant dense<[[[1.0], [0.25], [0.0625], [0.015625]]]> : tensor<1x4x1xf64>
  %middle = onnx.constant dense<1> : tensor<1xi64>
  %place = onnx.node "Unsqueeze"(%positions, %middle) : (!ids, tensor<1xi64>) -> !i
  %number = onnx.node "Cast"(%place) {to = 1 : i64} : (!i) -> !f
  %angle = onnx.node "MatMul"(%freq, %number) : (tensor<1x4x1xf64>, !f) -> !f
  %rows = onnx.node "Transpose"(%angle) {perm = array<i64: 0, 2, 1>} : (!f) -> !f
  %pair = onnx.constant dense<[1, 1, 1, 2]> : tensor<4xi64>
  %three = onnx.constant dense<3> : tensor<1xi64>
  %back = onnx.constant dense<[1, -1, 8]> : tensor<3xi64>
  %column = onnx.node "Unsqueeze"(%rows, %three) : (!f, tensor<1xi64>) -> !f
  %doubled = onnx.node "Expand"(%column, %pair) : (!f, tensor<4xi64>) -> !f
  %twice = onnx.node "Reshape"(%doubled, %back) : (!f, tensor<3xi64>) -> !f
  %cos = onnx.node "Cos"(%twice) : (!f) -> !f
  %sin = onnx.node "Sin"(%twice) : (!f) -> !f
  %stride = onnx.constant dense<2> : tensor<1xi64>
  %zero = onnx.constant dense<0> : tensor<1xi64>
  %four = onnx.constant dense<4> : tensor<1xi64>
  %end = onnx.constant dense<9223372036854775807> : tensor<1xi64>
  %axis = onnx.constant dense<-1> : tensor<1xi64>
  %even = onnx.node "Slice"(%x, %zero, %end, %axis, %stride) : (!rows, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !h4
  %odd = onnx.node "Slice"(%x, %middle, %end, %axis, %stride) : (!rows, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !h4
  %minus = onnx.node "Neg"(%odd) : (!h4) -> !h4
  %l = onnx.node "Unsqueeze"(%minus, %three) : (!h4, tensor<1xi64>) -> !column
  %r = onnx.node "Unsqueeze"(%even, %three) : (!h4, tensor<1xi64>) -> !column
  %stack = onnx.node "Concat"(%l, %r) {axis = -1 : i64} : (!column, !column) -> !pairs
  %turned = onnx.node "Reshape"(%stack, %back) : (!pairs, tensor<3xi64>) -> !rows
  %a = onnx.node "Mul"(%x, %cos) : (!rows, !f) -> !f
  %c = onnx.node "Mul"(%turned, %sin) : (!rows, !f) -> !f
  %h = onnx.node "Add"(%a, %c) name "/rotary/Add" : (!f, !f) -> !rows
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
// CHECK-LABEL: module @raises_part_of_a_head
// The first 4 of 8 elements, as Phi has it: the others are kept.
// CHECK: pmpd.rope_table @rope inv_freq = [1.000000e+00, 2.500000e-01], scale = 1.000000e+00, half
// CHECK: pmpd.rope %{{.*}}, @rope heads 1 : tensor<?x8xf32>
module @raises_part_of_a_head {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %freq = onnx.constant dense<[[[1.0], [0.25]]]> : tensor<1x2x1xf64>
  %middle = onnx.constant dense<1> : tensor<1xi64>
  %place = onnx.node "Unsqueeze"(%positions, %middle) : (!ids, tensor<1xi64>) -> !i
  %number = onnx.node "Cast"(%place) {to = 1 : i64} : (!i) -> !f
  %angle = onnx.node "MatMul"(%freq, %number) : (tensor<1x2x1xf64>, !f) -> !f
  %rows = onnx.node "Transpose"(%angle) {perm = array<i64: 0, 2, 1>} : (!f) -> !f
  %twice = onnx.node "Concat"(%rows, %rows) {axis = -1 : i64} : (!f, !f) -> !f
  %cos = onnx.node "Cos"(%twice) : (!f) -> !f
  %sin = onnx.node "Sin"(%twice) : (!f) -> !f
  %zero = onnx.constant dense<0> : tensor<1xi64>
  %four = onnx.constant dense<4> : tensor<1xi64>
  %end = onnx.constant dense<9223372036854775807> : tensor<1xi64>
  %axis = onnx.constant dense<-1> : tensor<1xi64>
  %stride = onnx.constant dense<2> : tensor<1xi64>
  %rotated = onnx.node "Slice"(%x, %zero, %four, %axis) : (!rows, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !f
  %kept = onnx.node "Slice"(%x, %four, %end, %axis) : (!rows, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !f
  %low2 = onnx.node "Slice"(%rotated, %zero, %stride, %axis) : (!f, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !f
  %high2 = onnx.node "Slice"(%rotated, %stride, %end, %axis) : (!f, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !f
  %minus = onnx.node "Neg"(%high2) : (!f) -> !f
  %turned = onnx.node "Concat"(%minus, %low2) {axis = -1 : i64} : (!f, !f) -> !f
  %a = onnx.node "Mul"(%rotated, %cos) : (!f, !f) -> !f
  %c = onnx.node "Mul"(%turned, %sin) : (!f, !f) -> !f
  %part = onnx.node "Add"(%a, %c) : (!f, !f) -> !f
  %h = onnx.node "Concat"(%part, %kept) name "/rotary/Concat" {axis = -1 : i64} : (!f, !f) -> !rows
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
// CHECK-LABEL: module @keeps_the_scale_of_attention
// Attention may scale its rotated queries; frequencies keep all their digits.
// CHECK: pmpd.rope_table @rope inv_freq = [1.000000e+00, 0.3162277660168{{[0-9]+}}, 6.250000e-02, 1.562500e-02], scale = 1.000000e+00, half
// CHECK: pmpd.attention %{{.*}} layer 0 scale 5.000000e-01 : tensor<?x8xf32>
module @keeps_the_scale_of_attention {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %freq = onnx.constant dense<[[[1.0], [0.31622776601683794], [0.0625], [0.015625]]]> : tensor<1x4x1xf64>
  %middle = onnx.constant dense<1> : tensor<1xi64>
  %place = onnx.node "Unsqueeze"(%positions, %middle) : (!ids, tensor<1xi64>) -> !i
  %number = onnx.node "Cast"(%place) {to = 1 : i64} : (!i) -> !f
  %angle = onnx.node "MatMul"(%freq, %number) : (tensor<1x4x1xf64>, !f) -> !f
  %rows = onnx.node "Transpose"(%angle) {perm = array<i64: 0, 2, 1>} : (!f) -> !f
  %twice = onnx.node "Concat"(%rows, %rows) {axis = -1 : i64} : (!f, !f) -> !f
  %cos = onnx.node "Cos"(%twice) : (!f) -> !f
  %sin = onnx.node "Sin"(%twice) : (!f) -> !f
  %zero = onnx.constant dense<0> : tensor<1xi64>
  %four = onnx.constant dense<4> : tensor<1xi64>
  %end = onnx.constant dense<9223372036854775807> : tensor<1xi64>
  %axis = onnx.constant dense<-1> : tensor<1xi64>
  %low4 = onnx.node "Slice"(%x, %zero, %four, %axis) : (!rows, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !f
  %high4 = onnx.node "Slice"(%x, %four, %end, %axis) : (!rows, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !f
  %minus = onnx.node "Neg"(%high4) : (!f) -> !f
  %turned = onnx.node "Concat"(%minus, %low4) {axis = -1 : i64} : (!f, !f) -> !f
  %a = onnx.node "Mul"(%x, %cos) : (!rows, !f) -> !f
  %c = onnx.node "Mul"(%turned, %sin) : (!f, !f) -> !f
  %h = onnx.node "Add"(%a, %c) name "/rotary/Add" : (!f, !f) -> !rows
  // Query i sees key j if j <= i.
  %one = onnx.constant dense<1> : tensor<1xi64>
  %two = onnx.constant dense<2> : tensor<1xi64>
  %low = onnx.constant dense<-3.0e38> : tensor<f32>
  %count = onnx.node "CumSum"(%mask, %one) : (!all, tensor<1xi64>) -> !i
  %j = onnx.node "Sub"(%count, %one) : (!i, tensor<1xi64>) -> !i
  %i = onnx.node "Unsqueeze"(%positions, %two) : (!ids, tensor<1xi64>) -> !i
  %seen = onnx.node "LessOrEqual"(%j, %i) : (!i, !i) -> !b
  %q = onnx.node "Unsqueeze"(%h, %one) : (!rows, tensor<1xi64>) -> !heads
  %half = onnx.constant dense<0.5> : tensor<f32>
  %scaled = onnx.node "Mul"(%q, %half) : (!heads, tensor<f32>) -> !heads
  %k = onnx.node "Concat"(%pastKey, %q) {axis = 2 : i64} : (!past, !heads) -> !f
  %v = onnx.node "Concat"(%pastValue, %q) {axis = 2 : i64} : (!past, !heads) -> !f
  %kt = onnx.node "Transpose"(%k) {perm = array<i64: 0, 1, 3, 2>} : (!f) -> !f
  %scores = onnx.node "MatMul"(%scaled, %kt) : (!heads, !f) -> !f
  %masked = onnx.node "Where"(%seen, %scores, %low) : (!b, !f, tensor<f32>) -> !f
  %weights = onnx.node "Softmax"(%masked) {axis = -1 : i64} : (!f) -> !f
  %out = onnx.node "MatMul"(%weights, %v) : (!f, !f) -> !heads
  %y = onnx.node "Squeeze"(%out, %one) : (!heads, tensor<1xi64>) -> !rows
  %head = onnx.initializer "onnx::MatMul_9" at "m.bin", 512 : tensor<8x32xf32>
  %logits = onnx.node "MatMul"(%y, %head) name "/lm_head/MatMul" : (!rows, tensor<8x32xf32>) -> !f
  return %logits : !f
}
}
