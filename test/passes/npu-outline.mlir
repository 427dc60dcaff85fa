// Layers that are alike become one loop, at the distance of their weights.
// RUN: %python %S/llama_regions.py --layers 3 | pmpd-opt --npu-outline | FileCheck %s
// One layer is no loop.
// RUN: %python %S/llama_regions.py --layers 1 --bits 4 | pmpd-opt --npu-outline | FileCheck %s --check-prefix=ONE
// RUN: pmpd-opt %s --npu-outline --split-input-file --verify-diagnostics

// CHECK-NOT:   pmpd.region
// CHECK-LABEL: npu.program @prefill_b4 prefill wbits = 4, max_rows = 64 {
// Every token has its row of the embedding, and its row of the rotary table.
// CHECK-DAG:     %[[POSITION:.*]] = npu.reg role position
// CHECK-DAG:     %[[ROWS:.*]] = npu.reg role rows
// CHECK-DAG:     %[[LAST:.*]] = npu.reg role logit_rows
// CHECK:         npu.loop %[[ROWS]] {
// CHECK-NEXT:      npu.salu ld32
// CHECK:         npu.elt cvt32 %{{.*}} -> %[[X:[0-9]+]] rows %[[ROWS]]
// CHECK:         npu.loop count 3 {
// CHECK:           npu.ld qa %{{.*}} from weights at %[[W:[0-9]+]] imm 69632
// CHECK:           npu.norm rms %[[X]]
// CHECK:           npu.qact
// CHECK:           npu.linear {{.*}} at %[[W]] imm 73728 rows %[[ROWS]]
// CHECK:           npu.kvq
// CHECK:           npu.st qs
// CHECK:           npu.attention
// CHECK:           npu.elt silu
// CHECK:           npu.elt mul
// The last addition goes where the next layer reads.
// CHECK:           npu.elt add %{{.*}}, %{{.*}} -> %[[X]] rows
// CHECK-NEXT:      npu.salu add %[[W]] = x %[[W]] imm 143360
// CHECK-NEXT:      npu.salu add %[[KV:.*]] = x %[[KV]] imm 32768
// CHECK-NEXT:    }
// Rows without logits go no further.
// CHECK:         npu.salu min %[[ANY:.*]] = x %[[LAST]] imm 1
// CHECK-NEXT:    npu.loop %[[ANY]] {
// CHECK:           npu.linear %{{.*}}, %{{[0-9]+}} from imm
// CHECK-LABEL: npu.program @decode_b4 decode wbits = 4, max_rows = 1 {
// CHECK-NOT:     rows %
// CHECK:         npu.halt
// CHECK-LABEL: npu.program @decode_b2 decode wbits = 2, max_rows = 1 {

// ONE-LABEL: npu.program @decode_b4
// ONE-NOT:     npu.loop
// ONE:         npu.halt

// unquantized
pmpd.model @m vocab = 64, hidden = 64, layers = 1, heads = 2, kv_heads = 2, head_dim = 32, context = 64, kv = f16 {
  pmpd.weight @embed : tensor<64x64xf16> at 4096
  pmpd.region @decode_b16 decode bits = 16, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x64xf32>
    // expected-error@+1 {{expected a nested weight in the layout npu and quantized rows; compile with --bits 2,3,4 and --activations q8 or q16}}
    %l = pmpd.linear %h, @embed : tensor<?x64xf32> -> tensor<?x64xf32>
    pmpd.yield %l : tensor<?x64xf32>
  }
}
// -----
// no_head
pmpd.model @m vocab = 64, hidden = 64, layers = 1, heads = 2, kv_heads = 2, head_dim = 32, context = 64, kv = f16 {
  pmpd.weight @embed : tensor<64x64xf16> at 4096
  // expected-error@+1 {{expected to yield the result of a pmpd.linear that nothing else reads}}
  pmpd.region @decode_b4 decode bits = 4, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x64xf32>
    pmpd.yield %h : tensor<?x64xf32>
  }
}
// -----
// all_rows
pmpd.model @m vocab = 64, hidden = 64, layers = 1, heads = 2, kv_heads = 2, head_dim = 32, context = 64, kv = f16 {
  pmpd.weight @embed : tensor<64x64xf16> at 4096
  pmpd.weight @head : !pmpd.nested<64x64, bits = 4, prefixes = [4], affine, group = 32, npu> at 16384
  pmpd.region @prefill_b4 prefill bits = 4, max_rows = 64 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x64xf32>
    %q = pmpd.quantize_rows %h : tensor<?x64xf32> -> !pmpd.rows<64, bits = 16, group = 32>
    // expected-error@+1 {{expected pmpd.select_last before the logits}}
    %l = pmpd.linear %q, @head bits 4 : !pmpd.rows<64, bits = 16, group = 32> -> tensor<?x64xf32>
    pmpd.yield %l : tensor<?x64xf32>
  }
}
// -----
// selected_sum
pmpd.model @m vocab = 64, hidden = 64, layers = 1, heads = 2, kv_heads = 2, head_dim = 32, context = 64, kv = f16 {
  pmpd.weight @embed : tensor<64x64xf16> at 4096
  pmpd.weight @head : !pmpd.nested<64x64, bits = 4, prefixes = [4], affine, group = 32, npu> at 16384
  pmpd.region @prefill_b4 prefill bits = 4, max_rows = 64 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x64xf32>
    %s = pmpd.select_last %h : tensor<?x64xf32>
    // expected-error@+1 {{expected a normalization or linear layer behind pmpd.select_last}}
    %a = pmpd.add %s, %s : tensor<?x64xf32>
    %q = pmpd.quantize_rows %a : tensor<?x64xf32> -> !pmpd.rows<64, bits = 16, group = 32>
    %l = pmpd.linear %q, @head bits 4 : !pmpd.rows<64, bits = 16, group = 32> -> tensor<?x64xf32>
    pmpd.yield %l : tensor<?x64xf32>
  }
}
// -----
// cache
// expected-error@+1 {{expected a KV cache of f16; compile with --kv f16}}
pmpd.model @m vocab = 64, hidden = 64, layers = 1, heads = 2, kv_heads = 2, head_dim = 32, context = 64, kv = f32 {}
// -----
// unpacked
pmpd.model @m vocab = 64, hidden = 64, layers = 1, heads = 2, kv_heads = 2, head_dim = 32, context = 64, kv = f16 {
  pmpd.weight @embed : tensor<64x64xf16>
  pmpd.weight @head : !pmpd.nested<64x64, bits = 4, prefixes = [4], affine, group = 32, npu> at 16384
  pmpd.region @decode_b4 decode bits = 4, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    // expected-error@+1 {{expected @embed to be in the weight file; run --pmpd-pack first}}
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x64xf32>
    %q = pmpd.quantize_rows %h : tensor<?x64xf32> -> !pmpd.rows<64, bits = 16, group = 32>
    %l = pmpd.linear %q, @head bits 4 : !pmpd.rows<64, bits = 16, group = 32> -> tensor<?x64xf32>
    pmpd.yield %l : tensor<?x64xf32>
  }
}
// -----
// window
pmpd.model @m vocab = 64, hidden = 64, layers = 1, heads = 2, kv_heads = 2, head_dim = 32, context = 64, kv = f16 {
  pmpd.weight @embed : tensor<64x64xf16> at 4096
  pmpd.weight @head : !pmpd.nested<64x64, bits = 4, prefixes = [4], affine, group = 32, npu> at 16384
  pmpd.region @decode_b4 decode bits = 4, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x64xf32>
    // expected-error@+1 {{expected attention without a window, which the accelerator lacks}}
    %a = pmpd.attention %h layer 0 scale 1.0 window 16 : tensor<?x64xf32>
    %q = pmpd.quantize_rows %a : tensor<?x64xf32> -> !pmpd.rows<64, bits = 16, group = 32>
    %l = pmpd.linear %q, @head bits 4 : !pmpd.rows<64, bits = 16, group = 32> -> tensor<?x64xf32>
    pmpd.yield %l : tensor<?x64xf32>
  }
}
