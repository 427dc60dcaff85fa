// RUN: pmpd-opt %s --pmpd-plan-memory --pmpd-lower-to-cpu=isa=avx512vnni | FileCheck %s
// RUN: pmpd-opt %s --pmpd-plan-memory --pmpd-lower-to-cpu=isa=avx512vnni | FileCheck %s --check-prefix=KERNEL
// RUN: pmpd-opt %s --pmpd-plan-memory --pmpd-lower-to-cpu=isa=portable | FileCheck %s --check-prefix=PORTABLE
// RUN: not pmpd-opt %s --pmpd-lower-to-cpu 2>&1 | FileCheck %s --check-prefix=UNPLANNED
// RUN: not pmpd-opt %s --pmpd-lower-to-cpu=isa=mmx 2>&1 | FileCheck %s --check-prefix=ISA
// UNPLANNED: expected a place in scratch memory; run --pmpd-plan-memory first
// RUN: sed 's/memref<64xi8>/index/' %s | not pmpd-opt --pmpd-plan-memory --pmpd-lower-to-cpu 2>&1 | FileCheck %s --check-prefix=CLASSIFIER
// CLASSIFIER: expected a function with scratch memory; run --pmpd-lower-classifiers first
// ISA: expected isa portable, avx2, avxvnni, avx512vnni or amx, but got mmx

pmpd.model @m vocab = 64, hidden = 128, layers = 2, heads = 4, kv_heads = 2, head_dim = 32, context = 64, kv = f16 {
  pmpd.weight @embed : tensor<64x128xf16> at 4096
  pmpd.weight @norm : tensor<128xf32> at 20480
  pmpd.weight @bias : tensor<128xf32> at 24576
  pmpd.weight @a : !pmpd.nested<128x128, bits = 4, prefixes = [2, 4], affine, group = 128, s> at 28672
  pmpd.weight @b : !pmpd.nested<128x128, bits = 4, prefixes = [2, 4], affine, group = 128, s> at 40960
  pmpd.weight @kv : tensor<64x128xf16> at 53248
  pmpd.weight @head : tensor<64x128xf16> at 69632
  pmpd.rope_table @rope inv_freq = [1.0, 0.1], scale = 1.0, half at 86016

  // 2 bits of @a and @b are 32 bytes a row and 4 of parameters each; a row of
  // the embedding, the vectors, the table and the dense weights are whole.
  // CHECK-LABEL: pmpd.region @prefill_b2 prefill bits = 2, max_rows = 8
  // CHECK-SAME:    weight_bytes = {{[0-9]+}}
  pmpd.region @prefill_b2 prefill bits = 2, max_rows = 8 {
  ^bb0(%tokens: tensor<?xi32>):
    // CHECK: pmpd.launch @[[EMBED:embed[a-z0-9_]*]] [#pmpd.address<tokens, 0>, #pmpd.address<weights, 4096>, #pmpd.address<scratch, 0>] tasks 1 per 1 all
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    // CHECK: pmpd.launch @{{rms_norm[a-z0-9_]*}} [#pmpd.address<scratch, 0>, #pmpd.address<weights, 20480>, #pmpd.address<scratch, 4096>]
    %n = pmpd.rms_norm %h, @norm eps 1.0e-5 : tensor<?x128xf32>
    // CHECK: pmpd.launch @[[QUANTIZE:quantize[a-z0-9_]*]]
    %q = pmpd.quantize_rows %n : tensor<?x128xf32> -> !pmpd.rows<128, bits = 8, group = 128>
    // Equal shapes share a kernel; a task is a panel of 16 rows.
    // CHECK: pmpd.launch @[[LINEAR:linear_s_b2[a-z0-9_]*]] [#pmpd.address<weights, 28672>{{.*}}] tasks 8 all
    %x = pmpd.linear %q, @a bits 2 : !pmpd.rows<128, bits = 8, group = 128> -> tensor<?x128xf32>
    // CHECK: pmpd.launch @[[LINEAR]] [#pmpd.address<weights, 40960>{{.*}}] tasks 8 all
    %y = pmpd.linear %q, @b bits 2 : !pmpd.rows<128, bits = 8, group = 128> -> tensor<?x128xf32>
    // A bias makes another kernel and comes last.
    // CHECK: pmpd.launch @{{linear_s_b2[a-z0-9_]*}} [#pmpd.address<weights, 40960>{{.*}}, #pmpd.address<weights, 24576>] tasks 8 all
    %z = pmpd.linear %q, @b bias @bias bits 2 : !pmpd.rows<128, bits = 8, group = 128> -> tensor<?x128xf32>
    // CHECK: pmpd.launch @{{linear_dense[a-z0-9_]*}}
    %k = pmpd.linear %n, @kv : tensor<?x128xf32> -> tensor<?x64xf32>
    // CHECK: pmpd.launch @{{rope[a-z0-9_]*}} [{{.*}}#pmpd.address<weights, 86016>
    %r = pmpd.rope %k, @rope heads 2 : tensor<?x64xf32>
    // A layer's keys and values take 2 * 2 * 64 * 32 * 2 bytes.
    // CHECK: pmpd.launch @{{kv_append[a-z0-9_]*}} [{{.*}}#pmpd.address<kv, 16384>]
    pmpd.kv_append %r, %k layer 1 : tensor<?x64xf32>
    // Two heads of the cache, each read by two heads of eight rows at a time.
    // CHECK: pmpd.launch @{{attention[a-z0-9_]*}} [{{.*}}#pmpd.address<kv, 16384>, {{.*}}] tasks 2 per 8 all
    %t = pmpd.attention %x layer 1 scale 0.17 : tensor<?x128xf32>
    // CHECK: pmpd.launch @{{activate[a-z0-9_]*|silu[a-z0-9_]*}}
    %s = pmpd.activate silu %y : tensor<?x128xf32>
    // CHECK: pmpd.launch @{{mul[a-z0-9_]*}}
    %u = pmpd.mul %s, %z : tensor<?x128xf32>
    // CHECK: pmpd.launch @{{add[a-z0-9_]*}}
    %v = pmpd.add %u, %t : tensor<?x128xf32>
    %w = pmpd.add %v, %h : tensor<?x128xf32>
    %l = pmpd.select_last %w : tensor<?x128xf32>
    // From here on only the rows that logits are asked for, found behind the
    // others by the bytes of a row.
    // CHECK: pmpd.launch @{{rms_norm[a-z0-9_]*}} [#pmpd.address<scratch, {{[0-9]+}}, skip = 512>, {{.*}}] tasks 1 per 1 logits
    %o = pmpd.rms_norm %l, @norm eps 1.0e-5 : tensor<?x128xf32>
    // CHECK: pmpd.launch @{{linear_dense[a-z0-9_]*}} [#pmpd.address<weights, 69632>, {{.*}}, #pmpd.address<logits, 0>] tasks {{[0-9]+}} logits
    %logits = pmpd.linear %o, @head : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %logits : tensor<?x64xf32>
  }

  // A decode region at the same bits runs the same kernels.
  // CHECK-LABEL: pmpd.region @decode_b2
  // CHECK:         pmpd.launch @[[EMBED]]
  // CHECK:         pmpd.launch @[[QUANTIZE]]
  // CHECK:         pmpd.launch @[[LINEAR]]
  pmpd.region @decode_b2 decode bits = 2, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    %q = pmpd.quantize_rows %h : tensor<?x128xf32> -> !pmpd.rows<128, bits = 8, group = 128>
    %x = pmpd.linear %q, @a bits 2 : !pmpd.rows<128, bits = 8, group = 128> -> tensor<?x128xf32>
    %l = pmpd.select_last %x : tensor<?x128xf32>
    %logits = pmpd.linear %l, @head : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %logits : tensor<?x64xf32>
  }

  // The cache is of f16, a classifier reads f32.
  // CHECK: pmpd.classifier @classify from = 4, to = 2, classes = 2 weights [] scratch = 64 widen @[[WIDEN:widen_cache[a-z0-9_]*]]
  pmpd.classifier @classify from = 4, to = 2, classes = 2 weights []
}

// Classifiers call no library either.
// CHECK-LABEL: func.func private @classify(
// CHECK-NOT:     math.exp
// CHECK:         return
// CHECK:       func.func private @[[WIDEN]](%{{.*}}: memref<2x64x32xf16>, %{{.*}}: memref<2x64x32xf32>,
func.func private @classify(%k: memref<1x2x64x32xf32>, %v: memref<1x2x64x32xf32>, %n: index, %out: memref<1x2xf32>, %scratch: memref<64xi8>) {
  %c0 = arith.constant 0 : index
  %x = memref.load %k[%c0, %c0, %c0, %c0] : memref<1x2x64x32xf32>
  %y = math.exp %x : f32
  memref.store %y, %out[%c0, %c0] : memref<1x2xf32>
  return
}

// Kernels are in the vector dialect; only the dot product is the machine's.
// KERNEL-LABEL: func.func private @linear_s_b2
// KERNEL:         vector.load {{.*}} vector<64xi8>
// KERNEL:         llvm.x86.avx512.vpdpbusd.512
// PORTABLE-LABEL: func.func private @linear_s_b2
// PORTABLE-NOT:   llvm.x86
