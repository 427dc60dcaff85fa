// Heads and masks.
// RUN: pmpd-opt %s --split-input-file --pmpd-raise | FileCheck %s

!ids = tensor<1x?xi64, #onnx.dims<"1", "s">>
!all = tensor<1x?xi64, #onnx.dims<"1", "s + p">>
!past = tensor<1x2x?x2xf32, #onnx.dims<"1", "2", "p", "2">>
!heads = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "s", "8">>
!rows = tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>
!f = tensor<*xf32>
!i = tensor<*xi64>
!split = tensor<1x?x4x2xf32, #onnx.dims<"1", "s", "4", "2">>
!kvSplit = tensor<1x?x2x2xf32, #onnx.dims<"1", "s", "2", "2">>
!kv = tensor<1x2x1x?x2xf32, #onnx.dims<"1", "2", "1", "s + p", "2">>
!repeated = tensor<1x2x2x?x2xf32, #onnx.dims<"1", "2", "2", "s + p", "2">>
!cache = tensor<1x4x?x2xf32, #onnx.dims<"1", "4", "s + p", "2">>
!b = tensor<*xi1>
// CHECK-LABEL: module @raises_repeated_heads
// Four query heads share two key heads; a scale on the scores.
// CHECK: pmpd.model {{.*}} heads = 4, kv_heads = 2, head_dim = 2,
// CHECK: %[[Q:.*]] = pmpd.linear %[[X:.*]], @attn.q : tensor<?x8xf32> -> tensor<?x8xf32>
// CHECK: %[[K:.*]] = pmpd.linear %[[X]], @attn.k : tensor<?x8xf32> -> tensor<?x4xf32>
// CHECK: %[[V:.*]] = pmpd.linear %[[X]], @attn.v : tensor<?x8xf32> -> tensor<?x4xf32>
// CHECK: pmpd.kv_append %[[K]], %[[V]] layer 0 : tensor<?x4xf32>
// CHECK: %[[A:.*]] = pmpd.attention %[[Q]] layer 0 scale 5.000000e-01 : tensor<?x8xf32>
// CHECK: pmpd.select_last %[[A]]
module @raises_repeated_heads {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %wq = onnx.initializer "onnx::MatMul_1" at "m.bin", 2048 : tensor<8x8xf32>
  %wk = onnx.initializer "onnx::MatMul_2" at "m.bin", 3072 : tensor<8x4xf32>
  %wv = onnx.initializer "onnx::MatMul_3" at "m.bin", 4096 : tensor<8x4xf32>
  %toHeads = onnx.constant dense<[1, -1, 4, 2]> : tensor<4xi64>
  %toKV = onnx.constant dense<[1, -1, 2, 2]> : tensor<4xi64>
  %many = onnx.constant dense<[1, 2, 2, 1, 2]> : tensor<5xi64>
  %four = onnx.constant dense<[1, 4, -1, 2]> : tensor<4xi64>
  %toRows = onnx.constant dense<[1, -1, 8]> : tensor<3xi64>
  %root = onnx.constant dense<2.0> : tensor<f32>
  %q3 = onnx.node "MatMul"(%x, %wq) name "/attn/q/MatMul" : (!rows, tensor<8x8xf32>) -> !rows
  %k3 = onnx.node "MatMul"(%x, %wk) name "/attn/k/MatMul" : (!rows, tensor<8x4xf32>) -> !f
  %v3 = onnx.node "MatMul"(%x, %wv) name "/attn/v/MatMul" : (!rows, tensor<8x4xf32>) -> !f
  %q4 = onnx.node "Reshape"(%q3, %toHeads) : (!rows, tensor<4xi64>) -> !split
  %k4 = onnx.node "Reshape"(%k3, %toKV) : (!f, tensor<4xi64>) -> !kvSplit
  %v4 = onnx.node "Reshape"(%v3, %toKV) : (!f, tensor<4xi64>) -> !kvSplit
  %q = onnx.node "Transpose"(%q4) {perm = array<i64: 0, 2, 1, 3>} : (!split) -> !f
  %kNew = onnx.node "Transpose"(%k4) {perm = array<i64: 0, 2, 1, 3>} : (!kvSplit) -> !f
  %vNew = onnx.node "Transpose"(%v4) {perm = array<i64: 0, 2, 1, 3>} : (!kvSplit) -> !f
  %kAll = onnx.node "Concat"(%pastKey, %kNew) {axis = 2 : i64} : (!past, !f) -> !f
  %vAll = onnx.node "Concat"(%pastValue, %vNew) {axis = -2 : i64} : (!past, !f) -> !f
  // Query i sees key j if j <= i.
  %one = onnx.constant dense<1> : tensor<1xi64>
  %two = onnx.constant dense<2> : tensor<1xi64>
  %low = onnx.constant dense<-3.0e38> : tensor<f32>
  %count = onnx.node "CumSum"(%mask, %one) : (!all, tensor<1xi64>) -> !i
  %j = onnx.node "Sub"(%count, %one) : (!i, tensor<1xi64>) -> !i
  %i = onnx.node "Unsqueeze"(%positions, %two) : (!ids, tensor<1xi64>) -> !i
  %seen = onnx.node "LessOrEqual"(%j, %i) : (!i, !i) -> !b
  %k5 = onnx.node "Unsqueeze"(%kAll, %two) : (!f, tensor<1xi64>) -> !kv
  %kMany = onnx.node "Expand"(%k5, %many) : (!kv, tensor<5xi64>) -> !repeated
  %k = onnx.node "Reshape"(%kMany, %four) : (!repeated, tensor<4xi64>) -> !cache
  %v5 = onnx.node "Unsqueeze"(%vAll, %two) : (!f, tensor<1xi64>) -> !kv
  %vMany = onnx.node "Expand"(%v5, %many) : (!kv, tensor<5xi64>) -> !repeated
  %v = onnx.node "Reshape"(%vMany, %four) : (!repeated, tensor<4xi64>) -> !cache
  %kt = onnx.node "Transpose"(%k) {perm = array<i64: 0, 1, 3, 2>} : (!cache) -> !f
  %products = onnx.node "MatMul"(%q, %kt) : (!f, !f) -> !f
  %scores = onnx.node "Div"(%products, %root) : (!f, tensor<f32>) -> !f
  %masked = onnx.node "Where"(%seen, %scores, %low) : (!b, !f, tensor<f32>) -> !f
  %weights = onnx.node "Softmax"(%masked) {axis = -1 : i64} : (!f) -> !f
  %out = onnx.node "MatMul"(%weights, %v) name "/attn/MatMul_1" : (!f, !cache) -> !f
  %turned = onnx.node "Transpose"(%out) {perm = array<i64: 0, 2, 1, 3>} : (!f) -> !f
  %y = onnx.node "Reshape"(%turned, %toRows) : (!f, tensor<3xi64>) -> !rows
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
// CHECK-LABEL: module @raises_added_mask
// A mask of 0 and the lowest number; the scale is on the queries.
// CHECK: pmpd.attention %{{.*}} layer 0 scale 2.500000e-01 : tensor<?x8xf32>
module @raises_added_mask {
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
  %zeroF = onnx.constant dense<0.0> : tensor<f32>
  %bias = onnx.node "Where"(%seen, %zeroF, %low) : (!b, tensor<f32>, tensor<f32>) -> !f
  %quarter = onnx.constant dense<0.25> : tensor<f32>
  %scaled = onnx.node "Mul"(%q, %quarter) : (!heads, tensor<f32>) -> !heads
  %k = onnx.node "Concat"(%pastKey, %q) {axis = 2 : i64} : (!past, !heads) -> !f
  %v = onnx.node "Concat"(%pastValue, %q) {axis = 2 : i64} : (!past, !heads) -> !f
  %kt = onnx.node "Transpose"(%k) {perm = array<i64: 0, 1, 3, 2>} : (!f) -> !f
  %scores = onnx.node "MatMul"(%scaled, %kt) : (!heads, !f) -> !f
  %masked = onnx.node "Add"(%scores, %bias) : (!f, !f) -> !f
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
// CHECK-LABEL: module @drops_nan_guard
// Exporters guard softmax against rows that see nothing; there are none.
// CHECK: pmpd.attention %[[X:.*]] layer 0 scale 1.000000e+00 : tensor<?x8xf32>
module @drops_nan_guard {
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
  %zeroF = onnx.constant dense<0.0> : tensor<f32>
  %isNaN = onnx.node "IsNaN"(%weights) : (!f) -> !b
  %guarded = onnx.node "Where"(%isNaN, %zeroF, %weights) : (!b, tensor<f32>, !f) -> !f
  %out = onnx.node "MatMul"(%guarded, %v) : (!f, !f) -> !heads
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
// CHECK-LABEL: module @raises_window
// A second condition, j > i - 5.
// CHECK: pmpd.attention %{{.*}} layer 0 scale 1.000000e+00 window 5 : tensor<?x8xf32>
module @raises_window {
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
  %past = onnx.node "LessOrEqual"(%j, %i) : (!i, !i) -> !b
  %five = onnx.constant dense<5> : tensor<i64>
  %first = onnx.node "Sub"(%i, %five) : (!i, tensor<i64>) -> !i
  %near = onnx.node "Greater"(%j, %first) : (!i, !i) -> !b
  %seen = onnx.node "And"(%past, %near) : (!b, !b) -> !b
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
// CHECK-LABEL: module @ends_with_the_mask
// A mask that is kept in the file ends the context.
// CHECK: pmpd.model {{.*}} context = 4,
module @ends_with_the_mask {
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
  %stored = onnx.constant dense<[[[[true, false, false, false], [true, true, false, false], [true, true, true, false], [true, true, true, true]]]]> : tensor<1x1x4x4xi1>
  %rank = onnx.constant dense<2> : tensor<1xi64>
  %columns = onnx.constant dense<3> : tensor<1xi64>
  %shape = onnx.node "Shape"(%mask) : (!all) -> tensor<2xi64>
  %total = onnx.node "Gather"(%shape, %one) {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> !i
  %pShape = onnx.node "Shape"(%pastKey) : (!past) -> tensor<4xi64>
  %before = onnx.node "Gather"(%pShape, %rank) {axis = 0 : i64} : (tensor<4xi64>, tensor<1xi64>) -> !i
  %zeroI = onnx.constant dense<0> : tensor<1xi64>
  %rowsOf = onnx.node "Slice"(%stored, %before, %total, %rank) : (tensor<1x1x4x4xi1>, !i, !i, tensor<1xi64>) -> !b
  %kept = onnx.node "Slice"(%rowsOf, %zeroI, %total, %columns) : (!b, tensor<1xi64>, !i, tensor<1xi64>) -> !b
  %count = onnx.node "CumSum"(%mask, %one) : (!all, tensor<1xi64>) -> !i
  %j = onnx.node "Sub"(%count, %one) : (!i, tensor<1xi64>) -> !i
  %i = onnx.node "Unsqueeze"(%positions, %two) : (!ids, tensor<1xi64>) -> !i
  %seen = onnx.node "LessOrEqual"(%j, %i) : (!i, !i) -> !b
  %q = onnx.node "Unsqueeze"(%x, %one) : (!rows, tensor<1xi64>) -> !heads
  %k = onnx.node "Concat"(%pastKey, %q) {axis = 2 : i64} : (!past, !heads) -> !f
  %v = onnx.node "Concat"(%pastValue, %q) {axis = 2 : i64} : (!past, !heads) -> !f
  %kt = onnx.node "Transpose"(%k) {perm = array<i64: 0, 1, 3, 2>} : (!f) -> !f
  %scores = onnx.node "MatMul"(%q, %kt) : (!heads, !f) -> !f
  %masked = onnx.node "Where"(%kept, %scores, %low) : (!b, !f, tensor<f32>) -> !f
  %weights = onnx.node "Softmax"(%masked) {axis = -1 : i64} : (!f) -> !f
  %out = onnx.node "MatMul"(%weights, %v) : (!f, !f) -> !heads
  %y = onnx.node "Squeeze"(%out, %one) : (!heads, tensor<1xi64>) -> !rows
  %head = onnx.initializer "onnx::MatMul_9" at "m.bin", 512 : tensor<8x32xf32>
  %logits = onnx.node "MatMul"(%y, %head) name "/lm_head/MatMul" : (!rows, tensor<8x32xf32>) -> !f
  return %logits : !f
}
}
