// RUN: pmpd-opt %s --pmpd-quantize-rows | FileCheck %s
// RUN: pmpd-opt %s --pmpd-quantize-rows=activations=q16 | FileCheck %s --check-prefix=Q16
// RUN: pmpd-opt %s --pmpd-quantize-rows=activations=f32 | FileCheck %s --check-prefix=F32
// RUN: not pmpd-opt %s --pmpd-quantize-rows=activations=int4 2>&1 | FileCheck %s --check-prefix=BAD
// BAD: expected activations of q8, q16 or f32, but got int4

// CHECK-LABEL: pmpd.region @shares_quantized_rows
// CHECK:       %[[H:.*]] = pmpd.embed
// CHECK-NEXT:  %[[Q:.*]] = pmpd.quantize_rows %[[H]] : tensor<?x128xf32> -> !pmpd.rows<128, bits = 8, group = 64>
// CHECK-NEXT:  %[[A:.*]] = pmpd.linear %[[Q]], @a bits 3
// CHECK-NEXT:  %[[B:.*]] = pmpd.linear %[[Q]], @a bits 3
// CHECK-NEXT:  %[[R:.*]] = pmpd.quantize_rows %[[A]]
// CHECK-NEXT:  pmpd.linear %[[R]], @b bits 3
// An unquantized weight takes its input as it is.
// CHECK-NEXT:  pmpd.linear %[[B]], @dense :
// Q16: pmpd.quantize_rows %{{.*}} : tensor<?x128xf32> -> !pmpd.rows<128, bits = 16, group = 64>
// F32-NOT: quantize_rows
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @embed : tensor<64x128xf16>
  pmpd.weight @a : !pmpd.nested<128x128, bits = 4, prefixes = [3, 4], affine, group = 64, s>
  pmpd.weight @b : !pmpd.nested<64x128, bits = 4, prefixes = [3, 4], affine, group = 128, s>
  pmpd.weight @dense : tensor<64x128xf16>
  pmpd.region @shares_quantized_rows decode bits = 3, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    %a = pmpd.linear %h, @a bits 3 : tensor<?x128xf32> -> tensor<?x128xf32>
    %b = pmpd.linear %h, @a bits 3 : tensor<?x128xf32> -> tensor<?x128xf32>
    %c = pmpd.linear %a, @b bits 3 : tensor<?x128xf32> -> tensor<?x64xf32>
    %d = pmpd.linear %b, @dense : tensor<?x128xf32> -> tensor<?x64xf32>
    %e = pmpd.add %c, %d : tensor<?x64xf32>
    pmpd.yield %e : tensor<?x64xf32>
  }
}
