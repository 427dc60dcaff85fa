// What is not known of operators of ONNX Runtime is refused, all of it at once.
// RUN: pmpd-opt %s --pmpd-raise --verify-diagnostics

!ids = tensor<1x?xi64, #onnx.dims<"1", "s">>
!all = tensor<1x?xi64, #onnx.dims<"1", "s + p">>
!past = tensor<1x1x?x8xf32, #onnx.dims<"1", "1", "p", "8">>
!rows = tensor<1x?x8xf32, #onnx.dims<"1", "s", "8">>
!packed = tensor<1x?x32xf32, #onnx.dims<"1", "s", "32">>
!w = tensor<8xf32>
!cache = tensor<64x4xf32>
!f = tensor<*xf32>
!i = tensor<*xi64>
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
  %cos = onnx.initializer "cos" at "m.bin", 4096 : !cache
  // expected-error@+1 {{attribute 'softcap' is not supported}}
  %a1:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pastKey, %pastValue, %last, %total) domain "com.microsoft" {num_heads = 1 : i64, kv_num_heads = 1 : i64, softcap = 30.0 : f32} : (!rows, !rows, !rows, !past, !past, !i, !i) -> (!rows, !f, !f)
  // expected-error@+1 {{attribute 'smooth_softmax' is not supported}}
  %a2:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pastKey, %pastValue, %last, %total) domain "com.microsoft" {num_heads = 1 : i64, kv_num_heads = 1 : i64, smooth_softmax = 1 : i64} : (!rows, !rows, !rows, !past, !past, !i, !i) -> (!rows, !f, !f)
  // expected-error@+1 {{expected the inputs query, key, value, past_key, past_value, seqlens_k, total_sequence_length, cos_cache, sin_cache, position_ids, but got one more, number 10}}
  %a3:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pastKey, %pastValue, %last, %total, %absent, %absent, %absent, %x) domain "com.microsoft" {num_heads = 1 : i64, kv_num_heads = 1 : i64} : (!rows, !rows, !rows, !past, !past, !i, !i, none, none, none, !rows) -> (!rows, !f, !f)
  // expected-error@+1 {{expected num_heads to be a multiple of kv_num_heads, but got 3 and 2}}
  %a4:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pastKey, %pastValue, %last, %total) domain "com.microsoft" {num_heads = 3 : i64, kv_num_heads = 2 : i64} : (!rows, !rows, !rows, !past, !past, !i, !i) -> (!rows, !f, !f)
  // expected-error@+1 {{expected a past key and a past value of one layer}}
  %a5:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pastValue, %pastKey, %last, %total) domain "com.microsoft" {num_heads = 1 : i64, kv_num_heads = 1 : i64} : (!rows, !rows, !rows, !past, !past, !i, !i) -> (!rows, !f, !f)
  // expected-error@+1 {{expected seqlens_k to be the number of all tokens less one, and total_sequence_length that number}}
  %a6:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pastKey, %pastValue, %total, %total) domain "com.microsoft" {num_heads = 1 : i64, kv_num_heads = 1 : i64} : (!rows, !rows, !rows, !past, !past, !i, !i) -> (!rows, !f, !f)
  // expected-error@+1 {{expected a query, a key and a value, or all of them in the query}}
  %a7:3 = onnx.node "GroupQueryAttention"(%x, %x, %absent, %pastKey, %pastValue, %last, %total) domain "com.microsoft" {num_heads = 1 : i64, kv_num_heads = 1 : i64} : (!rows, !rows, none, !past, !past, !i, !i) -> (!rows, !f, !f)
  // expected-error@+1 {{expected 2 query heads and 1 heads of keys and values of one size}}
  %a8:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pastKey, %pastValue, %last, %total) domain "com.microsoft" {num_heads = 2 : i64, kv_num_heads = 1 : i64} : (!rows, !rows, !rows, !past, !past, !i, !i) -> (!rows, !f, !f)
  // expected-error@+1 {{expected tables of cosines and sines, [positions, pairs]}}
  %a9:3 = onnx.node "GroupQueryAttention"(%x, %x, %x, %pastKey, %pastValue, %last, %total) domain "com.microsoft" {num_heads = 1 : i64, kv_num_heads = 1 : i64, do_rotary = 1 : i64} : (!rows, !rows, !rows, !past, !past, !i, !i) -> (!rows, !f, !f)
  // expected-error@+1 {{attribute 'scale' is not supported}}
  %r1 = onnx.node "RotaryEmbedding"(%x, %ids, %cos, %cos) domain "com.microsoft" {scale = 2.0 : f32} : (!rows, !ids, !cache, !cache) -> !rows
  // expected-error@+1 {{the mean and the inverse deviation are not supported as outputs}}
  %s:2 = onnx.node "SkipLayerNormalization"(%x, %x, %gamma, %beta) domain "com.microsoft" : (!rows, !rows, !w, !w) -> (!rows, !f)
  %used = onnx.node "Neg"(%s#1) : (!f) -> !f
  // expected-error@+1 {{expected a weight and a bias}}
  %s2 = onnx.node "SkipLayerNormalization"(%x, %x, %gamma) domain "com.microsoft" : (!rows, !rows, !w) -> !rows
  // expected-error@+1 {{attribute 'transA' is not supported}}
  %m = onnx.node "FusedMatMul"(%x, %table) domain "com.microsoft" {transA = 1 : i64} : (!rows, tensor<16x8xf32>) -> !rows
  // expected-error@+1 {{expected a product with a weight, with alpha of 1, or with keys or values}}
  %m2 = onnx.node "FusedMatMul"(%x, %table) domain "com.microsoft" {transB = 1 : i64, alpha = 2.0 : f32} : (!rows, tensor<16x8xf32>) -> !rows
  // expected-error@+1 {{the operator of domain 'com.microsoft' is not supported; export the model without fused operators}}
  %mha = onnx.node "MultiHeadAttention"(%x, %x, %x) domain "com.microsoft" {num_heads = 1 : i64} : (!rows, !rows, !rows) -> !rows
  %codes = onnx.initializer "codes" at "m.bin", 5000 : tensor<8x1x4xui8>
  %scales = onnx.initializer "scales" at "m.bin", 6000 : !w
  // expected-error@+1 {{expected blocks of a multiple of 8 codes of 2, 4 or 8 bits, but got 8 of 3}}
  %n1 = onnx.node "MatMulNBits"(%x, %codes, %scales) domain "com.microsoft" {K = 8 : i64, N = 8 : i64, bits = 3 : i64, block_size = 8 : i64} : (!rows, tensor<8x1x4xui8>, !w) -> !rows
  // expected-error@+1 {{expected 64 bytes for input 'B' that are stored in the file}}
  %n2 = onnx.node "MatMulNBits"(%x, %codes, %scales) domain "com.microsoft" {K = 8 : i64, N = 8 : i64, bits = 8 : i64, block_size = 8 : i64} : (!rows, tensor<8x1x4xui8>, !w) -> !rows
  // expected-error@+1 {{expected 8 floats for input 'scales' that are stored in the file}}
  %n3 = onnx.node "MatMulNBits"(%x, %codes, %codes) domain "com.microsoft" {K = 8 : i64, N = 8 : i64, bits = 4 : i64, block_size = 8 : i64} : (!rows, tensor<8x1x4xui8>, tensor<8x1x4xui8>) -> !rows
  // expected-error@+1 {{input 'g_idx' is not supported}}
  %n4 = onnx.node "MatMulNBits"(%x, %codes, %scales, %absent, %one) domain "com.microsoft" {K = 8 : i64, N = 8 : i64, bits = 4 : i64, block_size = 8 : i64} : (!rows, tensor<8x1x4xui8>, !w, none, tensor<1xi64>) -> !rows
  // expected-error@+1 {{attribute 'weight_prepacked' is not supported}}
  %n5 = onnx.node "MatMulNBits"(%x, %codes, %scales) domain "com.microsoft" {K = 8 : i64, N = 8 : i64, bits = 4 : i64, block_size = 8 : i64, weight_prepacked = 1 : i64} : (!rows, tensor<8x1x4xui8>, !w) -> !rows
  %y = onnx.node "Identity"(%x) : (!rows) -> !rows
  %head = onnx.initializer "lm_head" at "m.bin", 512 : tensor<8x32xf32>
  %logits = onnx.node "MatMul"(%y, %head) name "/lm_head/MatMul" : (!rows, tensor<8x32xf32>) -> !f
  return %logits : !f
}
