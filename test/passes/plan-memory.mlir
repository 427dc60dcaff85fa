// RUN: pmpd-opt %s --pmpd-plan-memory | FileCheck %s

pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.weight @embed : tensor<64x128xf16>
  pmpd.weight @norm : tensor<128xf32>
  pmpd.weight @w : !pmpd.nested<128x128, bits = 4, prefixes = [4], affine, group = 128, s>
  pmpd.weight @head : tensor<64x128xf16>
  pmpd.weight @gpu : !pmpd.nested<128x128, bits = 4, prefixes = [4], affine, group = 128, gpu>

  // 8 rows of 128 floats are 4096 bytes; a quantized row of 128 is 192.
  // CHECK-LABEL: pmpd.region @reuses_dead_buffers prefill bits = 4, max_rows = 8, scratch = 8192 {
  pmpd.region @reuses_dead_buffers prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    // CHECK: pmpd.embed {{.*}}pmpd.scratch = 0
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    // The residual is needed later, so this takes a second buffer.
    // CHECK: pmpd.rms_norm {{.*}}pmpd.scratch = 4096
    %n = pmpd.rms_norm %h, @norm eps 1.0e-5 : tensor<?x128xf32>
    // In place: its input dies here.
    // CHECK: pmpd.activate {{.*}}pmpd.scratch = 4096
    %a = pmpd.activate silu %n : tensor<?x128xf32>
    // CHECK: pmpd.add {{.*}}pmpd.scratch = 0
    %r = pmpd.add %h, %a : tensor<?x128xf32>
    // A view has no memory of its own and keeps that of its input.
    // CHECK: pmpd.select_last %{{.*}} : tensor
    %l = pmpd.select_last %r : tensor<?x128xf32>
    // Not in place: the view starts at another row.
    // CHECK: pmpd.activate {{.*}}pmpd.scratch = 4096
    %b = pmpd.activate relu %l : tensor<?x128xf32>
    // The logits are the caller's.
    // CHECK: pmpd.linear %{{.*}}, @head : tensor
    %o = pmpd.linear %b, @head : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }

  // A row of 128 is 2 x 256 bytes and 16 of parameters where weights are in the
  // layout of GPUs; the others are 8 lines of a CPU.
  // CHECK-LABEL: pmpd.region @rows_for_gpus prefill bits = 4, max_rows = 8, scratch = 8320 {
  pmpd.region @rows_for_gpus prefill bits = 4, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    // CHECK: pmpd.quantize_rows {{.*}}pmpd.scratch = 4096
    %q = pmpd.quantize_rows %h : tensor<?x128xf32> -> !pmpd.rows<128, bits = 16, group = 128>
    %x = pmpd.linear %q, @gpu bits 4 : !pmpd.rows<128, bits = 16, group = 128> -> tensor<?x128xf32>
    %o = pmpd.linear %x, @head : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }

  // CHECK-LABEL: pmpd.region @keeps_matrix_inputs decode bits = 4, max_rows = 1, scratch = 1216 {
  pmpd.region @keeps_matrix_inputs decode bits = 4, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    // CHECK: pmpd.embed {{.*}}pmpd.scratch = 0
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    // CHECK: pmpd.quantize_rows {{.*}}pmpd.scratch = 512
    %q = pmpd.quantize_rows %h : tensor<?x128xf32> -> !pmpd.rows<128, bits = 8, group = 128>
    // Every task reads the whole input: the result must not overlap it.
    // CHECK: pmpd.linear %{{.*}}, @w bits 4 {{.*}}pmpd.scratch = 704
    %w = pmpd.linear %q, @w bits 4 : !pmpd.rows<128, bits = 8, group = 128> -> tensor<?x128xf32>
    // CHECK: pmpd.add {{.*}}pmpd.scratch = 704
    %s = pmpd.add %w, %h : tensor<?x128xf32>
    %o = pmpd.linear %s, @head : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }

  // CHECK-LABEL: pmpd.region @in_place_is_the_same_place
  pmpd.region @in_place_is_the_same_place decode bits = 4, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    // CHECK: pmpd.embed {{.*}}pmpd.scratch = 0
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    // CHECK: pmpd.linear {{.*}}pmpd.scratch = 512
    %w = pmpd.linear %h, @w bits 4 : tensor<?x128xf32> -> tensor<?x128xf32>
    // Below is room now, but a result there would overlap other rows.
    // CHECK: pmpd.activate {{.*}}pmpd.scratch = 512
    %a = pmpd.activate silu %w : tensor<?x128xf32>
    %o = pmpd.linear %a, @head : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }
}
