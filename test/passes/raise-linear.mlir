// Products with weights and rows of tables.
// RUN: pmpd-opt %s --split-input-file --pmpd-raise | FileCheck %s

!ids = tensor<1x?xi64, #onnx.dims<"1", "s">>
!all = tensor<1x?xi64, #onnx.dims<"1", "s + p">>
!past = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "p", "8">>
!heads = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "s", "8">>
!rows = tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>
!f = tensor<*xf32>
!i = tensor<*xi64>
!b = tensor<*xi1>
// CHECK-LABEL: module @raises_matmul
// A matrix that is stored transposed stays so.
// CHECK: pmpd.weight @proj : tensor<8x8xf16> from #pmpd.source<"m.bin", offset = 2048, type = tensor<8x8xf16>, transposed = true, row = 0>
// CHECK: pmpd.linear %{{.*}}, @proj : tensor<?x8xf32> -> tensor<?x8xf32>
module @raises_matmul {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %w = onnx.initializer "onnx::MatMul_1" at "m.bin", 2048 : tensor<8x8xf16>
  %h = onnx.node "MatMul"(%x, %w) name "/proj/MatMul" : (!rows, tensor<8x8xf16>) -> !rows
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
// CHECK-LABEL: module @raises_transpose
// A Transpose of a weight is a flag, not a copy; Cast and Identity are nothing.
// CHECK: pmpd.weight @proj : tensor<8x8xf16> from #pmpd.source<"m.bin", offset = 2048, type = tensor<8x8xf16>, transposed = false, row = 0>
// CHECK: pmpd.linear %{{.*}}, @proj
module @raises_transpose {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %w = onnx.initializer "proj.weight" at "m.bin", 2048 : tensor<8x8xf16>
  %same = onnx.node "Identity"(%w) : (tensor<8x8xf16>) -> tensor<8x8xf16>
  %wt = onnx.node "Transpose"(%same) {perm = array<i64: 1, 0>} : (tensor<8x8xf16>) -> tensor<8x8xf16>
  %wide = onnx.node "Cast"(%wt) {to = 1 : i64} : (tensor<8x8xf16>) -> tensor<8x8xf32>
  %h = onnx.node "MatMul"(%x, %wide) name "/proj/MatMul" : (!rows, tensor<8x8xf32>) -> !rows
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
// CHECK-LABEL: module @raises_bias
// A bias added to a product is the product's.
// CHECK-DAG: pmpd.weight @proj : tensor<8x8xf32>
// CHECK-DAG: pmpd.weight @proj.bias : tensor<8xf32> from #pmpd.source<"m.bin", offset = 4096, type = tensor<8xf32>, transposed = false, row = 0>
// CHECK: %[[X:.*]] = pmpd.embed
// CHECK-NEXT: pmpd.linear %[[X]], @proj bias @proj.bias : tensor<?x8xf32> -> tensor<?x8xf32>
// CHECK-NOT: pmpd.add
module @raises_bias {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %w = onnx.initializer "onnx::MatMul_1" at "m.bin", 2048 : tensor<8x8xf32>
  %b = onnx.initializer "proj.bias" at "m.bin", 4096 : tensor<8xf32>
  %product = onnx.node "MatMul"(%x, %w) name "/proj/MatMul" : (!rows, tensor<8x8xf32>) -> !rows
  %h = onnx.node "Add"(%b, %product) name "/proj/Add" : (tensor<8xf32>, !rows) -> !rows
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
// CHECK-LABEL: module @raises_gemm
// The form of GPT-2: rows without a batch, and back.
// CHECK: pmpd.weight @proj : tensor<8x8xf32> {{.*}} transposed = false
// CHECK: pmpd.linear %{{.*}}, @proj bias @proj.bias
module @raises_gemm {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %w = onnx.initializer "proj.weight" at "m.bin", 2048 : tensor<8x8xf32>
  %b = onnx.initializer "proj.bias" at "m.bin", 4096 : tensor<8xf32>
  %shape = onnx.constant dense<[-1, 8]> : tensor<2xi64>
  %back = onnx.constant dense<[1, -1, 8]> : tensor<3xi64>
  %flat = onnx.node "Reshape"(%x, %shape) : (!rows, tensor<2xi64>) -> tensor<?x8xf32, #onnx.dims<"s", "8">>
  %product = onnx.node "Gemm"(%flat, %w, %b) name "/proj/Gemm" {transB = 1 : i64} : (tensor<?x8xf32, #onnx.dims<"s", "8">>, tensor<8x8xf32>, tensor<8xf32>) -> tensor<?x8xf32, #onnx.dims<"s", "8">>
  %h = onnx.node "Reshape"(%product, %back) : (tensor<?x8xf32, #onnx.dims<"s", "8">>, tensor<3xi64>) -> !rows
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
// CHECK-LABEL: module @splits_fused
// Parts of a fused product are products with rows of its weight.
// CHECK-DAG: pmpd.weight @qkv.row8 : tensor<8x8xf32> from #pmpd.source<"m.bin", offset = 2048, type = tensor<8x24xf32>, transposed = true, row = 8>
// CHECK-DAG: pmpd.weight @qkv.row16 : tensor<8x8xf32> {{.*}} row = 16>
// CHECK-DAG: pmpd.weight @qkv.bias.row8 : tensor<8xf32> from #pmpd.source<"m.bin", offset = 4096, type = tensor<24xf32>, transposed = false, row = 8>
// CHECK-NOT: @qkv :
// CHECK: %[[B:.*]] = pmpd.linear %[[X:.*]], @qkv.row8 bias @qkv.bias.row8 : tensor<?x8xf32> -> tensor<?x8xf32>
// CHECK: %[[C:.*]] = pmpd.linear %[[X]], @qkv.row16 bias @qkv.bias.row16 : tensor<?x8xf32> -> tensor<?x8xf32>
// CHECK: pmpd.mul %[[B]], %[[C]]
module @splits_fused {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %w = onnx.initializer "onnx::MatMul_1" at "m.bin", 2048 : tensor<8x24xf32>
  %b = onnx.initializer "qkv.bias" at "m.bin", 4096 : tensor<24xf32>
  %product = onnx.node "MatMul"(%x, %w) name "/qkv/MatMul" : (!rows, tensor<8x24xf32>) -> !f
  %all = onnx.node "Add"(%product, %b) name "/qkv/Add" : (!f, tensor<24xf32>) -> !f
  %sizes = onnx.constant dense<[8, 8, 8]> : tensor<3xi64>
  %first, %second, %third = onnx.node "Split"(%all, %sizes) {axis = 2 : i64} : (!f, tensor<3xi64>) -> (!rows, !rows, !rows)
  %h = onnx.node "Mul"(%second, %third) : (!rows, !rows) -> !rows
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
// CHECK-LABEL: module @ties_head
// The head reads the embedding table if it is the same place of a file.
// CHECK-COUNT-1: pmpd.weight
// CHECK-NOT: pmpd.weight
// CHECK: pmpd.linear %{{.*}}, @embed : tensor<?x8xf32> -> tensor<?x16xf32>
module @ties_head {
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
  %head = onnx.node "Transpose"(%table) {perm = array<i64: 1, 0>} : (tensor<16x8xf32>) -> tensor<8x16xf32>
  %logits = onnx.node "MatMul"(%y, %head) name "/lm_head/MatMul" : (!rows, tensor<8x16xf32>) -> !f
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
// CHECK-LABEL: module @scales_embedding
// CHECK: pmpd.embed %{{.*}}, @embed scale 3.000000e+00
module @scales_embedding {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %three = onnx.constant dense<3.0> : tensor<f32>
  %h = onnx.node "Mul"(%x, %three) : (!rows, tensor<f32>) -> !rows
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
// CHECK-LABEL: module @adds_position
// Rows of a table by position + 2; the table's end is the context's.
// CHECK: pmpd.model {{.*}} context = 62,
// CHECK: %[[X:.*]] = pmpd.embed
// CHECK-NEXT: pmpd.add_position %[[X]], @wpe offset 2 : tensor<?x8xf32>
module @adds_position {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %positions: !ids {onnx.name = "position_ids"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %wpe = onnx.initializer "wpe.weight" at "m.bin", 2048 : tensor<64x8xf32>
  %shift = onnx.constant dense<2> : tensor<i64>
  %place = onnx.node "Add"(%positions, %shift) : (!ids, tensor<i64>) -> !ids
  %p = onnx.node "Gather"(%wpe, %place) name "/wpe/Gather" : (tensor<64x8xf32>, !ids) -> !rows
  %h = onnx.node "Add"(%x, %p) : (!rows, !rows) -> !rows
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
