// RUN: pmpd-opt %s --pmpd-group-launches | FileCheck %s
// RUN: pmpd-opt %s --pmpd-group-launches --pmpd-plan-memory | FileCheck %s --check-prefix=MEMORY

pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @embed : tensor<64x128xf16>
  pmpd.weight @norm : tensor<128xf32>
  pmpd.weight @w : !pmpd.nested<128x128, bits = 4, prefixes = [4], affine, group = 128, s>
  pmpd.weight @head : tensor<64x128xf16>

  // CHECK-LABEL: pmpd.region @block
  // MEMORY-LABEL: pmpd.region @block
  pmpd.region @block prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    // CHECK-NEXT: ^bb0
    // CHECK-NEXT: pmpd.embed {{.*}}pmpd.group = 0
    // CHECK-NEXT: pmpd.rms_norm {{.*}}pmpd.group = 0
    // CHECK-NEXT: pmpd.quantize_rows {{.*}}pmpd.group = 0
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    %n = pmpd.rms_norm %h, @norm eps 1.0e-5 : tensor<?x128xf32>
    %x = pmpd.quantize_rows %n : tensor<?x128xf32> -> !pmpd.rows<128, bits = 8, group = 128>
    // CHECK-NEXT: %[[Q:.*]] = pmpd.linear {{.*}}pmpd.group = 1
    // CHECK-NEXT: %[[K:.*]] = pmpd.linear {{.*}}pmpd.group = 1
    // CHECK-NEXT: %[[V:.*]] = pmpd.linear {{.*}}pmpd.group = 1
    // CHECK-NEXT: pmpd.activate relu %[[Q]] {{.*}}pmpd.group = 2
    // CHECK-NEXT: pmpd.kv_append %[[K]], %[[V]] {{.*}}pmpd.group = 2
    // CHECK-NEXT: pmpd.attention
    // CHECK-NOT:  pmpd.group
    // CHECK-SAME: : tensor
    %q = pmpd.linear %x, @w bits 4 : !pmpd.rows<128, bits = 8, group = 128> -> tensor<?x128xf32>
    %p = pmpd.activate relu %q : tensor<?x128xf32>
    %k = pmpd.linear %x, @w bits 4 : !pmpd.rows<128, bits = 8, group = 128> -> tensor<?x128xf32>
    %v = pmpd.linear %x, @w bits 4 : !pmpd.rows<128, bits = 8, group = 128> -> tensor<?x128xf32>
    pmpd.kv_append %k, %v layer 0 : tensor<?x128xf32>
    %a = pmpd.attention %p layer 0 scale 0.2 : tensor<?x128xf32>
    // The last rows are others: no group reaches over them.
    // CHECK-NEXT: pmpd.add {{.*}} : tensor
    // CHECK-NEXT: pmpd.select_last
    // CHECK-NEXT: pmpd.activate silu {{.*}} : tensor
    %r = pmpd.add %h, %a : tensor<?x128xf32>
    %l = pmpd.select_last %r : tensor<?x128xf32>
    %b = pmpd.activate silu %l : tensor<?x128xf32>
    %o = pmpd.linear %b, @head : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }

  // The norm dies in the quantization, but other rows still read it while the
  // next op of the group writes.
  // MEMORY-LABEL: pmpd.region @keeps_what_a_group_reads
  pmpd.region @keeps_what_a_group_reads prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    // MEMORY: pmpd.embed {{.*}}pmpd.scratch = 0
    // MEMORY: pmpd.rms_norm {{.*}}pmpd.scratch = 4096
    // MEMORY: pmpd.quantize_rows {{.*}}pmpd.scratch = 8192
    // MEMORY: pmpd.quantize_rows {{.*}}pmpd.scratch = 9728
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    %n = pmpd.rms_norm %h, @norm eps 1.0e-5 : tensor<?x128xf32>
    %x = pmpd.quantize_rows %n : tensor<?x128xf32> -> !pmpd.rows<128, bits = 8, group = 128>
    %y = pmpd.quantize_rows %h : tensor<?x128xf32> -> !pmpd.rows<128, bits = 8, group = 128>
    // The group is over.
    // MEMORY: pmpd.linear {{.*}}pmpd.scratch = 0
    %w = pmpd.linear %x, @w bits 4 : !pmpd.rows<128, bits = 8, group = 128> -> tensor<?x128xf32>
    %u = pmpd.linear %y, @w bits 4 : !pmpd.rows<128, bits = 8, group = 128> -> tensor<?x128xf32>
    %r = pmpd.add %w, %u : tensor<?x128xf32>
    %o = pmpd.linear %r, @head : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }
}
