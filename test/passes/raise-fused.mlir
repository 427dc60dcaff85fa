// Operators of ONNX Runtime that stand for several.
// RUN: pmpd-opt %s --split-input-file --pmpd-raise | FileCheck %s

!ids = tensor<1x?xi64, #onnx.dims<"1", "s">>
!all = tensor<1x?xi64, #onnx.dims<"1", "s + p">>
!past = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "p", "8">>
!rows = tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>
!packed = tensor<1x?x32xf32, #onnx.dims<"1", "s", "32">>
!w = tensor<8xf32>
!cache = tensor<64x4xf32>
!f = tensor<*xf32>
!i = tensor<*xi64>

// One product makes queries, keys and values; 2 query heads of 8 columns share
// a head of keys. The tables that the test reads are not there, so nothing
// rotates.
// CHECK-LABEL: module @raises_attention_of_packed_heads
// CHECK-DAG: %[[N:.*]] = pmpd.rms_norm %[[X:.*]], @input_norm eps 9.99
// CHECK-DAG: %[[Q:.*]] = pmpd.linear %[[N]], @attn.qkv_proj.row0 : tensor<?x8xf32> -> tensor<?x16xf32>
// CHECK-DAG: %[[K:.*]] = pmpd.linear %[[N]], @attn.qkv_proj.row16 : tensor<?x8xf32> -> tensor<?x8xf32>
// CHECK-DAG: %[[V:.*]] = pmpd.linear %[[N]], @attn.qkv_proj.row24 : tensor<?x8xf32> -> tensor<?x8xf32>
// CHECK: pmpd.kv_append %[[K]], %[[V]] layer 0
// CHECK-NEXT: %[[A:.*]] = pmpd.attention %[[Q]] layer 0 scale 2.500000e-01 window 7 : tensor<?x16xf32>
// CHECK-NEXT: %[[O:.*]] = pmpd.linear %[[A]], @attn.o_proj
// CHECK-NEXT: %[[S:.*]] = pmpd.add %[[X]], %[[O]]
// CHECK-NEXT: %[[L:.*]] = pmpd.select_last %[[S]]
// CHECK-NEXT: pmpd.rms_norm %[[L]], @final_norm eps
module @raises_attention_of_packed_heads {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %gamma = onnx.initializer "gamma" at "m.bin", 2048 : !w
  %beta = onnx.initializer "beta" at "m.bin", 2080 : !w
  %bias = onnx.initializer "bias" at "m.bin", 2112 : !w
  %absent = onnx.absent : none
  // The number of all tokens, and of those before the last.
  %one = onnx.constant dense<1> : tensor<1xi64>
  %second = onnx.constant dense<1> : tensor<i64>
  %sum = onnx.node "ReduceSum"(%mask, %one) : (!all, tensor<1xi64>) -> !i
  %last = onnx.node "Sub"(%sum, %one) : (!i, tensor<1xi64>) -> !i
  %shape = onnx.node "Shape"(%mask) : (!all) -> !i
  %total = onnx.node "Gather"(%shape, %second) {axis = 0 : i64} : (!i, tensor<i64>) -> !i
  %h = onnx.node "SimplifiedLayerNormalization"(%x, %gamma) name "/input_norm/LayerNorm" {axis = -1 : i64, stash_type = 1 : i64, epsilon = 1.0e-5 : f32} : (!rows, !w) -> !rows
  %qkv = onnx.initializer "qkv" at "m.bin", 4096 : tensor<8x32xf32>
  %q = onnx.node "MatMul"(%h, %qkv) name "/attn/qkv_proj/MatMul" : (!rows, tensor<8x32xf32>) -> !packed
  %a:3 = onnx.node "GroupQueryAttention"(%q, %absent, %absent, %pastKey, %pastValue, %last, %total) domain "com.microsoft" name "/attn/GroupQueryAttention" {num_heads = 2 : i64, kv_num_heads = 1 : i64, scale = 0.25 : f32, softcap = 0.0 : f32, local_window_size = 7 : i64} : (!packed, none, none, !past, !past, !i, !i) -> (tensor<1x?x16xf32, #onnx.dims<"1", "s", "16">>, !f, !f)
  %o = onnx.initializer "o" at "m.bin", 8192 : tensor<16x8xf32>
  %out = onnx.node "MatMul"(%a#0, %o) name "/attn/o_proj/MatMul" : (tensor<1x?x16xf32, #onnx.dims<"1", "s", "16">>, tensor<16x8xf32>) -> !rows
  %y:4 = onnx.node "SkipSimplifiedLayerNormalization"(%x, %out, %beta) domain "com.microsoft" name "/final_norm/SkipLayerNorm" {epsilon = 1.0e-5 : f32} : (!rows, !rows, !w) -> (!rows, !f, !f, !rows)
  %head = onnx.initializer "lm_head" at "m.bin", 512 : tensor<8x32xf32>
  %logits = onnx.node "MatMul"(%y#0, %head) name "/lm_head/MatMul" : (!rows, tensor<8x32xf32>) -> !f
  return %logits : !f
}
}
// -----
!ids = tensor<1x?xi64, #onnx.dims<"1", "s">>
!all = tensor<1x?xi64, #onnx.dims<"1", "s + p">>
!past = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "p", "8">>
!rows = tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>
!packed = tensor<1x?x32xf32, #onnx.dims<"1", "s", "32">>
!w = tensor<8xf32>
!cache = tensor<64x4xf32>
!f = tensor<*xf32>
!i = tensor<*xi64>

// The bias goes to the product, the sum to what comes after the norm.
// CHECK-LABEL: module @raises_layer_norm_of_sum
// CHECK: %[[X:.*]] = pmpd.embed
// CHECK: %[[A:.*]] = pmpd.attention
// CHECK-NEXT: %[[O:.*]] = pmpd.linear %[[A]], @attn.o_proj bias @norm.bias
// CHECK-NEXT: %[[S:.*]] = pmpd.add %[[X]], %[[O]]
// CHECK-NEXT: %[[N:.*]] = pmpd.layer_norm %[[S]], @norm, @norm.bias_1 eps
// CHECK-NEXT: pmpd.add %[[N]], %[[S]]
module @raises_layer_norm_of_sum {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %gamma = onnx.initializer "gamma" at "m.bin", 2048 : !w
  %beta = onnx.initializer "beta" at "m.bin", 2080 : !w
  %bias = onnx.initializer "bias" at "m.bin", 2112 : !w
  %absent = onnx.absent : none
  // The number of all tokens, and of those before the last.
  %one = onnx.constant dense<1> : tensor<1xi64>
  %second = onnx.constant dense<1> : tensor<i64>
  %sum = onnx.node "ReduceSum"(%mask, %one) : (!all, tensor<1xi64>) -> !i
  %last = onnx.node "Sub"(%sum, %one) : (!i, tensor<1xi64>) -> !i
  %shape = onnx.node "Shape"(%mask) : (!all) -> !i
  %total = onnx.node "Gather"(%shape, %second) {axis = 0 : i64} : (!i, tensor<i64>) -> !i
  %h = onnx.node "Identity"(%x) : (!rows) -> !rows
  %a:3 = onnx.node "GroupQueryAttention"(%h, %h, %h, %pastKey, %pastValue, %last, %total) domain "com.microsoft" name "/attn/GroupQueryAttention" {num_heads = 1 : i64, kv_num_heads = 1 : i64} : (!rows, !rows, !rows, !past, !past, !i, !i) -> (!rows, !f, !f)
  %o = onnx.initializer "o" at "m.bin", 8192 : tensor<8x8xf32>
  %out = onnx.node "MatMul"(%a#0, %o) name "/attn/o_proj/MatMul" : (!rows, tensor<8x8xf32>) -> !rows
  %n:4 = onnx.node "SkipLayerNormalization"(%x, %out, %gamma, %beta, %bias) domain "com.microsoft" name "/norm/SkipLayerNorm" : (!rows, !rows, !w, !w, !w) -> (!rows, !f, !f, !rows)
  %y = onnx.node "Add"(%n#0, %n#3) : (!rows, !rows) -> !rows
  %head = onnx.initializer "lm_head" at "m.bin", 512 : tensor<8x32xf32>
  %logits = onnx.node "MatMul"(%y, %head) name "/lm_head/MatMul" : (!rows, tensor<8x32xf32>) -> !f
  return %logits : !f
}
}
// -----
!ids = tensor<1x?xi64, #onnx.dims<"1", "s">>
!all = tensor<1x?xi64, #onnx.dims<"1", "s + p">>
!past = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "p", "8">>
!rows = tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>
!packed = tensor<1x?x32xf32, #onnx.dims<"1", "s", "32">>
!w = tensor<8xf32>
!cache = tensor<64x4xf32>
!f = tensor<*xf32>
!i = tensor<*xi64>

// CHECK-LABEL: module @raises_activations
// CHECK: %[[A:.*]] = pmpd.linear %{{.*}}, @a bias @
// CHECK-NEXT: %[[B:.*]] = pmpd.activate gelu_tanh %[[A]]
// CHECK-NEXT: %[[L:.*]] = pmpd.select_last %[[B]]
// CHECK-NEXT: %[[C:.*]] = pmpd.linear %[[L]], @b bias @
// CHECK-NEXT: %[[D:.*]] = pmpd.activate gelu_erf %[[C]]
// CHECK-NEXT: %[[E:.*]] = pmpd.linear %[[D]], @c
// CHECK-NEXT: pmpd.activate silu %[[E]]
module @raises_activations {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %gamma = onnx.initializer "gamma" at "m.bin", 2048 : !w
  %beta = onnx.initializer "beta" at "m.bin", 2080 : !w
  %bias = onnx.initializer "bias" at "m.bin", 2112 : !w
  %absent = onnx.absent : none
  // The number of all tokens, and of those before the last.
  %one = onnx.constant dense<1> : tensor<1xi64>
  %second = onnx.constant dense<1> : tensor<i64>
  %sum = onnx.node "ReduceSum"(%mask, %one) : (!all, tensor<1xi64>) -> !i
  %last = onnx.node "Sub"(%sum, %one) : (!i, tensor<1xi64>) -> !i
  %shape = onnx.node "Shape"(%mask) : (!all) -> !i
  %total = onnx.node "Gather"(%shape, %second) {axis = 0 : i64} : (!i, tensor<i64>) -> !i
  %h = onnx.node "Identity"(%x) : (!rows) -> !rows
  %a:3 = onnx.node "GroupQueryAttention"(%h, %h, %h, %pastKey, %pastValue, %last, %total) domain "com.microsoft" name "/attn/GroupQueryAttention" {num_heads = 1 : i64, kv_num_heads = 1 : i64} : (!rows, !rows, !rows, !past, !past, !i, !i) -> (!rows, !f, !f)
  %w = onnx.initializer "o" at "m.bin", 8192 : tensor<8x8xf32>
  %p0 = onnx.node "MatMul"(%a#0, %w) name "/a/MatMul" : (!rows, tensor<8x8xf32>) -> !rows
  %g0 = onnx.node "FastGelu"(%p0, %bias) domain "com.microsoft" : (!rows, !w) -> !rows
  // The weight as it is stored is that of a linear layer.
  %p1 = onnx.node "FusedMatMul"(%g0, %w) domain "com.microsoft" name "/b/MatMul" {alpha = 1.0 : f32, transA = 0 : i64, transB = 1 : i64} : (!rows, tensor<8x8xf32>) -> !rows
  %g1 = onnx.node "BiasGelu"(%p1, %bias) domain "com.microsoft" : (!rows, !w) -> !rows
  %w2 = onnx.initializer "o2" at "m.bin", 16384 : tensor<8x8xf32>
  %p2 = onnx.node "MatMul"(%g1, %w2) name "/c/MatMul" : (!rows, tensor<8x8xf32>) -> !rows
  %y = onnx.node "QuickGelu"(%p2) domain "com.microsoft" {alpha = 1.0 : f32} : (!rows) -> !rows
  %head = onnx.initializer "lm_head" at "m.bin", 512 : tensor<8x32xf32>
  %logits = onnx.node "MatMul"(%y, %head) name "/lm_head/MatMul" : (!rows, tensor<8x32xf32>) -> !f
  return %logits : !f
}
}
// -----
!ids = tensor<1x?xi64, #onnx.dims<"1", "s">>
!all = tensor<1x?xi64, #onnx.dims<"1", "s + p">>
!past = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "p", "8">>
!rows = tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>
!packed = tensor<1x?x32xf32, #onnx.dims<"1", "s", "32">>
!w = tensor<8xf32>
!cache = tensor<64x4xf32>
!f = tensor<*xf32>
!i = tensor<*xi64>

// Codes stay where they are: two heads of queries are the first rows.
// CHECK-LABEL: module @reads_codes_in_blocks
// CHECK: pmpd.weight @q : tensor<8x8xf16> from #pmpd.source<"m.bin", offset = 8192, type = tensor<8x8xf16, #pmpd.blocks<4, size = 8, scales = "m.bin", 9216, zeros = "z.bin", 64>>, transposed = false, row = 0>
// CHECK: pmpd.linear %{{.*}}, @q bias @q.bias
module @reads_codes_in_blocks {
func.func @graph(%ids: !ids {onnx.name = "input_ids"}, %mask: !all {onnx.name = "attention_mask"},
                 %pastKey: !past {onnx.name = "past_key_values.0.key"},
                 %pastValue: !past {onnx.name = "past_key_values.0.value"}) -> (!f {onnx.name = "logits"}) {
  %table = onnx.initializer "wte" at "m.bin", 0 : tensor<16x8xf32>
  %x = onnx.node "Gather"(%table, %ids) name "/embed/Gather" : (tensor<16x8xf32>, !ids) -> !rows
  %gamma = onnx.initializer "gamma" at "m.bin", 2048 : !w
  %beta = onnx.initializer "beta" at "m.bin", 2080 : !w
  %bias = onnx.initializer "bias" at "m.bin", 2112 : !w
  %absent = onnx.absent : none
  // The number of all tokens, and of those before the last.
  %one = onnx.constant dense<1> : tensor<1xi64>
  %second = onnx.constant dense<1> : tensor<i64>
  %sum = onnx.node "ReduceSum"(%mask, %one) : (!all, tensor<1xi64>) -> !i
  %last = onnx.node "Sub"(%sum, %one) : (!i, tensor<1xi64>) -> !i
  %shape = onnx.node "Shape"(%mask) : (!all) -> !i
  %total = onnx.node "Gather"(%shape, %second) {axis = 0 : i64} : (!i, tensor<i64>) -> !i
  %h = onnx.node "Identity"(%x) : (!rows) -> !rows
  %a:3 = onnx.node "GroupQueryAttention"(%h, %h, %h, %pastKey, %pastValue, %last, %total) domain "com.microsoft" name "/attn/GroupQueryAttention" {num_heads = 1 : i64, kv_num_heads = 1 : i64} : (!rows, !rows, !rows, !past, !past, !i, !i) -> (!rows, !f, !f)
  %codes = onnx.initializer "codes" at "m.bin", 8192 : tensor<8x1x4xui8>
  %scales = onnx.initializer "scales" at "m.bin", 9216 : tensor<8xf16>
  %zeros = onnx.initializer "zeros" at "z.bin", 64 : tensor<8xui8>
  %y = onnx.node "MatMulNBits"(%a#0, %codes, %scales, %zeros, %absent, %bias) domain "com.microsoft" name "/q/MatMul_Q4" {K = 8 : i64, N = 8 : i64, bits = 4 : i64, block_size = 8 : i64, accuracy_level = 4 : i64} : (!rows, tensor<8x1x4xui8>, tensor<8xf16>, tensor<8xui8>, none, !w) -> !rows
  %head = onnx.initializer "lm_head" at "m.bin", 512 : tensor<8x32xf32>
  %logits = onnx.node "MatMul"(%y, %head) name "/lm_head/MatMul" : (!rows, tensor<8x32xf32>) -> !f
  return %logits : !f
}
}
