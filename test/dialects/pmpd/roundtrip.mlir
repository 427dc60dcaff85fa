// RUN: pmpd-opt %s | pmpd-opt | FileCheck %s
// RUN: pmpd-opt %s --mlir-print-op-generic | pmpd-opt | FileCheck %s

// CHECK-LABEL: pmpd.model @llama vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 2, head_dim = 32, context = 64, kv = f16
pmpd.model @llama vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 2, head_dim = 32, context = 64, kv = f16 {
  // CHECK: pmpd.weight @embed : tensor<64x128xf16> from #pmpd.source<"m.onnx", offset = 64, type = tensor<64x128xf16>, transposed = false, row = 0>
  pmpd.weight @embed : tensor<64x128xf16> from #pmpd.source<"m.onnx", offset = 64, type = tensor<64x128xf16>, transposed = false, row = 0>
  // CHECK: pmpd.weight @blocks : tensor<64x128xf16> from #pmpd.source<"m.onnx", offset = 64, type = tensor<96x128xf16, #pmpd.blocks<4, size = 32, scales = "m.onnx", 8192, zeros = "z.bin", 64>>, transposed = false, row = 32>
  pmpd.weight @blocks : tensor<64x128xf16> from #pmpd.source<"m.onnx", offset = 64, type = tensor<96x128xf16, #pmpd.blocks<4, size = 32, scales = "m.onnx", 8192, zeros = "z.bin", 64>>, transposed = false, row = 32>
  // CHECK: pmpd.weight @norm : tensor<128xf32> at 4096
  pmpd.weight @norm : tensor<128xf32> at 4096
  // CHECK: pmpd.weight @q : !pmpd.nested<128x128, bits = 4, prefixes = [2, 3, 4], affine, group = 64, s> at 8192
  pmpd.weight @q : !pmpd.nested<128x128, bits = 4, prefixes = [2, 3, 4], affine, group = 64, s> at 8192
  // CHECK: pmpd.weight @k : !pmpd.nested<64x128, bits = 3, prefixes = [3], codebook, unpacked>
  pmpd.weight @k : !pmpd.nested<64x128, bits = 3, prefixes = [3], codebook, unpacked>
  pmpd.weight @v : !pmpd.nested<64x128, bits = 4, prefixes = [2, 4], affine, group = 128, plain>
  pmpd.weight @bias : tensor<64xf32>
  pmpd.weight @head : tensor<64x128xf16>
  // CHECK: pmpd.rope_table @rope inv_freq = [1.000000e+00, 1.000000e-01], scale = 1.000000e+00, half
  pmpd.rope_table @rope inv_freq = [1.0, 0.1], scale = 1.0, half

  // CHECK: pmpd.region @decode_b2 decode bits = 2, max_rows = 1, scratch = 4096 {
  pmpd.region @decode_b2 decode bits = 2, max_rows = 1, scratch = 4096 {
  ^bb0(%tokens: tensor<?xi32>):
    // CHECK: %[[H:.*]] = pmpd.embed %{{.*}}, @embed : tensor<?xi32> -> tensor<?x128xf32>
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    // CHECK: pmpd.rms_norm %[[H]], @norm eps 1.000000e-05 : tensor<?x128xf32>
    %n = pmpd.rms_norm %h, @norm eps 1.0e-5 : tensor<?x128xf32>
    // CHECK: pmpd.quantize_rows %{{.*}} : tensor<?x128xf32> -> !pmpd.rows<128, bits = 8, group = 64>
    %r = pmpd.quantize_rows %n : tensor<?x128xf32> -> !pmpd.rows<128, bits = 8, group = 64>
    // CHECK: pmpd.linear %{{.*}}, @q bits 2 : !pmpd.rows<128, bits = 8, group = 64> -> tensor<?x128xf32>
    %q = pmpd.linear %r, @q bits 2 : !pmpd.rows<128, bits = 8, group = 64> -> tensor<?x128xf32>
    // CHECK: pmpd.linear %{{.*}}, @k bias @bias bits 3 : tensor<?x128xf32> -> tensor<?x64xf32>
    %k = pmpd.linear %n, @k bias @bias bits 3 : tensor<?x128xf32> -> tensor<?x64xf32>
    %v = pmpd.linear %n, @v bits 4 : tensor<?x128xf32> -> tensor<?x64xf32>
    // CHECK: pmpd.rope %{{.*}}, @rope heads 4 : tensor<?x128xf32>
    %qr = pmpd.rope %q, @rope heads 4 : tensor<?x128xf32>
    %kr = pmpd.rope %k, @rope heads 2 : tensor<?x64xf32>
    // CHECK: pmpd.kv_append %{{.*}}, %{{.*}} layer 0 : tensor<?x64xf32>
    pmpd.kv_append %kr, %v layer 0 : tensor<?x64xf32>
    // CHECK: pmpd.attention %{{.*}} layer 0 scale 1.767{{.*}} window 32 : tensor<?x128xf32>
    %a = pmpd.attention %qr layer 0 scale 0.17677 window 32 : tensor<?x128xf32>
    // CHECK: pmpd.activate gelu_tanh %{{.*}} : tensor<?x128xf32>
    %g = pmpd.activate gelu_tanh %a : tensor<?x128xf32>
    // CHECK: pmpd.mul %{{.*}}, %{{.*}} : tensor<?x128xf32>
    %m = pmpd.mul %g, %n : tensor<?x128xf32>
    // CHECK: pmpd.add %{{.*}}, %{{.*}} : tensor<?x128xf32>
    %s = pmpd.add %h, %m : tensor<?x128xf32>
    // CHECK: pmpd.select_last %{{.*}} : tensor<?x128xf32>
    %l = pmpd.select_last %s : tensor<?x128xf32>
    %logits = pmpd.linear %l, @head : tensor<?x128xf32> -> tensor<?x64xf32>
    // CHECK: pmpd.yield %{{.*}} : tensor<?x64xf32>
    pmpd.yield %logits : tensor<?x64xf32>
  }
  // CHECK: pmpd.region_table [@decode_b2]
  pmpd.region_table [@decode_b2]
  // CHECK: pmpd.classifier @f from = 4, to = 2, classes = 3 weights [@norm] scratch = 64 widen @g
  pmpd.classifier @f from = 4, to = 2, classes = 3 weights [@norm] scratch = 64 widen @g
}

// CHECK-LABEL: pmpd.model @gpt2
// CHECK-SAME: digest = "00ff"
pmpd.model @gpt2 vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 digest = "00ff" {
  pmpd.weight @wte : tensor<64x128xf16>
  pmpd.weight @wpe : tensor<66x128xf16>
  pmpd.weight @w : tensor<128xf32>
  pmpd.weight @b : tensor<128xf32>
  // CHECK: pmpd.body {
  pmpd.body {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @wte scale 2.0 : tensor<?xi32> -> tensor<?x128xf32>
    // CHECK: pmpd.add_position %{{.*}}, @wpe offset 2 : tensor<?x128xf32>
    %p = pmpd.add_position %h, @wpe offset 2 : tensor<?x128xf32>
    // CHECK: pmpd.layer_norm %{{.*}}, @w, @b eps 1.000000e-05 : tensor<?x128xf32>
    %n = pmpd.layer_norm %p, @w, @b eps 1.0e-5 : tensor<?x128xf32>
    // CHECK: pmpd.linear %{{.*}}, @wte pin 4 : tensor<?x128xf32> -> tensor<?x64xf32>
    %logits = pmpd.linear %n, @wte pin 4 : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %logits : tensor<?x64xf32>
  }
}

// CHECK-LABEL: pmpd.model @lowered
pmpd.model @lowered vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.region @prefill_b4 prefill bits = 4, max_rows = 64 {
  ^bb0(%tokens: tensor<?xi32>):
    // CHECK: pmpd.launch @kernel [#pmpd.address<scratch, 128, skip = 512>, #pmpd.address<logits, 0>] tasks 4 per 1 logits
    pmpd.launch @kernel [#pmpd.address<scratch, 128, skip = 512>, #pmpd.address<logits, 0>] tasks 4 per 1 logits
    pmpd.yield
  }
}
func.func private @kernel(memref<128xf32>, memref<128xf32>, index, index, index, index)
