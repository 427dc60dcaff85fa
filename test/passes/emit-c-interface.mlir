// RUN: pmpd-opt %s --pmpd-emit-c-interface="features=avx2 triple=x86_64-linux-gnu" --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: llvm.func internal @scale(

// A region launches through the caller's parallel-for.
// CHECK-LABEL: llvm.func internal @decode_b2(%arg0: !llvm.ptr)
// CHECK:         %[[ARGS:.*]] = llvm.alloca
// CHECK:         llvm.mlir.addressof @scale_task
// CHECK:         llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %[[ARGS]], %{{.*}}) : !llvm.ptr, (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()
// CHECK:         llvm.return

// A kernel gets the one signature that all of them have.
// CHECK-LABEL: llvm.func internal @scale_task(%arg0: !llvm.ptr, %arg1: i64, %arg2: i64)
// CHECK:         %[[FIRST:.*]] = llvm.getelementptr %arg0[0]
// CHECK:         %[[IN:.*]] = llvm.load %[[FIRST]]
// CHECK:         %[[SECOND:.*]] = llvm.getelementptr %arg0[8]
// CHECK:         %[[OUT:.*]] = llvm.load %[[SECOND]]
// CHECK:         llvm.getelementptr %arg0[128]
// CHECK:         llvm.getelementptr %arg0[136]
// CHECK:         llvm.call @scale(%[[IN]], %[[OUT]], %{{.*}}, %{{.*}}, %arg1, %arg2)

// CHECK-LABEL: llvm.mlir.global internal constant @pmpd_regions
// CHECK:         llvm.mlir.addressof @decode_b2
// CHECK:       llvm.mlir.global internal constant @pmpd_text{{.*}}("m\00")
// CHECK:       llvm.mlir.global internal constant @pmpd_text{{.*}}("x86_64-linux-gnu\00")
// CHECK:       llvm.mlir.global internal constant @pmpd_text{{.*}}("avx2\00")
// CHECK-LABEL: llvm.func @m_pmpd_model() -> !llvm.ptr
// CHECK-NEXT:    llvm.mlir.addressof @pmpd_model
// CHECK-NOT:   pmpd.
llvm.func @scale(%in: !llvm.ptr, %out: !llvm.ptr, %rows: i64, %position: i64, %begin: i64, %end: i64) {
  llvm.return
}
pmpd.model @m vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 digest = "000102030405060708090a0b0c0d0e0f" {
  pmpd.region @decode_b2 decode bits = 2, max_rows = 1, scratch = 64, weight_bytes = 100 {
  ^bb0(%tokens: tensor<?xi32>):
    pmpd.launch @scale [#pmpd.address<scratch, 64, skip = 512>, #pmpd.address<logits, 0>] tasks 3 logits
    pmpd.yield
  }
  pmpd.region_table [@decode_b2]
}

// -----

// expected-error@+1 {{expected the digest of a weight file; run --pmpd-pack first}}
pmpd.model @unpacked vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
  pmpd.region @decode_b2 decode bits = 2, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    pmpd.yield
  }
  pmpd.region_table [@decode_b2]
}

// -----

// expected-error@+1 {{expected one pmpd.region_table; run --pmpd-specialize first}}
pmpd.model @unspecialized vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 {
}

// -----

pmpd.model @unlowered vocab = 64, hidden = 64, layers = 1, heads = 4, kv_heads = 4, head_dim = 16, context = 64, kv = f32 digest = "000102030405060708090a0b0c0d0e0f" {
  pmpd.weight @embed : tensor<64x64xf16>
  pmpd.region @decode_b2 decode bits = 2, max_rows = 1 {
  ^bb0(%tokens: tensor<?xi32>):
    // expected-error@+1 {{expected a launch of a kernel in the LLVM dialect}}
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x64xf32>
    pmpd.yield %h : tensor<?x64xf32>
  }
  pmpd.region_table [@decode_b2]
}

// -----

// A classifier's entry finds its weights in the weight file.
// CHECK-LABEL: llvm.func internal @classify_entry(%arg0: !llvm.ptr)
// CHECK:         %[[FILE:.*]] = llvm.load
// CHECK:         %[[SCRATCH:.*]] = llvm.load
// CHECK:         %[[TOKENS:.*]] = llvm.load %{{.*}} -> i64
// CHECK:         %[[KEYS:.*]] = llvm.load
// CHECK:         %[[VALUES:.*]] = llvm.load
// CHECK:         %[[W:.*]] = llvm.getelementptr %[[FILE]][%{{.*}}]
// CHECK:         %[[LOGITS:.*]] = llvm.load
// CHECK:         llvm.call @classify(%[[KEYS]], %[[VALUES]], %[[TOKENS]], %[[W]], %[[LOGITS]], %[[SCRATCH]])
// CHECK-LABEL: llvm.mlir.global internal constant @pmpd_classifiers
// CHECK:         llvm.mlir.addressof @classify_entry
llvm.func @classify(%k: !llvm.ptr, %v: !llvm.ptr, %tokens: i64, %w: !llvm.ptr, %logits: !llvm.ptr, %scratch: !llvm.ptr) {
  llvm.return
}
pmpd.model @learned vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 digest = "000102030405060708090a0b0c0d0e0f" {
  pmpd.weight @w : tensor<32xf32> at 4096
  pmpd.region_table []
  pmpd.classifier @classify from = 4, to = 3, classes = 4 weights [@w] scratch = 128
}

// -----

pmpd.model @unplaced vocab = 64, hidden = 128, layers = 1, heads = 4, kv_heads = 4, head_dim = 32, context = 64, kv = f32 digest = "000102030405060708090a0b0c0d0e0f" {
  pmpd.weight @w : tensor<32xf32>
  pmpd.region_table []
  // expected-error@+1 {{expected a function in the LLVM dialect, scratch memory and weights in the weight file}}
  pmpd.classifier @classify from = 4, to = 3, classes = 4 weights [@w] scratch = 128
}
llvm.func @classify(%k: !llvm.ptr, %v: !llvm.ptr, %tokens: i64, %w: !llvm.ptr, %logits: !llvm.ptr, %scratch: !llvm.ptr) {
  llvm.return
}
