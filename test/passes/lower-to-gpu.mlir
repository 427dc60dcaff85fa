// RUN: pmpd-opt %s --pmpd-plan-memory --pmpd-lower-to-gpu | FileCheck %s
// RUN: not pmpd-opt %s --pmpd-lower-to-gpu 2>&1 | FileCheck %s --check-prefix=UNPLANNED
// UNPLANNED: expected a place in scratch memory; run --pmpd-plan-memory first
// RUN: sed 's/, gpu>/, s>/' %s | not pmpd-opt --pmpd-plan-memory --pmpd-lower-to-gpu 2>&1 | FileCheck %s --check-prefix=LAYOUT
// LAYOUT: 'pmpd.linear' op expected a weight packed for GPUs
// RUN: sed 's/bits = 16, group/bits = 8, group/g' %s | not pmpd-opt --pmpd-plan-memory --pmpd-lower-to-gpu 2>&1 | FileCheck %s --check-prefix=ACTIVATIONS
// ACTIVATIONS: {{expected .*16}}

pmpd.model @m vocab = 64, hidden = 128, layers = 2, heads = 4, kv_heads = 2, head_dim = 32, context = 2048, kv = f16 {
  pmpd.weight @embed : tensor<64x128xf16> at 4096
  pmpd.weight @norm : tensor<128xf32> at 20480
  pmpd.weight @a : !pmpd.nested<128x128, bits = 4, prefixes = [2, 4], affine, group = 128, gpu> at 28672
  pmpd.weight @b : !pmpd.nested<128x128, bits = 4, prefixes = [2, 4], affine, group = 128, gpu> at 61440
  pmpd.weight @head : tensor<64x128xf16> at 102400
  pmpd.rope_table @rope inv_freq = [1.0, 0.1], scale = 1.0, half at 131072

  // CHECK-LABEL: pmpd.region @prefill_b2 prefill bits = 2, max_rows = 512
  pmpd.region @prefill_b2 prefill bits = 2, max_rows = 512 {
  ^bb0(%tokens: tensor<?xi32>):
    // What works by rows has a block for each.
    // CHECK: pmpd.launch @pmpd_kernels::@[[EMBED:embed[a-z0-9_]*]] [#pmpd.address<tokens, 0>, #pmpd.address<weights, 4096>, #pmpd.address<scratch, 0>] tasks 1 per 1 all
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    // CHECK: pmpd.launch @pmpd_kernels::@[[QUANTIZE:quantize[a-z0-9_]*]] {{.*}} tasks 1 per 1 all
    %q = pmpd.quantize_rows %h : tensor<?x128xf32> -> !pmpd.rows<128, bits = 16, group = 128>
    // A product of many rows has tiles of them.
    // CHECK: pmpd.launch @pmpd_kernels::@[[MANY:linear[a-z0-9_]*]] [#pmpd.address<weights, 28672>{{.*}}] tasks {{[0-9]+}} per 64 all
    %x = pmpd.linear %q, @a bits 2 : !pmpd.rows<128, bits = 16, group = 128> -> tensor<?x128xf32>
    // CHECK: pmpd.launch @pmpd_kernels::@[[MANY]] [#pmpd.address<weights, 61440>{{.*}}]
    %y = pmpd.linear %q, @b bits 2 : !pmpd.rows<128, bits = 16, group = 128> -> tensor<?x128xf32>
    // CHECK: pmpd.launch @pmpd_kernels::@{{rope[a-z0-9_]*}} [{{.*}}#pmpd.address<weights, 131072>
    %r = pmpd.rope %x, @rope heads 4 : tensor<?x128xf32>
    // CHECK: pmpd.launch @pmpd_kernels::@{{attention[a-z0-9_]*}} [{{.*}}#pmpd.address<kv, {{[0-9]+}}>, #pmpd.address<scratch, {{[0-9]+}}>] tasks {{[0-9]+}} per {{[0-9]+}} all
    %t = pmpd.attention %r layer 1 scale 0.17 : tensor<?x128xf32>
    %v = pmpd.add %y, %t : tensor<?x128xf32>
    %l = pmpd.select_last %v : tensor<?x128xf32>
    // CHECK: pmpd.launch @pmpd_kernels::@{{linear_dense[a-z0-9_]*}} [{{.*}}, #pmpd.address<logits, 0>] tasks {{[0-9]+}} {{.*}}logits
    %logits = pmpd.linear %l, @head : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %logits : tensor<?x64xf32>
  }

  // One row has products of its own, and attention in two launches: parts of
  // the context behind the planned memory, then their combination.
  // CHECK-LABEL: pmpd.region @decode_b2 decode bits = 2, max_rows = 1
  // CHECK:         pmpd.launch @pmpd_kernels::@[[EMBED]]
  // CHECK:         pmpd.launch @pmpd_kernels::@[[QUANTIZE]]
  // CHECK-NOT:     @[[MANY]]
  // CHECK:         pmpd.launch @pmpd_kernels::@{{linear[a-z0-9_]*}} [#pmpd.address<weights, 28672>
  // CHECK:         pmpd.launch @pmpd_kernels::@{{attention[a-z0-9_]*}} [{{.*}}, #pmpd.address<scratch, [[PARTS:[0-9]+]]>] tasks
  // CHECK:         pmpd.launch @pmpd_kernels::@{{attention[a-z0-9_]*}} [#pmpd.address<scratch, [[PARTS]]>, {{.*}}]
  pmpd.region @decode_b2 decode bits = 2, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x128xf32>
    %q = pmpd.quantize_rows %h : tensor<?x128xf32> -> !pmpd.rows<128, bits = 16, group = 128>
    %x = pmpd.linear %q, @a bits 2 : !pmpd.rows<128, bits = 16, group = 128> -> tensor<?x128xf32>
    %t = pmpd.attention %x layer 1 scale 0.17 : tensor<?x128xf32>
    %l = pmpd.select_last %t : tensor<?x128xf32>
    %logits = pmpd.linear %l, @head : tensor<?x128xf32> -> tensor<?x64xf32>
    pmpd.yield %logits : tensor<?x64xf32>
  }
}

// CHECK-LABEL: gpu.module @pmpd_kernels
// CHECK:         gpu.func @[[EMBED]](%{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>, %{{.*}}: !llvm.ptr<1>) kernel attributes {known_block_size
// CHECK:         gpu.func @[[MANY]](
// CHECK:           nvvm.mma.sync{{.*}}<u8>{{.*}}<s8>{{.*}}k = 32
// CHECK-NOT:     math.exp

// For who wants a token, not logits; no region launches it.
// CHECK: gpu.func @sample_k64({{.*}} kernel attributes {{{.*}}pmpd.sample_scratch = 32768 : i64
