// Kernels of GPUs other than linear layers: what becomes of them in PTX, and in
// machine code, for long contexts and large heads. The figures of
// lib/Codegen/gpu/RATIONALE.md are those that the last of these commands prints.
// RUN: pmpd-opt %s --pmpd-group-launches --pmpd-plan-memory --pmpd-lower-to-gpu --pmpd-fuse-launches --pmpd-lower-gpu-kernels --pmpd-emit-gpu-images="gpu=sm_80 ptxas=none" -o %t.mlir
// RUN: %python %S/gpu_code.py < %t.mlir | FileCheck %s
// RUN: %python %S/gpu_code.py < %t.mlir | FileCheck %s --check-prefix=ROWS
// RUN: %python %S/gpu_code.py < %t.mlir | FileCheck %s --check-prefix=TILES
// RUN: %python %S/gpu_code.py < %t.mlir | FileCheck %s --check-prefix=ANY
// RUN: %if ptxas %{ %python %S/gpu_code.py %ptxas sm_80 sm_86 sm_89 sm_90 < %t.mlir | FileCheck %s --check-prefix=CODE %}

// The cache is read by 16 bytes, and like all that an earlier launch wrote not
// as constant memory. Keys and values of 4 positions are loaded before the
// first is used.
// CHECK-LABEL: .entry attention_h32_f16_kv8_d128_c4096_{{[a-z0-9]*}}_r1_p32(
// CHECK-NOT:     ld.global.nc
// CHECK-COUNT-8: ld.global.v4.b32 {{.*}}
// CHECK:         ex2.approx.f32
// CHECK-NOT:     ld.global.nc
// CHECK:         ret;

// Many rows are on tensor cores: the next keys and values are asked for before
// the products of these, and each product with keys has a high and a low part.
// TILES-LABEL: .entry attention_h32_f16_kv8_d128_c4096_{{[a-z0-9]*}}_r16_mma(
// TILES:         cp.async.wait_group 0;
// TILES:         bar.sync
// TILES:         cp.async.cg.shared.global
// TILES:         ldmatrix.sync.aligned.m8n8.x4.shared.b16
// TILES-COUNT-4: mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
// TILES:         ldmatrix.sync.aligned.m8n8.x4.shared.b16
// TILES:         ex2.approx.f32
// TILES:         cvt.rn.f16x2.f32
// TILES:         ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16
// TILES-COUNT-4: mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
// TILES:         ret;

// Weights are constant memory. A row's parts are in turn.
// ROWS-LABEL: .entry embed_f16_k4096_s3f800000__rms_norm_f16_k4096_e3727c5ac(
// ROWS:         ld.global.nc.v4.b16
// ROWS:         st.global.v4.b32
// ROWS:         bar{{.*}}sync
// ROWS-NOT:     ld.global.nc
// ROWS:         ld.global.v4.b32
// ROWS:         sqrt.rn.f32
// ROWS:         ret;

// ANY-NOT: .local
// ANY-NOT: call{{[. ]}}
// ANY-NOT: .extern

// No kernel of any chip has local memory, or this script fails.
// CODE-DAG: sm_80 attention_h32_f16_kv8_d128_c4096_{{[a-z0-9]*}}_r1_p32: {{[0-9]+}} registers
// CODE-DAG: sm_90 attention_h32_f16_kv8_d128_c4096_{{[a-z0-9]*}}_r16_mma: {{[0-9]+}} registers, 34816 bytes shared, 128 products
// CODE-DAG: sm_80 attention_h32_f16_kv8_d128_c4096_{{[a-z0-9]*}}_r16_mma_w1000: {{[0-9]+}} registers
// CODE-DAG: sm_86 attention_h24_f16_kv24_d64_c2048_{{[a-z0-9]*}}_r64_mma: {{[0-9]+}} registers, 18432 bytes shared, 64 products
// CODE-DAG: sm_90 attention_h12_f32_kv12_d64_c1024_{{[a-z0-9]*}}_r8_p1: {{[0-9]+}} registers
pmpd.model @llama vocab = 32000, hidden = 4096, layers = 1, heads = 32, kv_heads = 8, head_dim = 128, context = 4096, kv = f16 {
  pmpd.weight @embed : tensor<32000x4096xf16> at 4096
  pmpd.weight @norm : tensor<4096xf16> at 268435456
  pmpd.weight @q : tensor<4096x4096xf16> at 536870912
  pmpd.weight @kv : tensor<1024x4096xf16> at 637534208
  pmpd.rope_table @rope inv_freq = [1.0, 0.1], scale = 1.0, half at 704643072
  pmpd.region @decode decode bits = 16, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x4096xf32>
    %n = pmpd.rms_norm %h, @norm eps 1.0e-5 : tensor<?x4096xf32>
    %q = pmpd.linear %n, @q : tensor<?x4096xf32> -> tensor<?x4096xf32>
    %k = pmpd.linear %n, @kv : tensor<?x4096xf32> -> tensor<?x1024xf32>
    %v = pmpd.linear %n, @kv : tensor<?x4096xf32> -> tensor<?x1024xf32>
    %r = pmpd.rope %q, @rope heads 32 : tensor<?x4096xf32>
    %s = pmpd.rope %k, @rope heads 8 : tensor<?x1024xf32>
    pmpd.kv_append %s, %v layer 0 : tensor<?x1024xf32>
    %a = pmpd.attention %r layer 0 scale 0.08 : tensor<?x4096xf32>
    %b = pmpd.activate silu %a : tensor<?x4096xf32>
    %c = pmpd.mul %b, %h : tensor<?x4096xf32>
    %d = pmpd.add %c, %h : tensor<?x4096xf32>
    %l = pmpd.select_last %d : tensor<?x4096xf32>
    %o = pmpd.linear %l, @embed : tensor<?x4096xf32> -> tensor<?x32000xf32>
    pmpd.yield %o : tensor<?x32000xf32>
  }
  pmpd.region @prefill prefill bits = 16, max_rows = 512 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x4096xf32>
    %a = pmpd.attention %h layer 0 scale 0.08 : tensor<?x4096xf32>
    %w = pmpd.attention %a layer 0 scale 0.08 window 1000 : tensor<?x4096xf32>
    %l = pmpd.select_last %w : tensor<?x4096xf32>
    %o = pmpd.linear %l, @embed : tensor<?x4096xf32> -> tensor<?x32000xf32>
    pmpd.yield %o : tensor<?x32000xf32>
  }
}

pmpd.model @gpt2 vocab = 5000, hidden = 768, layers = 1, heads = 12, kv_heads = 12, head_dim = 64, context = 1024, kv = f32 {
  pmpd.weight @embed : tensor<5000x768xf16> at 4096
  pmpd.weight @norm : tensor<768xf32> at 8388608
  pmpd.region @decode decode bits = 16, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x768xf32>
    %p = pmpd.add_position %h, @embed offset 2 : tensor<?x768xf32>
    %n = pmpd.layer_norm %p, @norm, @norm eps 1.0e-5 : tensor<?x768xf32>
    %e = pmpd.activate gelu_erf %n : tensor<?x768xf32>
    %g = pmpd.activate gelu_tanh %e : tensor<?x768xf32>
    %a = pmpd.attention %g layer 0 scale 0.125 : tensor<?x768xf32>
    %l = pmpd.select_last %a : tensor<?x768xf32>
    %o = pmpd.linear %l, @embed : tensor<?x768xf32> -> tensor<?x5000xf32>
    pmpd.yield %o : tensor<?x5000xf32>
  }
  pmpd.region @prefill prefill bits = 16, max_rows = 64 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x768xf32>
    %a = pmpd.attention %h layer 0 scale 0.125 : tensor<?x768xf32>
    %l = pmpd.select_last %a : tensor<?x768xf32>
    %o = pmpd.linear %l, @embed : tensor<?x768xf32> -> tensor<?x5000xf32>
    pmpd.yield %o : tensor<?x5000xf32>
  }
}

pmpd.model @small vocab = 5000, hidden = 1536, layers = 1, heads = 24, kv_heads = 24, head_dim = 64, context = 2048, kv = f16 {
  pmpd.weight @embed : tensor<5000x1536xf16> at 4096
  pmpd.region @prefill prefill bits = 16, max_rows = 512 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x1536xf32>
    %a = pmpd.attention %h layer 0 scale 0.125 : tensor<?x1536xf32>
    %l = pmpd.select_last %a : tensor<?x1536xf32>
    %o = pmpd.linear %l, @embed : tensor<?x1536xf32> -> tensor<?x5000xf32>
    pmpd.yield %o : tensor<?x5000xf32>
  }
}
