// RUN: %python %source/test/fixtures/classifiers.py plain %t.onnx --heads 2 --head-dim 4
// RUN: pmpd-opt %s --pmpd-attach-scheduler=file=%t.onnx | FileCheck %s
// RUN: pmpd-opt %s --pmpd-attach-scheduler=file=%t.onnx --pmpd-lower-classifiers | FileCheck %s --check-prefix=LOWERED

// Weights are named, not copied; every pair of adjacent bits has a function.
// CHECK-LABEL: pmpd.model @m
// CHECK-DAG:     pmpd.weight @classifier.t1 : tensor<32xf32> from #pmpd.source<"{{.*}}.onnx", offset = {{[0-9]+}}
// CHECK-DAG:     pmpd.weight @classifier.t5 : tensor<4xf32> from #pmpd.source<"{{.*}}.onnx", offset = {{[0-9]+}}
// CHECK:         pmpd.classifier @classifier_4_3 from = 4, to = 3, classes = 4 weights [@classifier.t1, @classifier.t2]
// CHECK-NEXT:    pmpd.classifier @classifier_3_2 from = 3, to = 2, classes = 4 weights [@classifier.t4, @classifier.t5]

// The network for 4 -> 3 reads the keys, whose first tokens are valid.
// CHECK-LABEL: func.func private @classifier_4_3(
// CHECK-SAME:    %[[K:.*]]: memref<1x2x16x4xf32>, %{{.*}}: memref<1x2x16x4xf32>, %[[N:[^:]*]]: index, %{{.*}}: memref<8x4xf32>, %{{.*}}: memref<4xf32>, %[[OUT:.*]]: memref<1x4xf32>)
// CHECK-SAME:    attributes {pmpd.bound = 16 : i64}
// CHECK:         memref.subview %[[K]][0, 0, 0, 0] [1, 2, %[[N]], 4]
// CHECK-NOT:     onnx.initializer
// CHECK:         onnx.node "Gemm"
// CHECK-NOT:     onnx.node
// CHECK:         bufferization.materialize_in_destination %{{.*}} in restrict writable %[[OUT]]
// CHECK-LABEL: func.func private @classifier_3_2(
// CHECK-SAME:    %{{.*}}: memref<1x2x16x4xf32>, %[[V:.*]]: memref<1x2x16x4xf32>,
// CHECK:         onnx.node "ReduceMean"

// Loops on memory of the caller, and nothing that allocates.
// LOWERED-LABEL: func.func private @classifier_4_3(
// LOWERED-SAME:    %{{[^:]*}}: memref<128xi8>)
// LOWERED-NOT:     memref.alloc
// LOWERED-NOT:     memref.copy
// LOWERED-NOT:     linalg.
// LOWERED:         scf.for

// RUN: not pmpd-opt %s --pmpd-attach-scheduler=file=%t.none 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: cannot read {{.*}}.none: No such file

// RUN: %python %source/test/fixtures/classifiers.py other_heads %t.onnx --heads 2 --head-dim 4
// RUN: not pmpd-opt %s --pmpd-attach-scheduler=file=%t.onnx 2>&1 | FileCheck %s --check-prefix=HEADS
// HEADS: error: expected input 'keys' of f32 [1, 2, L, 4] with one open dimension L for the model's 2 kv_heads and head_dim 4, but got 'tensor<1x3x?x4xf32{{.*}}'; train the scheduler on this model
// RUN: %python %source/test/fixtures/classifiers.py plain %t.onnx --heads 2 --head-dim 8
// RUN: not pmpd-opt %s --pmpd-attach-scheduler=file=%t.onnx 2>&1 | FileCheck %s --check-prefix=DIM
// DIM: error: expected input 'keys' of {{.*}} head_dim 4, but got 'tensor<1x2x?x8xf32{{.*}}'
// RUN: %python %source/test/fixtures/classifiers.py fixed_length %t.onnx --heads 2 --head-dim 4
// RUN: not pmpd-opt %s --pmpd-attach-scheduler=file=%t.onnx 2>&1 | FileCheck %s --check-prefix=LENGTH
// LENGTH: error: expected input 'keys' of {{.*}} one open dimension L {{.*}}, but got 'tensor<1x2x7x4xf32>'
// RUN: %python %source/test/fixtures/classifiers.py one_input %t.onnx --heads 2 --head-dim 4
// RUN: not pmpd-opt %s --pmpd-attach-scheduler=file=%t.onnx 2>&1 | FileCheck %s --check-prefix=INPUT
// INPUT: error: expected the inputs keys, values, but got keys; export the scheduler with these input names
// RUN: %python %source/test/fixtures/classifiers.py one_pair %t.onnx --heads 2 --head-dim 4
// RUN: not pmpd-opt %s --pmpd-attach-scheduler=file=%t.onnx 2>&1 | FileCheck %s --check-prefix=PAIR
// PAIR: error: expected one output for each pair of decode's bits, logits_4_3, logits_3_2, but got logits_4_3; compile the bits that the scheduler was trained for
// RUN: %python %source/test/fixtures/classifiers.py one_class %t.onnx --heads 2 --head-dim 4
// RUN: not pmpd-opt %s --pmpd-attach-scheduler=file=%t.onnx 2>&1 | FileCheck %s --check-prefix=CLASS
// CLASS: error: expected output 'logits_3_2' of f32 [1, classes] with at least 2 classes, but got 'tensor<1x1xf32>'
// RUN: %python %source/test/fixtures/classifiers.py half %t.onnx --heads 2 --head-dim 4
// RUN: not pmpd-opt %s --pmpd-attach-scheduler=file=%t.onnx 2>&1 | FileCheck %s --check-prefix=HALF
// HALF: error: expected weight '{{.*}}' of f32, but got 'tensor<8x4xf16>'; export the scheduler in float32

// Other bits than the scheduler was trained for, one precision, none.
// RUN: %python %source/test/fixtures/classifiers.py plain %t.onnx --heads 2 --head-dim 4
// RUN: sed 's/4, 2, 3/4, 2/' %s | not pmpd-opt --pmpd-attach-scheduler=file=%t.onnx 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: expected one output for each pair of decode's bits, logits_4_2, but got logits_3_2, logits_4_3
// RUN: sed 's/4, 2, 3/4/' %s | not pmpd-opt --pmpd-attach-scheduler=file=%t.onnx 2>&1 | FileCheck %s --check-prefix=ONE
// ONE: error: expected at least two bits of decode to switch between, but got only 4
// RUN: sed 's/decode bits .4, 2, 3./decode/' %s | not pmpd-opt --pmpd-attach-scheduler=file=%t.onnx 2>&1 | FileCheck %s --check-prefix=EARLY
// EARLY: error: expected one pmpd.decode with bits; run --pmpd-allocate-precision first

pmpd.model @m vocab = 64, hidden = 8, layers = 1, heads = 2, kv_heads = 2, head_dim = 4, context = 16, kv = f16 {
  pmpd.weight @embed : tensor<64x8xf16>
  pmpd.weight @lm_head : tensor<64x8xf16>
  pmpd.prefill bits [4] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x8xf32>
    %o = pmpd.linear %h, @lm_head : tensor<?x8xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }
  pmpd.decode bits [4, 2, 3] {
  ^bb0(%tokens: tensor<?xi32>):
    %h = pmpd.embed %tokens, @embed : tensor<?xi32> -> tensor<?x8xf32>
    %o = pmpd.linear %h, @lm_head : tensor<?x8xf32> -> tensor<?x64xf32>
    pmpd.yield %o : tensor<?x64xf32>
  }
}
